"""How often each client may ask: a token bucket a client."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_CLIENTS = 10_000


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
