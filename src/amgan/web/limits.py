"""How often each client may ask, and how often it may be wrong: a token bucket a client."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_CLIENTS = 10_000
_WRONG_A_MINUTE = 30
_WRONG_AT_ONCE = 20
_NETWORK_BITS = 64  # of an IPv6 address; one client has all addresses of its network


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass(frozen=True)
class Allowance:
    """What a client may still do.

    Attributes:
        allowed: whether this request is.
        limit: requests that may come at once.
        remaining: requests left now.
        reset: seconds until the bucket is full again.
        retry_after: seconds until the next request is allowed; 0 where this one is.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """Response headers that tell the client."""
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        if not self.allowed:
            headers["Retry-After"] = str(self.retry_after)
        return headers


class RateLimiter:
    """A bucket of `burst` tokens a client, filled with `per_minute` tokens a minute.

    Memory is bounded: past `_MOST_CLIENTS` the client not seen for longest is forgotten.
    """

    def __init__(
        self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert per_minute > 0 and burst > 0
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def peek(self, client: str) -> int:
        """Seconds that `client` would have to wait; counts nothing."""
        bucket = self._buckets.get(client)
        if bucket is None:
            return 0
        tokens = bucket.tokens + (self._clock() - bucket.at) * self._rate
        return 0 if tokens >= 1 else max(1, math.ceil((1 - tokens) / self._rate))

    def take(self, client: str) -> Allowance:
        """Count one request of `client`."""
        now = self._clock()
        bucket = self._buckets.pop(client, None) or _Bucket(float(self._burst), now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        allowed = bucket.tokens >= 1
        if allowed:
            bucket.tokens -= 1
        self._buckets[client] = bucket
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return Allowance(
            allowed,
            self._burst,
            math.floor(bucket.tokens),
            math.ceil((self._burst - bucket.tokens) / self._rate),
            0 if allowed else max(1, math.ceil((1 - bucket.tokens) / self._rate)),
        )


class FailureGuard:
    """Makes addresses wait that send wrong keys; the right key of such an address waits too.

    Otherwise guessing would go on at full speed. A key that was right from there before is taken at
    once, so that one guesser does not shut out those behind the same address.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._wrong = RateLimiter(_WRONG_A_MINUTE, _WRONG_AT_ONCE, clock)
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()

    def seconds_to_wait(self, address: str, name: str | None) -> int:
        """Seconds that a sender of a key has to wait, 0 where it need not.

        Args:
            address: of the sender.
            name: of the key; None for a wrong one.
        """
        if name is None:
            return self._wrong.take(address).retry_after
        pair = (address, name)
        if pair not in self._right:
            wait = self._wrong.peek(address)
            if wait:
                return wait
            self._right[pair] = None
        self._right.move_to_end(pair)
        if len(self._right) > _MOST_CLIENTS:
            self._right.popitem(last=False)
        return 0


def network_of(address: str) -> str:
    """What limits count as one client: an IPv4 address, or an IPv6 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))
