"""A process that decodes what would take long or much memory, and can be ended.

A decoder that is busy cannot be stopped within its process. What is large, or in a format with a
decoder of its own ways, is decoded here: one picture at a time, for so many seconds, and where the
decoder crashes the server goes on.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from amgan.images import ImageSettings, PictureError, PictureLimits, Pixels, load_pixels
from amgan.web.pictures import encode_thumbnail

_HEAD = struct.Struct(">IQ")  # bytes of the JSON, and of what follows it
_SPARE_BYTES = 3 * 2**29  # address space for Python and its libraries
_BYTES_A_PIXEL = 32
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


class DecoderProcess:
    """Decodes pictures in a process of its own, which is started at the first one.

    Safe to call from several threads; they take turns.

    Args:
        limits: what a picture may measure.
        seconds: for one picture; then the process is ended, and the next one starts another.
    """

    def __init__(self, limits: PictureLimits, seconds: float) -> None:
        self._limits = limits
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._closed = False

    def pixels(self, source: Path | bytes, settings: ImageSettings) -> Pixels:
        """As `load_pixels`."""
        made = self._ask(source, {"settings": asdict(settings)})
        return np.frombuffer(made, np.uint8).reshape(settings.height, settings.width, 3)

    def thumbnail(self, source: Path | bytes, width: int) -> bytes:
        """As `encode_thumbnail`."""
        return self._ask(source, {"width": width})

    def close(self) -> None:
        """End the process, also in the middle of a picture."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for its answer goes on
            with self._turn:
                self._end()

    def _ask(self, source: Path | bytes, wanted: dict[str, Any]) -> bytes:
        name = "picture" if isinstance(source, bytes) else str(source)
        wanted["limits"] = asdict(self._limits)
        content = source if isinstance(source, bytes) else b""
        if not isinstance(source, bytes):
            wanted["path"] = os.fspath(source)
        with self._turn:
            process = self._start()
            late = threading.Event()

            def end() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(self._seconds, end)
            timer.start()
            try:
                assert process.stdin is not None and process.stdout is not None
                _write(process.stdin, wanted, content)
                said, made = _read(process.stdout)
            except (OSError, EOFError):
                self._end()
                if late.is_set():
                    reason = f"takes longer than {self._seconds:g} s to decode"
                else:
                    reason = "damaged (its decoder failed)"
                raise PictureError(name, reason) from None
            finally:
                timer.cancel()
        if "reason" in said:
            raise PictureError(name, said["reason"])
        return made

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with suppress(OSError):  # what was not sent any more
                stream.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise PictureError("picture", "the server is stopping")
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ENVIRONMENT,
            )
        return self._process


def _write(stream: IO[bytes], said: dict[str, Any], content: bytes) -> None:
    head = json.dumps(said).encode()
    stream.write(_HEAD.pack(len(head), len(content)) + head)
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    head, content = _HEAD.unpack(_read_exactly(stream, _HEAD.size))
    said: dict[str, Any] = json.loads(_read_exactly(stream, head))
    return said, _read_exactly(stream, content)


def _read_exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content


def _answer(wanted: dict[str, Any], content: bytes) -> bytes:
    limits = PictureLimits(**wanted["limits"])
    source = Path(wanted["path"]) if "path" in wanted else content
    if "width" in wanted:
        return encode_thumbnail(source, wanted["width"], limits)
    return load_pixels(source, ImageSettings(**wanted["settings"]), limits).tobytes()


def _limit_memory(limits: dict[str, int]) -> None:
    """No picture within the limits needs so much; a decoder gone wild fails instead of swapping."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = _SPARE_BYTES + _BYTES_A_PIXEL * limits["max_pixels"]
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> None:
    """Answer what comes on stdin until it ends."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            wanted, content = _read(questions)
            _limit_memory(wanted["limits"])
            try:
                made = _answer(wanted, content)
            except PictureError as error:
                _write(answers, {"reason": error.reason}, b"")
            except MemoryError:
                _write(answers, {"reason": "needs too much memory to decode"}, b"")
            else:
                _write(answers, {}, made)


if __name__ == "__main__":
    main()
