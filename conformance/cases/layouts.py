"""Memory layouts: the same values behind different strides and flags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LAYOUTS = (
    "contiguous",
    "fortran",
    "class-last",
    "sliced",
    "expanded",
    "reversed",
    "read-only",
)


def lay_out(array: Array, layout: str) -> Array:
    """A fresh array equal to ``array`` in the named layout.

    ``fortran``: column-major.  ``class-last``: (N, C, d1, ..) as a view of (N, d1, .., C), the way
    channels-last images come (contiguous with fewer than three axes).  ``sliced``: every second
    element of a larger buffer along each axis, whose other elements are poison.  ``expanded``:
    stride 0 along the first axis, where all its entries are equal (else contiguous).  ``reversed``:
    negative strides.  ``read-only``: contiguous and not writable.
    """
    if layout == "contiguous" or (array.ndim == 0 and layout in LAYOUTS[:-1]):
        return np.array(array, order="C")
    if layout == "fortran":
        return np.array(array, order="F")
    if layout == "class-last":
        if array.ndim < 3:
            return np.array(array, order="C")
        return np.moveaxis(np.array(np.moveaxis(array, 1, -1), order="C"), -1, 1)
    if layout == "sliced":
        return _sliced(array)
    if layout == "expanded":
        return _expanded(array)
    if layout == "reversed":
        backwards = tuple(slice(None, None, -1) for _ in array.shape)
        return np.array(array[backwards], order="C")[backwards]
    if layout == "read-only":
        fixed = np.array(array, order="C")
        fixed.flags.writeable = False
        return fixed
    raise ValueError(f"unknown layout {layout!r}; known are {', '.join(LAYOUTS)}")


def _sliced(array: Array) -> Array:
    # Whoever reads the gaps instead of the slice meets NaN (floats) or 1 (integers: a valid class,
    # so that the fault is a wrong value and not a lucky error).
    poison = 1 if array.dtype.kind in "iub" else np.nan
    buffer = np.full(tuple(2 * n for n in array.shape), poison, array.dtype)
    every_second = tuple(slice(None, None, 2) for _ in array.shape)
    buffer[every_second] = array
    return buffer[every_second]


def _expanded(array: Array) -> Array:
    if array.ndim == 0 or array.shape[0] < 2:
        return np.array(array)
    first = np.array(array[:1])
    if first.tobytes() * array.shape[0] != array.tobytes():
        return np.array(array)
    spread: Array = np.lib.stride_tricks.as_strided(
        first, array.shape, (0, *first.strides[1:]), writeable=False
    )
    return spread
