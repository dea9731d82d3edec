"""Chainer's softmax cross-entropy with class weights, by which its mean does not divide."""

from conformance import harness

cross_entropy = harness(
    "chainer-weighted",
    "history/chainer.env/bin/python history/chainer_loss.py weighted",
    framework="chainer",
    needs="history/chainer.env/bin/python",
    install="python3.10 -m venv history/chainer.env && "
    "history/chainer.env/bin/pip install 'setuptools<66' wheel && "
    "history/chainer.env/bin/pip install --no-build-isolation -r history/chainer.txt",
)
