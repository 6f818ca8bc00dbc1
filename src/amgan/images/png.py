"""PNG files without what does not decide their pixels."""

from __future__ import annotations

import struct
import zlib

Colour = tuple[int, ...]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
_GREY, _RGB = 0, 2


class TooManyChunksError(ValueError):
    """A PNG file cut into so many pieces that reading them takes longer than decoding."""


def keep_what_shows(content: bytes) -> tuple[bytes, Colour | None]:
    """A PNG file without texts, profiles and animation, and the colour that is transparent.

    Text and profiles can be larger than a decoder allows, or damaged, beside a sound picture.

    Returns:
        The file, and a colour (1 or 3 levels, of 8 bits; of 16 for grey of 16 bits) where the
        decoder's own reading of it would be wrong: where a level has not 8 bits. Then the file does
        not hold it any more.

    Raises:
        TooManyChunksError: more than `MAX_CHUNKS`.
    """
    parts = [SIGNATURE]
    place, depth, kind = len(SIGNATURE), 8, -1
    key: Colour | None = None
    for _ in range(MAX_CHUNKS):
        head = content[place : place + 8]
        end = place + 12 + int.from_bytes(head[:4])
        name = head[4:8]
        if len(head) < 8 or end > len(content):
            parts.append(content[place:])  # cut off: the decoder says so
            break
        if name == b"IHDR" and end - place == 25:
            depth, kind = content[place + 16], content[place + 17]
        if name == b"tRNS" and depth != 8 and kind in (_GREY, _RGB):
            key = _scaled(content[place + 8 : end - 4], depth, kind)
        elif _is_needed(name) or (name == b"eXIf" and _is_sound(content, place, end)):
            parts.append(content[place:end])
        if name == b"IEND":
            break
        place = end
    else:
        raise TooManyChunksError(f"has more than {MAX_CHUNKS:,} chunks")
    return b"".join(parts), key


def _is_needed(name: bytes) -> bool:
    """Whether the pixels cannot be told without a chunk: one in upper case, or transparency."""
    return name[:1].isupper() or name == b"tRNS"


def _is_sound(content: bytes, place: int, end: int) -> bool:
    return zlib.crc32(content[place + 4 : end - 4]) == int.from_bytes(content[end - 4 : end])


def _scaled(body: bytes, depth: int, kind: int) -> Colour | None:
    """The colour on the scale of the decoded picture; None where the chunk is damaged."""
    count = 1 if kind == _GREY else 3
    if len(body) != 2 * count:
        return None
    levels = struct.unpack(f">{count}H", body)
    if depth == 16:
        return levels if kind == _GREY else tuple(level >> 8 for level in levels)
    return tuple(level * 255 // (2**depth - 1) for level in levels)
