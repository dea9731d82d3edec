"""How a replay script asks a harness, a process of its own (docs/protocol.md): source text."""

from __future__ import annotations

PROCESS = '''
import json
import math
import shlex
import subprocess

NAMES = {
    "loss": ("logits", "target"),
    "gradient": ("cotangent", "logits", "target"),
    "jvp": ("tangent", "logits", "target"),
    "hvp": ("cotangent", "tangent", "logits", "target"),
    "target_vjp": ("cotangent", "logits", "target"),
    "softmax": ("logits",),
    "log_softmax": ("logits",),
    "nll_loss": ("log_probabilities", "target"),
}


def harness(name, command, **declaration):
    """Stands in for conformance.harness.  The command runs in the current folder: the adapter's."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(shlex.split(command), stdin=pipe, stdout=pipe)

    def heard():
        return json.loads(process.stdout.readline() or sys.exit("the harness died"))

    def asking(what, names):
        def ask(*arrays, **options):
            arrays = dict(zip(names, arrays))
            if "weight" in options:
                arrays["weight"] = options.pop("weight")
            contents = {n: np.ascontiguousarray(a).tobytes() for n, a in arrays.items()}
            question = {
                "id": 1,
                "ask": what,
                "options": {
                    n: str(v) if isinstance(v, float) and not math.isfinite(v) else v
                    for n, v in options.items()
                },
                "arrays": [
                    dict(name=n, dtype=a.dtype.name, shape=np.shape(a), bytes=len(contents[n]))
                    for n, a in arrays.items()
                ],
            }
            header = json.dumps(question).encode()
            process.stdin.write(b"".join([header, b"\\n", *contents.values()]))
            process.stdin.flush()
            said = heard()
            if "error" in said:
                error = said["error"]
                raise type(error.get("type", "Error"), (Exception,), {})(error["message"])
            dtype = said["dtype"]
            if dtype == "bfloat16":
                from ml_dtypes import bfloat16 as dtype
            return np.frombuffer(process.stdout.read(said["bytes"]), dtype).reshape(said["shape"])

        return ask

    has = heard()["capabilities"]
    offer = implementation(name, options=has["options"])(asking("loss", NAMES["loss"]))
    if has.get("gradient"):
        offer.vjp(asking("gradient", NAMES["gradient"]))
    for piece in (*has.get("stages", ()), *has.get("derivatives", ())):
        made = getattr(offer, piece)(asking(piece, NAMES[piece]))
        if piece in has.get("stages", ()) and has.get("stage_gradients"):
            made.vjp(asking(piece + "_vjp", ("cotangent", *NAMES[piece])))
    return offer

'''
