"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one server; each server has its own registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.requests = Counter(
            "amgan_http_requests",
            "Answered requests.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "amgan_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "amgan_requests_in_progress", "Requests being worked on.", registry=registry
        )
        self.refused = Counter(
            "amgan_requests_refused",
            "Requests refused, by error code.",
            ("code",),
            registry=registry,
        )
        self.part_seconds = Histogram(
            "amgan_search_part_seconds",
            "Time of each part of a search.",
            ("part",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.batches = Histogram(
            "amgan_model_batch_size",
            "Queries that went through the model together.",
            buckets=_BATCHES,
            registry=registry,
        )
        self._tell_gallery(registry)

    def _tell_gallery(self, registry: CollectorRegistry) -> None:
        """The metrics of what is in use."""
        self.gallery_items = Gauge(
            "amgan_gallery_items", "Items that can be found.", registry=registry
        )
        self.missing_pictures = Gauge(
            "amgan_missing_pictures",
            "Items whose picture is not there, or lies outside of the folder of pictures.",
            registry=registry,
        )
        self.gallery_verified = Gauge(
            "amgan_gallery_verified",
            "1 where the files in use were compared with the SHA-256 they were written with.",
            registry=registry,
        )
        self.newest_unusable = Gauge(
            "amgan_newest_unusable",
            "1 where the last load failed, so that an older gallery, or none, is in use.",
            registry=registry,
        )
        self.loaded = Gauge(
            "amgan_loaded_info",
            "1 for the model and gallery in use.",
            ("model", "method", "gallery", "version"),
            registry=registry,
        )
        self.loaded_at = Gauge(
            "amgan_loaded_timestamp_seconds", "When they were opened.", registry=registry
        )
        self.reloads = Counter(
            "amgan_reloads", "Reloads of model and gallery.", ("outcome",), registry=registry
        )

    def observe_parts(self, seconds: Mapping[str, float]) -> None:
        """Record the time of a search's parts."""
        for part, value in seconds.items():
            self.part_seconds.labels(part).observe(value)

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
