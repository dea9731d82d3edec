"""The log-probability of a confident class is 0; logsumexp of the same differences is not."""

import sys

from scipy.special import log_softmax, logsumexp

got, expected = log_softmax([40.0, 0.0])[0], -logsumexp([0.0, -40.0])
print(f"got {got}, expected {expected}")
sys.exit(bool(got == expected))
