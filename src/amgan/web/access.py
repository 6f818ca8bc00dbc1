"""Who may ask: API keys in a header, or a session cookie that a key was exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence

from fastapi import Request
from pydantic import SecretStr

from amgan.web.errors import ApiError

KEY_HEADER = "X-API-Key"
COOKIE = "amgan_session"
ANONYMOUS = "anonymous"


class KeyRing:
    """Keys, compared in constant time. With no keys everybody may enter.

    Args:
        keys: the accepted keys.
        session_seconds: how long a cookie stands for its key.
    """

    def __init__(self, keys: Sequence[SecretStr], session_seconds: float) -> None:
        self._digests = [hashlib.sha256(key.get_secret_value().encode()).digest() for key in keys]
        self._session_seconds = session_seconds

    def __bool__(self) -> bool:
        return bool(self._digests)

    def identify(self, request: Request) -> str | None:
        """A short name of the key that the request carries; None without a right one."""
        sent = sent_key(request)
        if sent is not None:
            digest = self._find(sent)
        else:
            digest = self._find_session(request.cookies.get(COOKIE, ""))
        return None if digest is None else name_of(digest)

    def open_session(self, key: str) -> str | None:
        """Content of a cookie that stands for `key` for a while; None for a wrong key."""
        digest = self._find(key)
        if digest is None:
            return None
        expiry = str(int(time.time() + self._session_seconds))
        return f"{expiry}.{_sign(digest, expiry)}"

    def _find(self, key: str) -> bytes | None:
        sent = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = None
        for digest in self._digests:  # all of them, so that the time tells nothing
            if hmac.compare_digest(digest, sent):
                found = digest
        return found

    def _find_session(self, cookie: str) -> bytes | None:
        expiry, _, signature = cookie.partition(".")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) < 15):
            return None
        if int(expiry) < time.time():
            return None
        sent = signature.encode("utf-8", "surrogatepass")
        found = None
        for digest in self._digests:
            if hmac.compare_digest(_sign(digest, expiry).encode(), sent):
                found = digest
        return found


def sent_key(request: Request) -> str | None:
    """The key in a request's headers."""
    key = request.headers.get(KEY_HEADER)
    if key is not None:
        return key
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def name_of(digest: bytes) -> str:
    """How logs and rate limits call a key; does not tell the key."""
    return f"key:{hashlib.sha256(digest).hexdigest()[:8]}"


def key_missing() -> ApiError:
    """Error for a request without a right key."""
    return ApiError(
        401,
        "unauthorized",
        f"send a valid key in the header {KEY_HEADER}, or as Authorization: Bearer KEY",
        headers={"WWW-Authenticate": 'Bearer realm="amgan"'},
    )


def _sign(digest: bytes, expiry: str) -> str:
    return hmac.new(digest, b"session:" + expiry.encode(), hashlib.sha256).hexdigest()
