"""FAISS alone, in a process of its own, to compare this program's engine with.

Importing `amgan.gallery.engines.exact` chooses FAISS's kernels for the whole process, so nothing
here imports `amgan`, and the measured calls run in a child that imports nothing but FAISS and
numpy. The parent asks for one call at a time through a pipe: both sides meet the same load in
turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RawFaiss:
    """An ``IndexFlatL2`` in a child process, at FAISS's own defaults; a context manager.

    Args:
        vectors: file of (N, D) float32, without a header.
        queries: file of (Q, D) float32, without a header.
        dim: D.
    """

    def __init__(self, vectors: Path, queries: Path, dim: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, __file__, str(vectors), str(queries), str(dim)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask_line()

    def __enter__(self) -> RawFaiss:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(60)
        self._child.stdout.close()

    def search(self, first: int, count: int, k: int) -> tuple[float, NDArray[np.int64]]:
        """Seconds in the child, and rows (count, k), of the queries from `first` on."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{first} {count} {k}\n")
        self._child.stdin.flush()
        answer = self._ask_line()
        return answer["seconds"], np.array(answer["rows"], np.int64)

    def _ask_line(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the child with FAISS ended: {self._child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def answer_requests(vectors: Path, queries: Path, dim: int) -> None:
    """The child: one line in, one line out."""
    import faiss

    asked = np.fromfile(queries, np.float32).reshape(-1, dim)
    mapped = np.memmap(vectors, np.float32, "r").reshape(-1, dim)
    index: Any = faiss.IndexFlatL2(dim)
    for start in range(0, len(mapped), 50_000):
        index.add(np.ascontiguousarray(mapped[start : start + 50_000]))
    print(json.dumps({"ready": index.ntotal}), flush=True)
    for line in sys.stdin:
        first, count, k = map(int, line.split())
        part = asked[first : first + count]
        start_s = time.perf_counter()
        _, rows = index.search(part, k)
        seconds = time.perf_counter() - start_s
        print(json.dumps({"seconds": seconds, "rows": rows.tolist()}), flush=True)


if __name__ == "__main__":
    answer_requests(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
