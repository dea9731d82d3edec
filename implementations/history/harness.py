"""The protocol of docs/protocol.md, for libraries whose Python is too old for the suite.

``serve(hello, **answers)`` reads questions and writes answers.  ``loss(arrays, options)`` gets
arrays by name, and returns one; so do the others.  It needs NumPy alone, and Python 3.6.
"""

import json
import os
import sys

import numpy as np

BYTES = {"bfloat16": "<u2", "bool": "?"}
NAMED = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
"""JSON has names for what is not finite."""
LONGEST = 5000
"""Of a message: a line has 65,536 bytes, a character in JSON has 12 at most."""


def serve(hello, **answers):
    """Say hello, and answer until standard input ends."""
    questions, output = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not come between

    def send(header, content=b""):
        output.write(json.dumps(header).encode() + b"\n" + content)
        output.flush()

    def array(content, name, dtype, shape, bytes):
        kind = BYTES.get(dtype) or np.dtype(dtype).newbyteorder("<")
        return name, np.frombuffer(content, kind).reshape(shape).copy()

    send(dict(hello, protocol=1))
    for line in questions:
        question = json.loads(line.decode())
        described = [(about, questions.read(about["bytes"])) for about in question["arrays"]]
        options = question["options"]
        smoothing = options.get("label_smoothing")
        if smoothing in NAMED:
            options["label_smoothing"] = NAMED[smoothing]
        try:
            arrays = dict(array(content, **about) for about, content in described)
            answer = np.asarray(answers[question["ask"]](arrays, options))
        except Exception as error:
            said = {"kind": "raised", "type": type(error).__name__}
            said["message"] = str(error)[:LONGEST]
            send({"id": question["id"], "error": said})
            continue
        content = answer.tobytes()
        about = {"dtype": answer.dtype.name, "shape": answer.shape, "bytes": len(content)}
        send(dict(about, id=question["id"]), content)
