"""The content of an answer, unpacked if a server packs it unasked."""

from __future__ import annotations

import zlib

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """
    A body without its content encodings; one that is not known is left as it is.

    :param encoding: the header ``Content-Encoding``; the last one was applied last.
    :param limit: how many bytes to unpack at most.
    :raises zlib.error: if it is not packed as it says.
    """
    for name in reversed(encoding.lower().split(",")):
        if name.strip() in ("gzip", "x-gzip"):
            body = _inflated(body, _GZIP, limit)
        elif name.strip() == "deflate":
            try:
                body = _inflated(body, _ZLIB, limit)
            except zlib.error:  # half of the world leaves the zlib header away
                body = _inflated(body, _RAW, limit)
    return body


def _inflated(body: bytes, kind: int, limit: int) -> bytes:
    return zlib.decompressobj(kind).decompress(body, limit)
