"""Attacks on a running server of this project, and what became of each, as a table.

    amgan serve --run run                       # in another window, without keys
    python benchmarks/attacks.py http://127.0.0.1:8000

Only this machine is asked, every loop has a fixed count, and all of it takes a few minutes. A
search by item is made after and, where it matters, during each attack: it has to be answered.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from PIL import Image

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PATIENCE = 60.0


@dataclass(frozen=True)
class Outcome:
    """One attack: what was tried, how often, what happened, and whether that is right."""

    tried: str
    count: int
    result: str
    held: bool


class Target:
    """The server that is attacked.

    Args:
        address: its http address on this machine.
        process: its id, where memory and reloads are to be looked at.
        scale: what all counts are multiplied with.
    """

    def __init__(self, address: str, process: int | None = None, scale: float = 1) -> None:
        parts = urlsplit(address)
        if parts.hostname not in LOOPBACK:
            raise SystemExit(f"{address}: only servers on this machine are attacked")
        self.address, self.process, self.scale = address.rstrip("/"), process, scale
        self.host, self.port = parts.hostname, parts.port or 80
        self.client = httpx.Client(base_url=self.address, timeout=PATIENCE)
        self.item = self.client.get("/v1/items", params={"k": 1}).json()["items"][0]["item_id"]
        self.body = json.dumps({"item_id": self.item, "k": 3}).encode()

    def times(self, count: int) -> int:
        """A count, scaled."""
        return max(2, round(count * self.scale))

    def search(self) -> float | None:
        """Seconds that a search by item takes; None where it is refused."""
        started = time.monotonic()
        with contextlib.suppress(httpx.HTTPError):
            headers = {"Content-Type": "application/json"}
            answer = self.client.post("/v1/search", content=self.body, headers=headers)
            if answer.status_code == 200:
                return time.monotonic() - started
        return None

    def connect(self) -> socket.socket:
        """A connection."""
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def head(self, method: str = "POST", path: str = "/v1/search", more: str = "") -> bytes:
        """The head of a request with JSON."""
        form = "Content-Type: application/json\r\n"
        return f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{form}{more}\r\n".encode()

    def say(self, content: bytes) -> bytes:
        """What the server answers to some bytes, until it closes or says nothing for 2 s."""
        with self.connect() as connection:
            connection.settimeout(2)
            with contextlib.suppress(OSError):
                connection.sendall(content)
            answer = b""
            with contextlib.suppress(OSError):
                while part := connection.recv(65536):
                    answer += part
        return answer

    def memory_mib(self) -> float:
        """Resident memory of the server and of what it has started."""
        if self.process is None:
            return 0
        family = [self.process, *map(int, _children(self.process))]
        return sum(map(_resident, family)) / 2**20


def _children(process: int) -> list[str]:
    file = Path(f"/proc/{process}/task/{process}/children")
    found = []
    for task in file.parent.parent.iterdir() if file.exists() else ():
        found += (task / "children").read_text().split()
    return found


def _resident(process: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGESIZE"
        )
    return 0


@contextlib.contextmanager
def sockets(target: Target, count: int) -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    try:
        opened += [target.connect() for _ in range(count)]
        yield opened
    finally:
        for one in opened:
            one.close()


def told(seconds: float | None) -> str:
    return "refused" if seconds is None else f"answered in {seconds:.1f} s"


def unread_bodies(target: Target) -> Outcome:
    count = target.times(1000)
    with sockets(target, count) as opened:
        for one in opened:
            with contextlib.suppress(OSError):
                one.sendall(target.head("GET", "/health", "Content-Length: 1000\r\n") + b"x")
        searched = target.search()
        time.sleep(4)
        closed = sum(_is_closed(one) for one in opened)
    result = f"a search meanwhile {told(searched)}; {closed} of {count} closed after 4 s"
    return Outcome("declared bodies that do not come", count, result, searched is not None)


def _is_closed(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        while part := one.recv(65536):
            del part
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def unread_answers(target: Target) -> Outcome:
    count = target.times(64)
    with sockets(target, count) as opened:
        length = f"Content-Length: {len(target.body)}\r\n"
        for one in opened:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            for _ in range(20):
                with contextlib.suppress(OSError):
                    one.sendall(target.head(more=length) + target.body)
        time.sleep(2)
        searches = [target.search() for _ in range(5)]
    answered = [seconds for seconds in searches if seconds is not None]
    result = f"{len(answered)} of 5 searches meanwhile answered"
    return Outcome("clients that do not read their answers", count, result, len(answered) == 5)


def progressive_jpeg(scans: int, side: int = 1200) -> bytes:
    """A sound progressive JPEG with empty scans put before its end."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), (90, 20, 30)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    empty = bytes.fromhex("ffda0008010100013f00") + b"\x00"
    return content[:-2] + empty * scans + content[-2:]


