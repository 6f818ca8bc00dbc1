"""Request heads: refused where two readers of one could take it for different requests.

A proxy and a server that read a head differently can be made to disagree on where a request ends
(request smuggling). h11 reads some forms that RFC 9112 lets a server refuse; here they are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

LARGEST_HEAD = 32 * 1024  # bytes
_END = b"\r\n\r\n"
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_BARE_RETURN = re.compile(rb"\r(?!\n|$)")
_FOLD = re.compile(rb"\r\n[ \t]")
_ONCE = (b"content-length", b"transfer-encoding", b"host")


@dataclass(frozen=True)
class HeadProblem:
    """Why a head is refused.

    Attributes:
        status: of the answer.
        code: word for programs.
        message: for people.
    """

    status: int
    code: str
    message: str


def check_head(received: bytes) -> HeadProblem | None:
    """What is wrong with a head.

    Args:
        received: from its first byte on, whole or not yet; what follows it may be there too.
    """
    end = received.find(_END)
    head = received if end < 0 else received[:end]
    if len(head) > LARGEST_HEAD:
        return _malformed(f"the head is larger than {LARGEST_HEAD:,} bytes")
    if _BARE_LINE_FEED.search(head) or _BARE_RETURN.search(head):
        return _malformed("end each line of the head with a carriage return and a line feed")
    if _FOLD.search(head):
        return _malformed("write each header on one line")
    return None if end < 0 else _check_lengths(head)


def _check_lengths(head: bytes) -> HeadProblem | None:
    request, *lines = head.split(b"\r\n")
    names = Counter(line.partition(b":")[0].strip().lower() for line in lines)
    for name in _ONCE:
        if names[name] > 1:
            return _malformed(f"send the header {name.decode()} once")
    if names[b"transfer-encoding"]:
        if names[b"content-length"]:
            return _malformed("send Content-Length or Transfer-Encoding, and not both")
        if request.endswith(b"HTTP/1.0"):
            return _malformed("HTTP/1.0 has no Transfer-Encoding; send Content-Length")
    return None


def _malformed(message: str) -> HeadProblem:
    return HeadProblem(400, "bad_request", message)
