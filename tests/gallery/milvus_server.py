"""A real Milvus server for tests, started without containers and shut off from the network.

The server of PyPI's package `milvus` listens on all interfaces. It is started in a network
namespace of its own, and reached through a Unix socket: a relay in the namespace passes the
socket's connections on to the server, another outside passes 127.0.0.1's on to the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

_PATIENCE_S = 240


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def _to_server(port: int):
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    return relay


class MilvusProcess:
    """A server on a folder of its own; `start` may be called again after `kill`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._socket = folder / "relay.sock"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._process: subprocess.Popen[str] | None = None

    @staticmethod
    def why_not() -> str | None:
        """Why a server cannot be started here, or None."""
        if importlib.util.find_spec("milvus") is None:
            return "PyPI's package milvus (the server, 2.3.5) is not installed"
        if importlib.util.find_spec("pymilvus") is None:
            return "pymilvus is not installed"
        if not shutil.which("unshare") or not shutil.which("ip"):
            return "unshare and ip (util-linux, iproute2) are missing, to shut the server off"
        probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
        if probe.returncode:
            return "no right to make a network namespace, to shut the server off"
        return None

    def start(self) -> None:
        inside = f"ip link set lo up && exec {sys.executable} {__file__} {self.folder}"
        self._socket.unlink(missing_ok=True)
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", inside],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("up"), f"the server did not start: {line}"
        if not self.port:
            self._thread.start()
            listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
            self.port = listening.result(30)

    async def _listen(self) -> int:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                there = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                writer.close()
                return
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

        self._relay = await asyncio.start_server(relay, "127.0.0.1", 0)
        return int(self._relay.sockets[0].getsockname()[1])

    async def _hang_up(self) -> None:
        self._relay.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def kill(self) -> None:
        """Kill the server without a warning."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self.stop()

    def close(self) -> None:
        self.stop()
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _serve_inside(folder: Path) -> None:
    """Start the server, pass the socket's connections on, stop when stdin ends."""
    from milvus import MilvusServer, MilvusServerConfig

    server = MilvusServer(MilvusServerConfig(data_dir=str(folder / "data")), wait_for_started=False)
    server.start()
    await asyncio.to_thread(server.wait_started, _PATIENCE_S * 1000)
    await asyncio.start_unix_server(_to_server(server.listen_port), str(folder / "relay.sock"))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    last = await asyncio.to_thread(sys.stdin.read)
    if "kill" in last:
        server.server_proc.send_signal(signal.SIGKILL)
    server.stop()


if __name__ == "__main__":
    asyncio.run(_serve_inside(Path(sys.argv[1])))
