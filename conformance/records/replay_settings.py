"""How a replay script sees that a call changed what the whole process shares: source text."""

from __future__ import annotations

SETTINGS = "settings after the calls"

SHOW_SETTINGS = '''

def settings():
    """What the process shares, as far as this script can tell."""
    import locale
    import os
    import random
    import signal
    import warnings

    one, tiny, smallest = map(float, ("1", "1e-18", "5e-324"))
    found = {
        "rounding": (one + tiny > one, -one - tiny < -one, one - tiny < one),
        "subnormal numbers": (smallest * 2.0**1000 == 0, 2.0**-1000 * 2.0 ** (-60 * one) == 0),
        "NumPy's error mode": np.geterr(),
        "NumPy's random state": str(np.random.get_state()),
        "Python's random state": random.getstate(),
        "the working directory": os.getcwd(),
        "os.environ": dict(os.environ),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the warnings filters": list(warnings.filters),
        "sys.path": list(sys.path),
        "the recursion limit": sys.getrecursionlimit(),
        "the signal handlers": [signal.getsignal(n) for n in sorted(signal.valid_signals())],
    }
    if torch := sys.modules.get("torch"):
        found["torch's default dtype"] = torch.get_default_dtype()
        found["torch's random state"] = torch.get_rng_state().tolist()
        found["torch's grad mode"] = torch.is_grad_enabled()
        found["torch's number of threads"] = torch.get_num_threads()
        found["torch's determinism"] = torch.are_deterministic_algorithms_enabled()
    return found


def show_settings(what, *calls):
    before = settings()
    for call in calls:
        try:
            call()
        except Exception as error:
            answers.append(f"raised {type(error).__name__}: {error}")
            print(f"{what:>15}:", answers[-1])
    after = settings()
    changed = [name for name in after if after[name] != before.get(name)]
    print(f"{what:>15}:", f"changed {', '.join(changed)}" if changed else "as before")
    answers.append("modified" if changed else "as it was")

'''

ASK_FOR_SETTINGS = f"""\
show_settings(
    {SETTINGS!r},
    lambda: fused.loss(logits, target, **options),
    lambda: fused.gradient(cotangent, logits, target, **options),
)"""
