from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from cache_processes import SETTINGS, expected, make_catalogue, open_and_compare, open_slowly
from PIL import Image

from amgan.catalogue import pixels as pixels_module
from amgan.catalogue.pixels import (
    PixelOptions,
    UnusablePicturesError,
    open_pixels,
    open_usable_pixels,
)
from amgan.images import ImageSettings, PictureError, PictureLimits, Pixels, load_pixels

T = TypeVar("T")


def write_picture(path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    Image.fromarray(generator.integers(0, 256, (24, 20, 3), np.uint8)).save(path, "PNG")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    made = [folder / f"{i}.png" for i in range(40)]
    for i, path in enumerate(made):
        write_picture(path, i)
    return made


class Decodes:
    """Counts and names the files that are really decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        lock = threading.Lock()

        def counted(*arguments: object) -> Pixels:
            with lock:
                self.count += 1
            return load_pixels(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(pixels_module, "load_pixels", counted)

    def taken(self) -> int:
        count, self.count = self.count, 0
        return count


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> Decodes:
    return Decodes(monkeypatch)


def test_rows_are_what_decoding_alone_gives(paths: list[Path], tmp_path: Path) -> None:
    for workers in (1, 3):
        opened = open_pixels(
            make_catalogue(paths), SETTINGS, tmp_path / f"cache{workers}", workers=workers
        )
        assert opened.shape == (40, 16, 12, 3) and opened.dtype == np.uint8
        assert np.array_equal(opened, expected(paths))
        with pytest.raises(ValueError, match="read-only"):
            opened[0] = 0


def test_second_opening_decodes_nothing(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    catalogue = make_catalogue(paths)
    open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert decodes.taken() == 40
    again = open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert decodes.taken() == 0
    assert np.array_equal(again, expected(paths))


def test_only_changed_pictures_are_decoded_again(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    catalogue = make_catalogue(paths)
    before = open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    old = np.array(before)
    decodes.taken()
    write_picture(paths[3], 1003)
    write_picture(paths[17], 1017)
    after = open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert decodes.taken() == 2
    assert np.array_equal(after, expected(paths))
    assert np.array_equal(before, old), "who opened the pixels before must still see the old ones"


def test_change_of_same_size_and_time_is_noticed(paths: list[Path], tmp_path: Path) -> None:
    for i, path in enumerate(paths):
        Image.new("RGB", (20, 20), (i, i, i)).save(path.with_suffix(".bmp"))
    bitmaps = [path.with_suffix(".bmp") for path in paths]
    catalogue = make_catalogue(bitmaps)
    open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    status = bitmaps[5].stat()
    Image.new("RGB", (20, 20), (200, 0, 0)).save(bitmaps[5])
    os.utime(bitmaps[5], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert bitmaps[5].stat().st_size == status.st_size
    again = open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert np.array_equal(again, expected(bitmaps))


def test_touched_files_are_hashed_not_decoded(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    catalogue = make_catalogue(paths)
    open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    decodes.taken()
    for path in paths:
        os.utime(path, ns=(1, 1))
    again = open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert decodes.taken() == 0
    assert np.array_equal(again, expected(paths))


def test_other_catalogues_share_what_is_decoded(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    cache = tmp_path / "cache"
    open_pixels(make_catalogue(paths[:30]), SETTINGS, cache)
    assert decodes.taken() == 30
    moved = tmp_path / "moved.png"
    moved.write_bytes(paths[8].read_bytes())
    mixed = [paths[35], *paths[20:10:-1], moved]
    opened = open_pixels(make_catalogue(mixed), SETTINGS, cache)
    assert decodes.taken() == 1
    assert np.array_equal(opened, expected(mixed))


def test_content_digests_of_any_ending_are_found(tmp_path: Path, decodes: Decodes) -> None:
    """About one SHA-256 in 256 ends in a zero byte, which numpy's byte strings drop."""
    folder = tmp_path / "many"
    folder.mkdir()
    many = [folder / f"{i}.ppm" for i in range(600)]
    for i, path in enumerate(many):
        path.write_bytes(b"P6 8 8 255\n" + bytes([i % 256, i // 256, 0]) * 64)
    cache = tmp_path / "cache"
    open_pixels(make_catalogue(many), SETTINGS, cache)
    decodes.taken()
    for path in many:
        path.touch()
    open_pixels(make_catalogue(many), SETTINGS, cache)
    assert decodes.taken() == 0


def test_settings_have_caches_of_their_own(paths: list[Path], tmp_path: Path) -> None:
    catalogue = make_catalogue(paths[:5])
    for settings in (SETTINGS, ImageSettings(16, 12, "crop"), ImageSettings(12, 16)):
        opened = open_pixels(catalogue, settings, tmp_path / "cache")
        assert np.array_equal(opened, expected(paths[:5], settings))


def test_same_picture_twice_and_no_picture(paths: list[Path], tmp_path: Path) -> None:
    twice = [paths[0], paths[1], paths[0]]
    opened = open_pixels(make_catalogue(twice), SETTINGS, tmp_path / "cache")
    assert np.array_equal(opened, expected(twice))
    assert open_pixels(make_catalogue([]), SETTINGS, tmp_path / "cache").shape == (0, 16, 12, 3)


def test_damaged_and_missing_pictures_are_named(paths: list[Path], tmp_path: Path) -> None:
    catalogue = make_catalogue(paths)
    paths[20].write_bytes(paths[20].read_bytes()[:100])
    with pytest.raises(PictureError, match=r"20\.png: damaged or truncated"):
        open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    paths[21].unlink()
    with pytest.raises(UnusablePicturesError, match=r"21\.png: no such file") as caught:
        open_pixels(catalogue, SETTINGS, tmp_path / "cache")
    assert list(caught.value.errors) == [20, 21]


def test_what_can_be_decoded_is_opened_without_the_rest(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    catalogue = make_catalogue(paths)
    paths[20].write_bytes(b"no picture")
    paths[21].unlink()
    usable = [path for i, path in enumerate(paths) if i not in (20, 21)]
    for attempts in (39, 1, 1):  # a bad picture is looked at again, the others are kept
        kept, opened, errors = open_usable_pixels(catalogue, SETTINGS, tmp_path / "cache")
        assert decodes.taken() == attempts
        assert kept.images == tuple(usable)
        assert np.array_equal(opened, expected(usable))
        assert list(errors) == [20, 21]
        assert errors[21].reason == "no such file"
    with pytest.raises(UnusablePicturesError):
        open_usable_pixels(make_catalogue([paths[20]]), SETTINGS, tmp_path / "cache")


def test_a_picture_refused_for_its_size_is_decoded_where_it_may_be_larger(
    paths: list[Path], tmp_path: Path
) -> None:
    catalogue = make_catalogue(paths)
    with pytest.raises(UnusablePicturesError, match="400 pixels"):
        open_pixels(catalogue, SETTINGS, tmp_path / "cache", limits=PictureLimits(max_pixels=400))
    assert np.array_equal(open_pixels(catalogue, SETTINGS, tmp_path / "cache"), expected(paths))


@pytest.mark.parametrize("where", ["first pixel", "half of the pixels", "a record", "a digest"])
def test_damage_is_noticed_and_mended(
    paths: list[Path], tmp_path: Path, decodes: Decodes, where: str
) -> None:
    catalogue, cache = make_catalogue(paths), tmp_path / "cache"
    open_pixels(catalogue, SETTINGS, cache)
    decodes.taken()
    (file,) = cache.glob("*.pixels")
    content = bytearray(file.read_bytes())
    picture, records = 16 * 12 * 3, 40 * 16 * 12 * 3
    if where == "first pixel":
        content[0] ^= 1
    elif where == "half of the pixels":
        content[: 20 * picture] = bytes(255 - level for level in content[: 20 * picture])
    else:
        content[records + (1 if where == "a record" else 50)] ^= 1
    file.write_bytes(content)
    assert np.array_equal(open_pixels(catalogue, SETTINGS, cache), expected(paths))
    assert decodes.taken() == (20 if where == "half of the pixels" else 1)
    open_pixels(catalogue, SETTINGS, cache)
    assert decodes.taken() == 0


def test_damage_of_one_cache_does_not_reach_another(paths: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    open_pixels(make_catalogue(paths[:30]), SETTINGS, cache)
    (file,) = cache.glob("*.pixels")
    content = bytearray(file.read_bytes())
    content[5] ^= 255
    file.write_bytes(content)
    assert np.array_equal(open_pixels(make_catalogue(paths), SETTINGS, cache), expected(paths))


def test_content_decides_where_it_is_asked_for(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that keeps no times of change: a file is another one and looks the same."""
    real = pixels_module.look_at
    looks = real(paths)
    monkeypatch.setattr(pixels_module, "look_at", lambda _: looks)
    catalogue, cache = make_catalogue(paths), tmp_path / "cache"
    open_pixels(catalogue, SETTINGS, cache)
    before = expected(paths)
    write_picture(paths[7], 1007)
    assert np.array_equal(open_pixels(catalogue, SETTINGS, cache), before)
    _, verified, _ = open_usable_pixels(catalogue, SETTINGS, cache, PixelOptions(verify=True))
    assert np.array_equal(verified, expected(paths))


def test_builds_that_nobody_finishes_are_removed(paths: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    old, new = cache / "a-old.partial", cache / "a-new.partial"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))
    open_pixels(make_catalogue(paths), SETTINGS, cache)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_bad_picture_that_is_mended_is_all_that_is_decoded_again(
    paths: list[Path], tmp_path: Path, decodes: Decodes
) -> None:
    catalogue = make_catalogue(paths)
    content = paths[25].read_bytes()
    paths[25].write_bytes(b"no picture")
    with pytest.raises(PictureError):
        open_pixels(catalogue, SETTINGS, tmp_path / "cache", workers=1)
    assert decodes.taken() == 40, "one bad picture does not stop the others"
    paths[25].write_bytes(content)
    write_picture(paths[2], 99)
    opened = open_pixels(catalogue, SETTINGS, tmp_path / "cache", workers=1)
    assert decodes.taken() == 2
    assert np.array_equal(opened, expected(paths))


def test_cut_off_cache_file_is_built_anew(paths: list[Path], tmp_path: Path) -> None:
    catalogue = make_catalogue(paths)
    cache = tmp_path / "cache"
    open_pixels(catalogue, SETTINGS, cache)
    (file,) = cache.glob("*.pixels")
    file.write_bytes(file.read_bytes()[:-1])
    assert np.array_equal(open_pixels(catalogue, SETTINGS, cache), expected(paths))


def test_progress_counts_what_is_decoded(paths: list[Path], tmp_path: Path) -> None:
    seen: list[tuple[str, int | None, int]] = []

    def progress(iterable: Iterable[T], description: str, total: int | None = None) -> Iterable[T]:
        elements = list(iterable)
        seen.append((description, total, len(elements)))
        return elements

    open_pixels(make_catalogue(paths), SETTINGS, tmp_path / "cache", progress=progress)
    assert seen == [("decoding pictures", 40, 40)]


def test_current_cache_opens_in_a_read_only_folder(paths: list[Path], tmp_path: Path) -> None:
    catalogue = make_catalogue(paths)
    cache = tmp_path / "cache"
    open_pixels(catalogue, SETTINGS, cache)
    for file in cache.glob("*.lock"):
        file.unlink()
    open_pixels(catalogue, SETTINGS, cache)
    assert not list(cache.glob("*.lock")), "opening a current cache must not write"


def test_processes_that_build_at_once_agree(paths: list[Path], tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    verdicts = context.Queue()
    processes = [
        context.Process(target=open_and_compare, args=(paths, tmp_path / "cache", verdicts))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    assert [verdicts.get(timeout=60) for _ in processes] == [True] * 3
    for process in processes:
        process.join()
    assert len(list((tmp_path / "cache").glob("*.pixels"))) == 1
    assert not list((tmp_path / "cache").glob("*.partial"))


def test_kill_leaves_nothing_that_is_wrong(paths: list[Path], tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for delay in (0.0, 0.2, 0.5):
        started = context.Event()
        process = context.Process(target=open_slowly, args=(paths, tmp_path / "cache", started))
        process.start()
        assert started.wait(60)
        time.sleep(delay)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    opened = open_pixels(make_catalogue(paths), SETTINGS, tmp_path / "cache")
    assert np.array_equal(opened, expected(paths))