def endless_scans(target: Target) -> Outcome:
    count, content = target.times(8), progressive_jpeg(30_000)

    def post(_: int) -> int:
        files = {"picture": ("a.jpg", content)}
        with contextlib.suppress(httpx.HTTPError):
            return httpx.post(
                f"{target.address}/v1/attributes", files=files, timeout=PATIENCE
            ).status_code
        return 0

    with ThreadPoolExecutor(count) as threads:
        sent = [threads.submit(post, place) for place in range(count)]
        time.sleep(0.3)
        searched = target.search()
        codes = Counter(one.result() for one in sent)
    result = f"{_codes(codes)}; a search meanwhile {told(searched)}"
    held = set(codes) == {422} and searched is not None
    return Outcome("progressive JPEGs of 30,000 scans", count, result, held)


def slow_formats(target: Target) -> Outcome:
    pictures = {
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n" + b"%x\n" * 3_000_000,
        "XPM": b"/* XPM */\nstatic char *x[] = {\n" + b'"a",\n' * 1_000_000,
        "IM": b"Image type: RGB image\r\n" + b"a: b\r\n" * 500_000,
        "PNG of a million chunks": b"\x89PNG\r\n\x1a\n"
        + b"\0\0\0\0teXt\xc9\x9e\xdc\x4f" * 1_000_000,
    }
    slowest, codes = 0.0, Counter[int]()
    with ThreadPoolExecutor(1) as threads:
        for content in pictures.values():
            files = {"picture": ("a.png", content)}
            sent = threads.submit(
                httpx.post, f"{target.address}/v1/attributes", files=files, timeout=PATIENCE
            )
            while not sent.done():
                started = time.monotonic()
                target.client.get("/health")
                slowest = max(slowest, time.monotonic() - started)
            codes[sent.result().status_code] += 1
    result = f"{_codes(codes)}; /health answered within {slowest:.1f} s"
    return Outcome(f"{', '.join(pictures)}", len(pictures), result, set(codes) == {422})


def unknown_keys(target: Target) -> Outcome:
    before = target.memory_mib()
    small = b"{" + b",".join(b'"%x":1' % number for number in range(100_000)) + b"}"
    large = b"{" + b",".join(b'"%x":1' % number for number in range(2_500_000)) + b"}"
    headers = {"Content-Type": "application/json"}
    answers = [
        target.client.post("/v1/search", content=content, headers=headers)
        for content in (small, large)
    ]
    codes = Counter(answer.status_code for answer in answers)
    longest = max(len(answer.content) for answer in answers)
    grown = target.memory_mib() - before
    result = f"{_codes(codes)}; longest answer {longest:,} bytes; {grown:.0f} MiB more"
    held = longest < 20_000 and set(codes) <= {413, 422}
    return Outcome(f"unknown JSON fields, up to {len(large) // 2**20} MiB", 2, result, held)


def claimed_canvas(target: Target) -> Outcome:
    count, before = target.times(8), target.memory_mib()
    size = (16_382).to_bytes(3, "little")
    head = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size + size + b"\0" * 16
    content = b"RIFF" + struct.pack("<I", len(head)) + head
    codes = Counter(
        target.client.post("/v1/attributes", files={"picture": ("a.webp", content)}).status_code
        for _ in range(count)
    )
    grown = target.memory_mib() - before
    result = f"{_codes(codes)}; {grown:.0f} MiB more"
    return Outcome(
        f"WebP of {len(content)} bytes that claims 16,383 x 16,383",
        count,
        result,
        set(codes) == {422},
    )


