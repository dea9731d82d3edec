"""MXNet's operator softmax_cross_entropy, a sum over rows."""

from conformance import harness

cross_entropy = harness(
    "mxnet-operator",
    "history/mxnet.env/bin/python history/mxnet_loss.py operator",
    framework="mxnet",
    needs="history/mxnet.env/bin/python",
    install="python3.10 -m venv history/mxnet.env && "
    "history/mxnet.env/bin/pip install -r history/mxnet.txt",
)
