"""Chainer's softmax cross-entropy that can be differentiated twice."""

from conformance import harness

cross_entropy = harness(
    "chainer-double",
    "history/chainer.env/bin/python history/chainer_loss.py double",
    framework="chainer",
    needs="history/chainer.env/bin/python",
    install="python3.10 -m venv history/chainer.env && "
    "history/chainer.env/bin/pip install 'setuptools<66' wheel && "
    "history/chainer.env/bin/pip install --no-build-isolation -r history/chainer.txt",
)
