"""A harness in Python, which misbehaves as its argument says: ``python harness_in_python.py WAY``.

It stands on docs/protocol.md alone.  The loss is the sum of the logits, the gradient the cotangent
for each of them; where a label is -1 it does what it is called for.  ``WAY later`` gives it a form
that is fit to be judged, and what it is called for it does where the logits are not (3, 4).
"""

import json
import os
import signal
import sys
import time

import numpy as np

WAY = sys.argv[1] if len(sys.argv) > 1 else "well"
LATER = "later" in sys.argv
COUNTED = {"float32": "<f4", "float64": "<f8", "int64": "<i8"}
BYTES = {"bfloat16": "<u2"} | COUNTED


def send(header, content=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode() + b"\n"
    sys.stdout.buffer.write(text + content)
    sys.stdout.buffer.flush()


def answer(number, array, **said):
    content = array.tobytes()
    header = {"id": number, "dtype": array.dtype.name, "shape": array.shape, "bytes": len(content)}
    send(header | said, content)


def misbehave(number):
    """What the way of the same name does instead of answering."""
    one = np.ones((), "<f8")
    match WAY:
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leaves":
            sys.exit(3)
        case "leaves-halfway":
            send(b'{"id": 1, "dty')
            sys.exit(3)
        case "leaves-in-the-array":
            send({"id": number, "dtype": "float64", "shape": [2], "bytes": 16}, b"1234")
            os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            time.sleep(1000)
        case "eats":
            sys.eaten = np.ones(2**29 // 8)
            time.sleep(1000)
        case "closes":
            os.close(1)
            time.sleep(1000)
        case "noise":
            send(b"Loading the model ...\n")
            answer(number, one)
        case "no-end":
            send(b"x" * 100_000)
            time.sleep(1000)
        case "other-length":
            answer(number, one, bytes=4)
        case "huge":
            send({"id": number, "dtype": "float64", "shape": [2**40], "bytes": 2**43})
        case "negative":
            answer(number, one, shape=[-1])
        case "half-a-shape":
            answer(number, one, shape=[0.5])
        case "unknown-dtype":
            answer(number, one, dtype="complex128")
        case "not-a-number":
            send(b'{"id": %d, "dtype": "float64", "shape": [], "bytes": NaN}\n' % number)
        case "not-an-object":
            send(b"[]\n")
        case "not-text":
            send(b"\xff\xfe\n")
        case "another-question":
            answer(number + 1, one)
        case "raises":
            error = {"kind": "raised", "type": "DomainError", "message": "no such class"}
            send({"id": number, "error": error})
        case "unsupported":
            send({"id": number, "error": {"kind": "unsupported", "message": "no labels below 0"}})
        case "whatever":
            send({"id": number, "error": {"kind": "whatever", "message": "?"}})
        case _:
            answer(number, one)


def hello():
    capabilities = {
        "dtypes": ["float64", "bfloat16"],
        "options": ["weight", "label_smoothing", "ignore_index", "reduction"],
        "gradient": True,
        "stages": ["softmax", "nll_loss"],
        "stage_gradients": True,
    }
    if LATER:
        capabilities = {"dtypes": ["float64"], "options": [], "reductions": ["sum"]}
    said = {"protocol": 1, "name": "in-python", "version": "1.2", "distribution": "harness"}
    match WAY:
        case "silent":
            sys.exit(7)
        case "mute":
            time.sleep(1000)
        case "talks":
            print("Welcome!", flush=True)
        case "of-tomorrow":
            said["protocol"] = 2
        case "nameless":
            said["name"] = "In Python!"
        case "no-such-option":
            capabilities["options"] = ["wieght"]
        case "changes":
            said["version"] = str(os.getpid())
    send(said | {"capabilities": capabilities})


def main():
    hello()
    print("listening", file=sys.stderr, flush=True)
    while line := sys.stdin.buffer.readline():
        question = json.loads(line)
        arrays = {}
        for array in question["arrays"]:
            content = sys.stdin.buffer.read(array["bytes"])
            value = np.frombuffer(content, BYTES[array["dtype"]])
            arrays[array["name"]] = (array["dtype"], value.reshape(array["shape"]))
        dtype, first = arrays[question["arrays"][0]["name"]]
        if LATER:
            print(os.getpid(), "asked", first.shape, file=sys.stderr, flush=True)
        if (LATER and first.shape != (3, 4)) or np.any(arrays.get("target", [0, 0])[1] == -1):
            misbehave(question["id"])
        elif WAY == "echo":  # the first array as it came, bit by bit
            answer(question["id"], first, dtype=dtype)
        elif WAY == "tells":  # what else was asked, as an error
            said = {"ask": question["ask"], "options": question["options"], "has": list(arrays)}
            error = {"kind": "raised", "type": "Told", "message": json.dumps(said)}
            send({"id": question["id"], "error": error})
        elif question["ask"] == "gradient":
            x = arrays["logits"][1]
            answer(question["id"], np.full(x.shape, float(first), "<f8"))
        else:
            answer(question["id"], np.array(first.sum(), "<f8"))


main()
