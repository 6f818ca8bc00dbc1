"""What the tests of the page share."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
OpenPage = Callable[..., Page]


def wait_for_results(page: Page) -> None:
    page.wait_for_selector(".results:not([aria-busy]) .card-link img, .notice")


def cards(page: Page) -> list[str]:
    """Ids of the items shown."""
    return [
        address.partition("item=")[2].partition("&")[0]
        for link in page.query_selector_all(".card-link")
        if (address := link.get_attribute("href"))
    ]
