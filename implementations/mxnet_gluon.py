"""MXNet's loss in Gluon, as history: it was given up in 2023."""

from conformance import harness

cross_entropy = harness(
    "mxnet-gluon",
    "history/mxnet.env/bin/python history/mxnet_loss.py gluon",
    framework="mxnet",
    needs="history/mxnet.env/bin/python",
    install="python3.10 -m venv history/mxnet.env && "
    "history/mxnet.env/bin/pip install -r history/mxnet.txt",
)