def stalled_uploads(target: Target) -> Outcome:
    count = target.times(10)
    most = target.client.get("/v1/limits").json()["max_body_bytes"]
    with sockets(target, count) as opened:
        form = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {most}\r\n\r\n"
        for one in opened:
            head = f"POST /v1/search HTTP/1.1\r\nHost: {target.host}\r\n{form}".encode()
            part = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
            one.settimeout(5)
            with contextlib.suppress(OSError):
                one.sendall(head + part + b"x" * (most * 7 // 10))
        searches = [target.search() for _ in range(5)]
    answered = sum(seconds is not None for seconds in searches)
    result = f"{answered} of 5 searches meanwhile answered"
    return Outcome("uploads that stall at 70 %", count, result, answered == 5)


def reloads(target: Target) -> Outcome | None:
    if target.process is None or not hasattr(signal, "SIGHUP"):
        return None
    count, sizes = target.times(30), []
    for _ in range(count):
        before = _loads(target)
        os.kill(target.process, signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while _loads(target) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        sizes.append(target.memory_mib())
    settled = sizes[len(sizes) // 3 :]
    grown = (settled[-1] - settled[0]) / max(1, len(settled) - 1)
    result = f"{grown:+.1f} MiB for each, over the last {len(settled)}"
    return Outcome("reloads", count, result, grown < 4)


def _loads(target: Target) -> float:
    text = target.client.get("/metrics").text
    return sum(float(value) for value in re.findall(r"^amgan_reloads_total\S* (\S+)", text, re.M))


def smuggled_heads(target: Target) -> Outcome:
    host = f"Host: {target.host}\r\n"
    heads = {
        "two lengths": f"POST /v1/search HTTP/1.1\r\n{host}Content-Length: 5\r\n"
        "Content-Length: 5\r\n\r\nhello",
        "length and chunks": f"POST /v1/search HTTP/1.1\r\n{host}Content-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "folded": f"GET /health HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n",
        "bare line feeds": f"GET /health HTTP/1.1\nHost: {target.host}\n\n",
        "108 kB": f"GET /health HTTP/1.1\r\n{host}X: {'a' * 108_000}\r\n\r\n",
        "chunks in HTTP/1.0": f"POST /v1/search HTTP/1.0\r\n{host}"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two hosts": f"GET /health HTTP/1.1\r\n{host}Host: other.example\r\n\r\n",
    }
    accepted = [
        name for name, head in heads.items() if b" 400 " not in target.say(head.encode())[:20]
    ]
    result = "all refused" if not accepted else f"taken: {', '.join(accepted)}"
    return Outcome("heads that two readers read differently", len(heads), result, not accepted)


def foreign_hosts(target: Target) -> Outcome:
    hosts = ("attacker.example", "attacker.example:8000", f"{target.host}.attacker.example")
    codes = Counter(
        target.client.get("/v1/schema", headers={"Host": host}).status_code for host in hosts
    )
    moved = target.client.get("/v1/schema/", headers={"Host": f"{target.host}"})
    held = set(codes) == {421} and "location" not in moved.headers
    return Outcome("names of other hosts (rebinding)", len(hosts), _codes(codes), held)


def _codes(codes: Counter[int]) -> str:
    return ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))


ATTACKS: tuple[Callable[[Target], Outcome | None], ...] = (
    unread_bodies,
    unread_answers,
    endless_scans,
    slow_formats,
    unknown_keys,
    claimed_canvas,
    stalled_uploads,
    smuggled_heads,
    foreign_hosts,
    reloads,
)


def run(target: Target) -> list[Outcome]:
    """All attacks, each followed by a search that has to be answered."""
    outcomes = []
    for attack in ATTACKS:
        outcome = attack(target)
        if outcome is None:
            continue
        after = target.search()
        held = outcome.held and after is not None
        outcomes.append(Outcome(outcome.tried, outcome.count, outcome.result, held))
        print(f"{'held ' if held else 'FAILED'} {outcome.tried}: {outcome.result}", file=sys.stderr)
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="of a server on this machine that asks for no key")
    parser.add_argument("--process", type=int, help="its id, to look at memory and reloads")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all counts")
    given = parser.parse_args()
    outcomes = run(Target(given.address, given.process, given.scale))
    print("| Tried | How often | Result |\n|---|---|---|")
    for outcome in outcomes:
        print(f"| {outcome.tried} | {outcome.count:,} | {outcome.result} |")
    return int(not all(outcome.held for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
