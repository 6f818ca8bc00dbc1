"""Pictures that many rows share, such as a placeholder where a shop has no photograph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from amgan.catalogue.validation import Problem

_FEW, _MOST = 3, 0.5  # so many rows, if they are so large a share of all,
_MANY, _SHARE = 10, 0.05  # or so many of so large a share
_END = 4096  # bytes compared at both ends of files of one size

Identity = tuple[int, bytes, bytes]


def shared_pictures(pictures: Sequence[Path], source: Path, column: str) -> Iterator[Problem]:
    """A warning for each picture, by path or by content, that many rows have.

    Args:
        pictures: of all usable rows.
        source: what the warnings are reported for.
        column: the column of pictures.
    """
    by_path: dict[Path, int] = defaultdict(int)
    for picture in pictures:
        by_path[picture] += 1
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in by_path:
        by_size[_size(path)].append(path)
    for paths in by_size.values():
        if not _is_many(sum(by_path[path] for path in paths), len(pictures)):
            continue
        by_content: dict[Identity, list[Path]] = defaultdict(list)
        for path in paths:
            by_content[_identity(path)].append(path)
        for same in by_content.values():
            rows = sum(by_path[path] for path in same)
            if _is_many(rows, len(pictures)):
                message = (
                    f"is the picture of {rows:,} of {len(pictures):,} rows; where it stands for a "
                    "missing one, leave those rows out: what is drawn on them is learned as a label"
                )
                yield Problem(
                    str(source), None, column, str(same[0]), message, "shared-picture", "warning"
                )


def _is_many(rows: int, of: int) -> bool:
    return (rows >= _FEW and rows > _MOST * of) or (rows >= _MANY and rows >= _SHARE * of)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _identity(path: Path) -> Identity:
    try:
        with path.open("rb") as file:
            first = file.read(_END)
            size = file.seek(0, 2)
            file.seek(max(0, size - _END))
            return size, first, file.read()
    except OSError:
        return -1, str(path).encode(errors="surrogateescape"), b""
