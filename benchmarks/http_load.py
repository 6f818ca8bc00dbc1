"""`amgan serve` under load: requests a second, latency and failures at several numbers of clients.

    python benchmarks/http_load.py                        2,000 items; 1, 8 and 64 clients
    python benchmarks/http_load.py --items 50000 --clients 1 16 --seconds 20
    python benchmarks/http_load.py --json http.json

The server is a process of its own at its default settings, with a gallery of rendered garments
and an untrained small model (64 x 64). A client sends its next request when it has the answer to
its last one. Clients run on this machine too, in one process: where they share the server's cores,
the requests a second are a lower bound, and the server's own time a request says more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from amgan.catalogue.studio import STUDIO_SCHEMA, write_studio_catalogue
from amgan.catalogue.table import TableLayout, load_table
from amgan.devices import choose_compute
from amgan.evaluation.report import commit_id, machine_description
from amgan.gallery.store import build_gallery
from amgan.methods.trained import TrainedModel
from speed import describe

K = 12
UPLOADS = 64
Request = dict[str, Any]


def write_gallery(folder: Path, items: int) -> tuple[Path, list[str]]:
    """A gallery folder, and the ids of its items."""
    model = TrainedModel(describe("amgan-p").build(), describe("amgan-p"), choose_compute())
    table = write_studio_catalogue(folder / "catalogue", items, seed=0)
    layout = TableLayout(attributes=STUDIO_SCHEMA.names, item_id="item_id")
    catalogue, _ = load_table(table, layout, schema=STUDIO_SCHEMA, check_pictures=False)
    build_gallery(folder / "gallery", model, catalogue)
    return folder / "gallery", list(catalogue.item_ids)


def draw_requests(folder: Path, ids: list[str]) -> dict[str, list[Request]]:
    """Searches by item, and by a picture that is not in the gallery, each with one change."""
    rng = np.random.default_rng(1)
    write_studio_catalogue(folder / "uploads", UPLOADS, seed=1)
    pictures = sorted(path for path in (folder / "uploads" / "images").rglob("*.*"))

    def change() -> dict[str, str]:
        attribute = STUDIO_SCHEMA.attributes[rng.integers(len(STUDIO_SCHEMA.attributes))]
        return {attribute.name: str(rng.choice(attribute.values))}

    by_item = [
        {"json": {"item_id": ids[rng.integers(len(ids))], "changes": change(), "k": K}}
        for _ in range(1000)
    ]
    by_picture = [
        {
            "files": {"picture": (picture.name, picture.read_bytes())},
            "data": {"query": json.dumps({"changes": change(), "k": K})},
        }
        for picture in pictures
    ]
    return {"upload": by_picture, "item": by_item}


@contextmanager
def serving(gallery: Path, log: Path) -> Iterator[str]:
    """The address of a server that is ready; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AMGAN_")}
    command = [sys.executable, "-m", "amgan", "serve", "-g", str(gallery), "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(address, process, log)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not become ready:\n{log.read_text()[-2000:]}")


async def load(
    address: str, requests: list[Request], clients: int, seconds: float
) -> dict[str, Any]:
    """Load the server with `clients` that each wait for an answer before they ask again."""
    latencies: list[float] = []
    failures: Counter[str] = Counter()
    plain = httpx.create_ssl_context(verify=False)  # unused, but slow to make for each client

    async def ask(http: httpx.AsyncClient, position: int) -> None:
        start = time.perf_counter()
        try:
            answer = await http.post("/v1/search", **requests[position % len(requests)])
        except httpx.TransportError as error:
            failures[type(error).__name__] += 1
            return
        if answer.status_code != 200 or len(answer.json()["hits"]) != K:
            failures[str(answer.status_code)] += 1
            return
        latencies.append(time.perf_counter() - start)

    async def client(number: int, end: float) -> None:
        # A connection of its own: httpx looks through all connections of a shared pool each time.
        async with httpx.AsyncClient(base_url=address, verify=plain, timeout=60) as http:
            position = number * 17
            while time.perf_counter() < end:
                await ask(http, position)
                position += 1

    async def all_clients(duration: float) -> None:
        end = time.perf_counter() + duration
        await asyncio.gather(*(client(number, end) for number in range(clients)))

    await all_clients(1)  # warm-up
    latencies.clear()
    failures.clear()
    before, start, own = server_seconds(address), time.perf_counter(), time.process_time()
    await all_clients(seconds)
    took, own = time.perf_counter() - start, time.process_time() - own
    used = server_seconds(address) - before
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000 if latencies else (np.nan, np.nan)
    total = len(latencies) + failures.total()
    return {
        "clients": clients,
        "requests": total,
        "requests_per_second": len(latencies) / took,
        "p50_ms": p50,
        "p99_ms": p99,
        "failures": dict(failures),
        "server_cpu_ms_a_request": 1000 * used / max(1, total),
        "client_cpu_ms_a_request": 1000 * own / max(1, total),
    }


def server_seconds(address: str) -> float:
    """Processor time that the server has used so far."""
    text = httpx.get(f"{address}/metrics").text
    found = re.search(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine_description(), "commit": commit_id()}
    with tempfile.TemporaryDirectory(prefix="amgan-http-") as name:
        folder = Path(name)
        gallery, ids = write_gallery(folder, given.items)
        figures["items"] = len(ids)
        with serving(gallery, folder / "server.log") as address:
            for kind, requests in draw_requests(folder, ids).items():
                rows = figures[kind] = []
                for clients in given.clients:
                    rows.append(asyncio.run(load(address, requests, clients, given.seconds)))
                    print(json.dumps({kind: rows[-1]}, default=float), flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
