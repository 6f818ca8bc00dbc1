"""The server as a process: slow and many connections, signals, logs."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from PIL import Image

from amgan.gallery.store import build_gallery
from amgan.methods.trained import TrainedModel
from amgan.web.listening import address_to_open, listen
from amgan.web.logs import configure_logs, logger

KEY = "0123456789abcdefghij"
LARGE_PICTURE_MIB = 1300


@pytest.fixture(scope="module")
def served(start_server: Any) -> Any:
    return start_server(
        header_timeout=1, body_timeout=2, keep_alive_timeout=1, max_connections=24, api_keys=KEY
    )


def connect(served: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=60)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    content = b""
    try:
        while part := connection.recv(65536):
            content += part
    except ConnectionResetError:
        pass
    return content


@pytest.fixture
def connection(served: Any) -> Iterator[socket.socket]:
    with connect(served) as opened:
        yield opened


HEAD = (
    f"POST /v1/search HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
)
BODY = b'{"item_id": "item-001", "k": 1}'


def test_a_head_that_does_not_come_is_not_waited_for(connection: socket.socket) -> None:
    started = time.monotonic()
    connection.sendall(b"GET /health HTTP/1.1\r\nHost:")
    assert read_all(connection) == b""
    assert time.monotonic() - started < 30


def test_a_second_head_that_does_not_come_is_not_waited_for(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    started = time.monotonic()
    connection.sendall(b"GET /hea")
    assert b"HTTP" not in read_all(connection)
    assert time.monotonic() - started < 30


def test_an_idle_connection_is_closed(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read_all(connection).startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_is_answered_and_closed(connection: socket.socket) -> None:
    connection.sendall(f"{HEAD}Content-Length: 100\r\n\r\n".encode() + b'{"k"')
    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "timeout"


def test_what_is_not_http_gets_the_one_shape(connection: socket.socket) -> None:
    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"


def test_a_head_without_end_is_refused(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-A: " + b"a" * 70_000)
    assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_many_silent_connections_keep_nobody_out(served: Any) -> None:
    silent = [connect(served) for _ in range(200)]
    try:
        for connection in silent[::2]:
            with contextlib.suppress(OSError):  # already closed to make room
                connection.sendall(b"GET /hea")
        response = httpx.post(
            f"{served.address}/v1/search",
            content=BODY,
            headers={"X-API-Key": KEY, "Content-Type": "application/json"},
            timeout=60,
        )
        assert response.status_code == 200
    finally:
        for connection in silent:
            connection.close()


def test_requests_on_one_connection_are_answered_in_order(served: Any) -> None:
    with connect(served) as connection:
        whole = f"{HEAD}Content-Length: {len(BODY)}\r\n".encode()
        first = whole + b"X-Request-ID: first\r\n\r\n" + BODY
        second = whole + b"X-Request-ID: second\r\n\r\n" + BODY
        connection.sendall(first + second)
        answer = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200"]
    assert answer.index(b"x-request-id: first") < answer.index(b"x-request-id: second")


def test_logs_are_json_with_ids_and_hold_no_secrets(served: Any) -> None:
    words = "in unmistakable words"
    with httpx.Client(base_url=served.address, timeout=60) as client:
        for headers in ({"X-API-Key": KEY}, {"X-API-Key": "wrong-key-of-mine"}):
            client.post(
                "/v1/search?secret=query",
                json={"item_id": "item-001", "words": words},
                headers=headers | {"X-Request-ID": "a-known-id"},
            )
        client.post("/v1/session", json={"key": KEY})
        client.get("/v1/pictures?id=item-001", headers={"X-API-Key": KEY})
    lines = [line for line in served.lines() if line.get("request_id") == "a-known-id"]
    assert [line["status"] for line in lines if line["event"] == "request"] == [200, 401]
    text = served.log.read_text()
    for secret in (KEY, "wrong-key-of-mine", words, "secret=query", "item-001", "amgan_session"):
        assert secret not in text


def test_hangup_reloads_and_terminate_finishes_what_was_begun(
    start_server: Any,
    tmp_path: Path,
    shape_tools: Any,
    shape_model: TrainedModel,
) -> None:
    gallery = tmp_path / "gallery"
    build_gallery(gallery, shape_model, shape_tools.write_shapes(tmp_path / "a", 12))
    served = start_server(gallery=gallery)
    assert httpx.get(f"{served.address}/ready", timeout=60).json()["items"] == 12
    build_gallery(gallery, shape_model, shape_tools.write_shapes(tmp_path / "b", 7, 2))
    served.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while httpx.get(f"{served.address}/ready", timeout=60).json()["items"] != 7:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with connect(served) as connection:
        head = HEAD.encode() + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
        connection.sendall(head + BODY[:10])
        time.sleep(0.5)  # the head has to be read before the signal
        served.process.send_signal(signal.SIGTERM)
        served.wait_for("Shutting down")
        connection.sendall(BODY[10:])
        assert read_all(connection).startswith(b"HTTP/1.1 200")
    # After its orderly end it dies of the signal, so that its parent can tell why.
    assert served.process.wait(60) == -signal.SIGTERM
    assert "stopped" in [line["event"] for line in served.lines()]


def test_failing_to_begin_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "amgan", "serve", "--run", str(tmp_path), "--port", "0"],
        env=os.environ | {"AMGAN_LOG_LEVEL": "error"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    gallery = tmp_path / "gallery"
    assert done.stderr.splitlines()[-1].startswith(f"error: {gallery}: no gallery here")


def begin(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`amgan serve`, which has to stop by itself."""
    return subprocess.run(
        [sys.executable, "-m", "amgan", "serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_nothing_claims_to_be_up_that_cannot_be(shop: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        in_use = begin("--run", shop, "--port", port)
    wrong_run = begin("--run", tmp_path, "--gallery", shop / "gallery", "--port", 0)
    wrong_gallery = begin("--run", shop, "--gallery", tmp_path, "--port", 0)
    for done, said in (
        (in_use, f"error: port {port} is in use on 127.0.0.1; give another one with --port N"),
        (wrong_run, f"error: {tmp_path}: no model here"),
        (wrong_gallery, f"error: {tmp_path}: no gallery here"),
        (begin("--run", shop, "--host", "no-such-host.invalid"), "error: cannot listen on host"),
    ):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(said), done.stderr
        assert done.stderr.count("\n") == 1


def test_the_page_is_named_and_opened_once_searches_are_answered(
    shop: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "amgan", "serve", "--run", str(shop), "--port", "0"]
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    with subprocess.Popen(
        [*command, "--browser"],
        env=os.environ | {"BROWSER": str(browser)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        found = re.fullmatch(r"Search page: (http://127\.0\.0\.1:\d+)\n", said)
        assert found, said
        assert httpx.get(f"{found.group(1)}/ready", timeout=60).status_code == 200
        deadline = time.monotonic() + 60
        while not opened.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert opened.read_text().strip() == found.group(1)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        log = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert any(found.group(1) == line.get("address") for line in log)


@pytest.mark.parametrize("terminal", [True, False])
def test_logs_are_for_people_on_a_terminal(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", stderr)
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logs("info", "auto")
        logger().info("said")
    finally:
        structlog.configure(**before)
        root.handlers, root.level = handlers, level
    assert stderr.getvalue().startswith("{") != terminal


def test_an_address_for_everybody_is_shown_as_this_machine() -> None:
    for host, name in (("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1")):
        sockets = listen(host, 0)
        assert address_to_open(host, sockets).startswith(f"http://{name}:")
        for opened in sockets:
            opened.close()


def test_answers_leave_at_once() -> None:
    """A connection that waits for acknowledgements (Nagle) costs 40 ms a request."""

    async def connect() -> bool:
        connected: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            connected.set_result(bool(option))
            writer.close()

        (opened,) = listen("127.0.0.1", 0)
        async with await asyncio.start_server(note, sock=opened) as server:
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            sent_at_once = await asyncio.wait_for(connected, 10)
            writer.close()
        return sent_at_once

    assert asyncio.run(connect())


def peak_mib(served: Any) -> float:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def test_large_pictures_at_once_stay_within_memory(start_server: Any) -> None:
    """Each is 45 million pixels with transparency, the most expensive kind to flatten."""
    served = start_server(request_timeout=300)
    file = io.BytesIO()
    Image.new("RGBA", (9000, 5000), (200, 30, 30, 99)).save(file, "PNG", compress_level=1)
    before = peak_mib(served)

    def post(_: int) -> int:
        files = {"picture": ("a.png", file.getvalue())}
        answer = httpx.post(f"{served.address}/v1/attributes", files=files, timeout=300)
        return answer.status_code

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(post, range(6))) == [200] * 6
    assert peak_mib(served) - before < LARGE_PICTURE_MIB


def test_slow_and_broken_connections_leave_nothing_behind(start_server: Any) -> None:
    served = start_server(header_timeout=1, body_timeout=1, keep_alive_timeout=1)
    before = len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))
    for round_ in range(4):
        opened = [connect(served) for _ in range(250)]
        for place, connection in enumerate(opened):
            with contextlib.suppress(OSError):
                if place % 4 == 0:
                    connection.sendall(b"POST /v1/search HTTP/1.1\r\nContent-")
                elif place % 4 == 1:
                    connection.sendall(HEAD.encode() + b"Content-Length: 99\r\n\r\n{")
                elif place % 4 == 2:
                    connection.sendall(HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n5\r\n")
        query = {"item_id": "item-001", "k": 1}
        answer = httpx.post(f"{served.address}/v1/search", json=query, timeout=60)
        assert answer.status_code == 200, round_
        for connection in opened:
            connection.close()
    deadline = time.monotonic() + 60
    while len(list(Path(f"/proc/{served.process.pid}/fd").iterdir())) > before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert not [line for line in served.lines() if line.get("status", 0) >= 500]
