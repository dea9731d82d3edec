"""What every replay script begins with, whatever the adapter and the witness: source text."""

from __future__ import annotations

HEAD = '''\
"""Replays a counterexample.  Needs NumPy and the library under test, nothing else."""

from __future__ import annotations

import base64
import contextlib
import inspect
import sys
import zlib

import numpy as np

np.set_printoptions(precision=17, floatmode="unique", linewidth=100)
np.seterr(all="ignore")  # NaN and infinities are answers


class implementation:
    """Stands in for conformance.implementation: remembers what the adapter offers."""

    found = {}

    def __init__(self, name="", *, framework="numpy", options=(), **declaration):
        self.name, self.framework, self.function, self.pieces = name, framework, None, {}
        self.listed = options or ()

    def __call__(self, *args, **options):
        if self.function is not None:
            return self.function(*args, **options)
        return implementation.found.setdefault(self.name, self.wrap(*args))

    def __getattr__(self, piece):  # .vjp, .softmax, .log_softmax, .nll_loss are decorators
        if piece.startswith("_"):
            raise AttributeError(piece)

        def offer(function):
            self.pieces[piece] = implementation(piece, framework=self.framework).wrap(function)
            return self.pieces[piece]

        return offer

    def takes_reduction(self):
        return "reduction" in (*inspect.signature(self.function).parameters, *self.listed)

    def by(self, *stages):
        """The loss put together from the adapter's own stages; a logarithm is the framework's."""
        first, last = self.pieces[stages[0]], self.pieces[stages[-1]]
        log = globals().get("log_" + self.framework, np.log)

        def middle(p):
            return log(p) if "log" in stages else p

        def chain(x, target, **options):
            return last(middle(first(x)), target, **options)

        def back(cotangent, x, target, **options):
            p = first(x)
            dp = last.pieces["vjp"](cotangent, middle(p), target, **options)
            return first.pieces["vjp"](dp / p if "log" in stages else dp, x)

        options = ("reduction",) if self.takes_reduction() else ()
        steps = implementation("steps", framework=self.framework, options=options).wrap(chain)
        if "vjp" in first.pieces and "vjp" in last.pieces:
            steps.pieces["vjp"] = back
        return steps

    def wrap(self, function):
        self.function = function
        return self

    @classmethod
    def named(cls, name):
        only = list(cls.found.values())[0] if len(cls.found) == 1 else None
        return cls.found.get(name) or only or sys.exit(f"the adapter defines no {name!r}")


class Unsupported(Exception):
    """Stands in for conformance.Unsupported: the adapter cannot pass a call on."""


sys.modules["conformance"] = sys.modules[__name__]  # so that the adapter's import finds it


def unpack(text, dtype, shape):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)

'''

BESIDE = """
import os

# The adapter looks for files beside itself: run this script in the adapter's folder.
__file__ = os.path.abspath("adapter.py")
"""

