"""Who may ask: API keys in a header, or a session cookie that a key was exchanged for.

A cookie is signed with its key and not stored, so that several processes take each other's. What is
stored is which ones were ended before their time, in this process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence

from fastapi import Request
from pydantic import SecretStr

from amgan.web.errors import ApiError

KEY_HEADER = "X-API-Key"
COOKIE = "amgan_session"
ANONYMOUS = "anonymous"
_MOST_ENDED = 10_000
_NONCE = 16  # characters


class KeyRing:
    """Keys, compared in constant time. With no keys everybody may enter.

    Args:
        keys: the accepted keys.
        session_seconds: how long a cookie stands for its key.
    """

    def __init__(self, keys: Sequence[SecretStr], session_seconds: float) -> None:
        self._digests = [hashlib.sha256(key.get_secret_value().encode()).digest() for key in keys]
        self._session_seconds = session_seconds
        self._ended: dict[str, int] = {}  # signatures of ended sessions, until they expire

    def __bool__(self) -> bool:
        return bool(self._digests)

    def identify(self, request: Request) -> str | None:
        """A short name of the key that a request carries; None without a right one."""
        key = sent_key(request)
        return self.find(key) if key is not None else self.find_session(sent_cookie(request))

    def find(self, key: str) -> str | None:
        """A short name of a key; None for a wrong one."""
        digest = self._find(key)
        return None if digest is None else name_of(digest)

    def find_session(self, cookie: str) -> str | None:
        """A short name of the key that a cookie stands for; None for a wrong or ended one."""
        digest = self._find_session(cookie)
        return None if digest is None else name_of(digest)

    def open_session(self, key: str) -> str | None:
        """Content of a cookie that stands for `key` for a while; None for a wrong key."""
        digest = self._find(key)
        if digest is None:
            return None
        expiry = str(int(time.time() + self._session_seconds))
        nonce = secrets.token_hex(_NONCE // 2)  # so that ending one session leaves the others
        return f"{expiry}.{nonce}{_sign(digest, expiry + nonce)}"

    def end_session(self, cookie: str) -> None:
        """Take a cookie no more; whoever copied it is shut out too."""
        if self._find_session(cookie) is None:
            return
        now = time.time()
        self._ended = {signed: expiry for signed, expiry in self._ended.items() if expiry >= now}
        if len(self._ended) >= _MOST_ENDED:
            self._ended.pop(min(self._ended, key=lambda signed: self._ended[signed]))
        expiry, _, signature = cookie.partition(".")
        self._ended[signature] = int(expiry)

    def _find(self, key: str) -> bytes | None:
        sent = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = None
        for digest in self._digests:  # all of them, so that the time tells nothing
            if hmac.compare_digest(digest, sent):
                found = digest
        return found

    def _find_session(self, cookie: str) -> bytes | None:
        expiry, _, signature = cookie.partition(".")
        if signature in self._ended:
            return None
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) < 15):
            return None
        if int(expiry) < time.time():
            return None
        nonce, sent = signature[:_NONCE], signature[_NONCE:].encode("utf-8", "surrogatepass")
        found = None
        for digest in self._digests:
            if hmac.compare_digest(_sign(digest, expiry + nonce).encode(), sent):
                found = digest
        return found


def sent_key(request: Request) -> str | None:
    """The key in a request's headers."""
    key = request.headers.get(KEY_HEADER)
    if key is not None:
        return key
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def sent_cookie(request: Request) -> str:
    """The session cookie of a request, empty where there is none."""
    return request.cookies.get(COOKIE, "")


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


def _sign(digest: bytes, session: str) -> str:
    content = b"session:" + session.encode("utf-8", "surrogatepass")
    return hmac.new(digest, content, hashlib.sha256).hexdigest()
