"""Files of records, plain or compressed by xz: told by their first bytes, whatever their name is.

A compressed file is read as a stream.  What a stranger's takes is bounded: the memory to inflate
it, and what it may become, by its own size; how much may be read in all is for the reader to say.
"""

from __future__ import annotations

import io
import lzma
from pathlib import Path
from typing import Any, BinaryIO

from conformance.errors import RecordsError

SUFFIX = ".xz"
_MAGIC = b"\xfd7zXZ\x00"

MEMORY = 128 * 2**20
"""Bytes that inflating may take; what xz -9 has made takes half of that."""

RATIO = 1000
"""How many times its size a file may become, past ``SLACK``: records of nothing reach 400."""
SLACK = 16 * 2**20

_LARGEST_WINDOW = 64 * 2**20
_CHUNK = 2**16


class CutError(RecordsError):
    """A compressed file that ends in the middle; what was read of it until then is true."""


def opened(path: Path) -> BinaryIO:
    """The content of a file from its beginning, inflated if need be.

    ``OSError`` where it cannot be read.  Reading on raises ``CutError`` where a compressed file
    ends too soon, and ``RecordsError`` where it is broken, or becomes too large.
    """
    file = path.open("rb")
    try:
        if file.peek(len(_MAGIC))[: len(_MAGIC)] == _MAGIC:
            return io.BufferedReader(_Inflated(file, path), _CHUNK)
    except BaseException:
        file.close()
        raise
    return file


def packed(content: bytes) -> bytes:
    """The content compressed: with the same xz, the same bytes at any time."""
    window = min(_LARGEST_WINDOW, max(4096, 1 << len(content).bit_length()))
    method = {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": window,  # no larger than needed: packing takes ten times as much memory
    }
    return lzma.compress(content, filters=[method])


class _Inflated(io.RawIOBase):
    """The content of one xz stream."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._inflater = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
        self._read = self._written = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._inflater.eof:
            data = self._more(len(buffer))
        if not data and (self._inflater.unused_data or self._file.read(1)):
            raise RecordsError(f"{self._path}: something stands after the end of its xz stream")
        buffer[: len(data)] = data
        return len(data)

    def _more(self, most: int) -> bytes:
        chunk = self._file.read(_CHUNK) if self._inflater.needs_input else b""
        if self._inflater.needs_input and not chunk:
            raise CutError(f"{self._path}: cut off in the middle of its xz stream; fetch it again")
        self._read += len(chunk)
        try:
            data = self._inflater.decompress(chunk, most)
        except lzma.LZMAError as error:
            raise RecordsError(f"{self._path}: a broken xz stream: {error}") from None
        self._written += len(data)
        if self._written > SLACK + RATIO * self._read:
            raise RecordsError(
                f"{self._path}: becomes more than {RATIO} times as large when it is inflated, "
                "as no records do"
            )
        return data