ASK = '''
class Question:
    """Asks one implementation on one device; NumPy arrays go in and come out."""

    def __init__(self, offer, device):
        self.offer, self.device, self.framework = offer, device, offer.framework

    def bridge(self, name, default):
        return globals().get(f"{name}_{self.framework}", default)

    def given(self, value):
        to = self.bridge("to", lambda array, device: array)
        return to(value, self.device) if isinstance(value, np.ndarray) else value

    def call(self, function, *arrays, **options):
        with self.bridge("on", lambda device: contextlib.nullcontext())(self.device):
            options = {name: self.given(value) for name, value in options.items()}
            if not self.offer.takes_reduction():  # it reduces in one way
                options.pop("reduction", None)
            answer = function(*map(self.given, arrays), **options)
            return np.asarray(self.bridge("from", np.asarray)(answer))

    def loss(self, logits, target, **options):
        return self.call(self.offer, logits, target, **options)

    def gradient(self, cotangent, logits, target, **options):
        """d <cotangent, loss> / d logits."""
        return self.derivative("vjp")(cotangent, logits, target, **options)

    def derivative(self, name):
        """The adapter's own vjp, jvp, hvp or target_vjp, or that of the framework's autodiff."""
        own, vjp = self.offer.pieces.get(name), self.offer.pieces.get("vjp")
        automatic = self.bridge(name, no_autodiff)
        if own is None and name == "hvp" and vjp is not None:  # the vjp, differentiated
            back = self.bridge("vjp", no_autodiff)

            def own(g, tangent, x, target, **o):
                return back(lambda x, target, **o: vjp(g, x, target, **o), tangent, x, target, **o)

        function = own or (lambda *a, **o: automatic(self.offer, *a, **o))
        return lambda *arrays, **options: self.call(function, *arrays, **options)

    def after_others(self, cotangent, logits, target, **options):
        """The gradient, once more, after forward and backward passes of the negated logits."""

        def ask(g, x, target, **options):
            pull, others = (self.forward(z, target, **options) for z in (x, -x))
            others(g)
            pull(g)
            return pull(g)

        return self.call(ask, cotangent, logits, target, **options)

    def forward(self, x, target, **options):
        own = self.offer.pieces.get("vjp")
        if own is None:
            return self.bridge("pullback", no_autodiff)(self.offer, x, target, **options)
        self.offer(x, target, **options)
        return lambda g: own(g, x, target, **options)


def no_autodiff(*args, **options):
    raise NotImplementedError("no such piece of its own, and no autodiff")


answers = []  # to each question, in order: an array, or a sentence


def show(what, compute, *args, **options):
    try:
        answers.append(compute(*args, **options))
    except Exception as error:
        answers.append(f"raised {type(error).__name__}: {error}")
    print(f"{what:>15}:", answers[-1])


def show_inputs(what, compute, *args, **options):
    arrays = [a for a in (*args, *options.values()) if isinstance(a, np.ndarray)]
    before = [a.tobytes() for a in arrays]
    show(what, compute, *args, **options)
    for array in arrays:
        print("  input after:", array)
    answers.append("modified" if [a.tobytes() for a in arrays] != before else "as it was")


def arrays():
    return [answer for answer in answers if isinstance(answer, np.ndarray)]


def sentences():
    return [answer for answer in answers if isinstance(answer, str)]


def wrong(got, low, high, place=None):
    """Whether the answer that is nearest to the run's is none from low to high."""
    fit = arrays() if place is None else [a for a in arrays() if a.ndim == len(place)]
    if place is not None:
        fit = [a[place] for a in fit if all(i < n for i, n in zip(place, a.shape))]
    values = np.array([float(v) for a in fit for v in np.ravel(a)])
    if not values.size:
        return False
    same = (values == got) | (np.isnan(values) & np.isnan(got))
    nearest = values[np.argmin(np.where(same, -1, np.nan_to_num(abs(values - got), nan=np.inf)))]
    return not (low <= nearest <= high or (np.isnan(low) and np.isnan(nearest)))


def sums():
    """Of each answer the sums along each axis, that of the classes among them."""
    wide = [np.array([float(v) for v in np.ravel(a)]).reshape(a.shape) for a in arrays()]
    return [a.sum(axis) for a in wide for axis in range(a.ndim)]


def among(*numbers, of=arrays):
    """Whether each of the run's numbers is in an answer again, to its six written digits."""
    values = np.array([float(v) for a in of() for v in np.ravel(a)])
    return all(np.isclose(values, n, rtol=1e-5, atol=0, equal_nan=True).any() for n in numbers)


def unlike(rounds):
    """Whether the same questions, asked in rounds, got different answers."""
    said = [a.tobytes() if isinstance(a, np.ndarray) else a for a in answers]
    return any(said[i] != said[i % (len(said) // rounds)] for i in range(len(said)))


def end(shown):
    """Exit with 1 where the answers are as wrong as in the run, with 0 where they are not."""
    print("           here:", "it fails in the same way" if shown else "that did not come again")
    sys.exit(int(shown))

'''
