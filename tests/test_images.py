from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.images import (
    ImageSettings,
    PictureError,
    PictureLimits,
    explain_missing,
    load_picture,
    load_pixels,
    prepare_picture,
    to_pixels,
    to_tensor,
)
from amgan.images.formats import name_format


def encode(picture: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), np.uint8))


def chunk(kind: bytes, body: bytes, damage: int = 0) -> bytes:
    check = zlib.crc32(kind + body) ^ damage
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def with_chunk(content: bytes, extra: bytes) -> bytes:
    """A PNG with one more chunk, behind its header."""
    return content[:33] + extra + content[33:]


def bomb_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_pixels_back(file_format: str) -> None:
    picture = noise(20, 12)
    loaded = load_picture(encode(picture, file_format))
    assert loaded.mode == "RGB"
    assert np.array_equal(np.asarray(loaded), np.asarray(picture))


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_come_close(file_format: str) -> None:
    picture = Image.new("RGB", (40, 30), (200, 40, 90))
    loaded = np.asarray(load_picture(encode(picture, file_format)), np.int16)
    assert loaded.shape == (30, 40, 3)
    assert np.abs(loaded - (200, 40, 90)).max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    upright = np.asarray(noise(24, 16))
    # How a camera stores an upright scene under each orientation code (TIFF 6.0, tag 274).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert np.array_equal(np.asarray(load_picture(content)), upright)


def test_transparency_becomes_white() -> None:
    layer = np.zeros((10, 10, 4), np.uint8)
    layer[:, 5:] = (10, 20, 30, 255)
    layer[0, 0] = (0, 0, 0, 128)
    for file_format in ("PNG", "TIFF"):
        loaded = np.asarray(load_picture(encode(Image.fromarray(layer), file_format)))
        assert loaded[5, 0].tolist() == [255, 255, 255]
        assert loaded[5, 9].tolist() == [10, 20, 30]
        assert loaded[0, 0].tolist() == [127, 127, 127]
    grey = Image.fromarray(np.full((10, 10), 7, np.uint8))
    keyed = np.asarray(load_picture(encode(grey, "PNG", transparency=7)))
    assert (keyed == 255).all()
    palette = Image.new("P", (10, 10), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    assert (np.asarray(load_picture(encode(palette, "GIF", transparency=1))) == 255).all()


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
    loaded = np.asarray(load_picture(encode(Image.fromarray(ramp), "PNG")))
    assert np.array_equal(loaded[..., 0], ramp // 256)


@pytest.mark.parametrize(("depth", "key"), [(1, 1), (2, 2), (4, 14), (8, 200), (16, 51_234)])
def test_a_transparent_level_of_grey_becomes_white(depth: int, key: int) -> None:
    width = 16
    levels = np.full((8, width), key)
    levels[:, width // 2 :] = 0
    bits = ((levels[..., None] >> np.arange(depth)[::-1]) & 1).astype(np.uint8)
    lines = np.packbits(bits.reshape(8, -1), axis=1)
    loaded = np.asarray(load_picture(raw_png(0, depth, width, lines, struct.pack(">H", key))))
    assert (loaded[:, : width // 2] == 255).all()
    assert (loaded[:, width // 2 :] == 0).all()


def test_a_transparent_colour_of_sixteen_bits_becomes_white() -> None:
    colours = np.full((8, 16, 3), (0x1234, 0x5678, 0x9ABC), ">u2")
    colours[:, 8:] = (0x4000, 0x5000, 0x6000)
    key = struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC)
    lines = colours.view(np.uint8).reshape(8, -1)
    loaded = np.asarray(load_picture(raw_png(2, 16, 16, lines, key)))
    assert (loaded[:, :8] == 255).all()
    assert (loaded[:, 8:] == (0x40, 0x50, 0x60)).all()


def raw_png(kind: int, depth: int, width: int, lines: np.ndarray, key: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, len(lines), depth, kind, 0, 0, 0)
    body = b"".join(b"\0" + line.tobytes() for line in lines)
    parts = ((b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"tEXt", b"Comment\0" + b"x" * 1_500_000),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 1_500_000)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * 1_500_000),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"x" * 80_000_000)),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(b"x" * 1_500_000)),
        chunk(b"tEXt", b"Comment\0made by hand", damage=1),
        chunk(b"tIME", b"\0" * 7, damage=1),
        chunk(b"eXIf", b"MM\0*\0\0\0\x08", damage=1),
        chunk(b"eXIf", b"no EXIF at all"),
        chunk(b"gAMA", b"\0"),
        chunk(b"acTL", b"\xff" * 8),
    ],
    ids=lambda extra: f"{extra[4:8].decode()}-{len(extra)}",
)
def test_a_png_is_sound_whatever_its_metadata(extra: bytes) -> None:
    picture = noise(20, 12)
    loaded = load_picture(with_chunk(encode(picture, "PNG"), extra))
    assert np.array_equal(np.asarray(loaded), np.asarray(picture))


def test_a_png_whose_pixels_are_damaged_is_refused() -> None:
    content = bytearray(encode(noise(20, 12), "PNG"))
    content[content.index(b"IDAT") + 30] ^= 1
    with pytest.raises(PictureError, match="damaged"):
        load_picture(bytes(content))


def test_a_png_of_countless_chunks_is_refused_at_once() -> None:
    content = with_chunk(encode(noise(20, 12), "PNG"), chunk(b"tEXt", b"a\0b") * 200_000)
    with pytest.raises(PictureError, match="more than 100,000 chunks"):
        load_picture(content)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_modes_become_rgb(mode: str) -> None:
    white = Image.new("RGB", (16, 16), "white").convert(mode)
    loaded = load_picture(encode(white, "TIFF"))
    assert loaded.mode == "RGB"
    assert (np.asarray(loaded) >= 250).all()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_truncation_anywhere_is_a_picture_error(file_format: str) -> None:
    content = encode(noise(48, 40), file_format)
    for share in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(PictureError, match="picture: "):
            load_picture(content[: int(len(content) * share)])


def test_random_damage_never_raises_anything_else() -> None:
    generator = np.random.default_rng(5)
    for file_format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "PPM"):
        content = np.frombuffer(encode(noise(32, 32), file_format), np.uint8)
        for _ in range(40):
            damaged = content.copy()
            places = generator.integers(0, len(damaged), 8)
            damaged[places] = generator.integers(0, 256, 8)
            with contextlib.suppress(PictureError):
                assert load_picture(damaged.tobytes()).mode == "RGB"


def test_bombs_are_refused_before_decoding() -> None:
    for width, height in ((8000, 8000), (10_000, 10_000), (60_000, 60_000)):
        with pytest.raises(PictureError, match="50,000,000 pixels"):
            load_picture(bomb_png(width, height))


def test_limits() -> None:
    content = encode(noise(20, 10), "PNG")
    with pytest.raises(PictureError, match=r"20 x 10; at most 100 pixels"):
        load_picture(content, PictureLimits(max_pixels=100))
    with pytest.raises(PictureError, match=r"20 x 10; each side needs 16"):
        load_picture(content, PictureLimits(min_side=16))
    with pytest.raises(PictureError, match="at most 10 are allowed"):
        load_picture(content, PictureLimits(max_bytes=10))


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "large.jpg").write_bytes(encode(noise(64, 64), "PNG"))
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, reason in {
        "empty.jpg": "empty",
        "text.jpg": "not a picture",
        "folder.jpg": "folder",
        "large.jpg": "at most 50",
        "pipe.jpg": "ordinary file",
        "none.jpg": "no such file",
        "nul\0.jpg": "not a path",
    }.items():
        with pytest.raises(PictureError, match=reason) as caught:
            load_picture(tmp_path / name, PictureLimits(max_bytes=50))
        assert caught.value.source == str(tmp_path / name)
        assert str(tmp_path) not in caught.value.reason
        assert str(tmp_path / name) in str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("img/A1.JPG", "img/caf\u00e9.jpg", "img/b 2.jpg", "img/c3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://shop.example/img/a1.jpg", "is an address"),
        ("s3://bucket/a1.jpg", "is an address"),
        ("data:image/png;base64,iVBORw0KGgo=", "holds the picture itself"),
        (r"C:\shop\img\a1.jpg", "Windows drive"),
        (r"img\c3.jpg", r"has backslashes; write / between folders \('c3.jpg' is there\)"),
        (r"img\none.jpg", "has backslashes.*not there either"),
        ("img/a1.jpg", "differs from 'A1.JPG', which is there, in upper and lower case"),
        ("IMG/A1.JPG", "differs from 'img', which is there, in upper and lower case"),
        ("img/cafe\u0301.jpg", "in how accents are encoded"),
        ("img/c3.jpg, img/d4.jpg", "names several pictures"),
        ("img/c3.jpg|img/d4.jpg", "names several pictures"),
        ("img/c3.jpg img/d4.jpg", "names several pictures"),
        ("img/x.jpg;img/y.jpg", "names several pictures"),
        ('["img/x.jpg", "img/y.jpg"]', "names several pictures"),
        ("img/b%202.jpg", "is written with %; write 'b 2.jpg'"),
        ("img/b 3.jpg", "^no such file$"),
        ("none/b.jpg", "^no such file$"),
    ],
)
def test_why_there_is_no_picture(folder: Path, written: str, said: str) -> None:
    assert re.search(said, explain_missing(folder / written)), explain_missing(folder / written)
    with pytest.raises(PictureError) as caught:
        load_picture(folder / written)
    assert re.search(said, caught.value.reason)


def test_programs_behind_formats_are_not_started() -> None:
    with pytest.raises(PictureError, match="not a picture"):
        load_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\n")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"%PDF-1.7", "a PDF document"),
        (b'<?xml version="1.0"?>\n<svg width="5">', "SVG"),
        (b"\n<!DOCTYPE html><title>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(content: bytes, name: str) -> None:
    assert (name_format(content) or "").startswith(name)
    if name != "AVIF":
        with pytest.raises(PictureError, match=f"is {name}.*, not a picture in a format read here"):
            load_picture(content.ljust(200, b"\0"))


def test_a_limit_above_that_of_pillow_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    content = encode(noise(40, 30), "PNG")
    assert load_picture(content, PictureLimits(max_pixels=1200)).size == (40, 30)
    assert Image.MAX_IMAGE_PIXELS == 1200
    with pytest.raises(PictureError, match="at most 1,000 pixels"):
        load_picture(content, PictureLimits(max_pixels=1000))


def test_decoders_write_nothing_to_stderr(tmp_path: Path) -> None:
    """Damaged TIFFs, of which libtiff and Pillow would tell on stderr, each in its own way."""
    contents = []
    generator = np.random.default_rng(3)
    for compression in (None, "tiff_lzw", "tiff_deflate", "jpeg"):
        content = encode(noise(48, 40), "TIFF", compression=compression)
        for number in range(60):
            damaged = bytearray(content)
            for place in generator.integers(0, len(damaged), 6).tolist():
                damaged[-place if number % 2 else place] ^= 1 + number
            contents.append(bytes(damaged))
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.tif").write_bytes(content)
    code = (
        "import sys, pathlib\n"
        "from amgan.images import PictureError, load_picture\n"
        "refused = 0\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try:\n"
        "        load_picture(path)\n"
        "    except PictureError:\n"
        "        refused += 1\n"
        "print(refused)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert int(done.stdout) > 20


def test_picture_error_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(PictureError("a.jpg", "damaged")))
    assert (error.source, error.reason, str(error)) == ("a.jpg", "damaged", "a.jpg: damaged")


def test_draft_keeps_enough_pixels() -> None:
    content = encode(Image.new("RGB", (800, 600), (30, 90, 200)), "JPEG")
    drafted = load_picture(content, draft_side=128)
    assert drafted.size == (200, 150)
    assert load_picture(content, draft_side=5000).size == (800, 600)
    with pytest.raises(PictureError):  # the limit counts what the file holds
        load_picture(content, PictureLimits(max_pixels=40_000), draft_side=128)


def test_pad_centres_on_white() -> None:
    tall = Image.new("RGB", (20, 40), "black")
    pixels = prepare_picture(tall, ImageSettings(8, 8, "pad"))
    assert pixels.shape == (8, 8, 3)
    assert (pixels[:, :2] == 255).all() and (pixels[:, 6:] == 255).all()
    assert (pixels[:, 2:6] == 0).all()


def test_crop_takes_the_middle() -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 200
    pixels = prepare_picture(Image.fromarray(stripes), ImageSettings(10, 10, "crop"))
    assert (pixels == 200).all()
    same = prepare_picture(Image.fromarray(stripes), ImageSettings(10, 30, "crop"))
    assert np.array_equal(same, stripes)


def test_stretch_uses_everything() -> None:
    halves = np.zeros((40, 20, 3), np.uint8)
    halves[20:] = 255
    pixels = prepare_picture(Image.fromarray(halves), ImageSettings(8, 16, "stretch"))
    assert pixels.shape == (8, 16, 3)
    assert (pixels[:3] < 5).all() and (pixels[5:] > 250).all()


@pytest.mark.parametrize("fit", ["pad", "stretch", "crop"])
def test_extreme_shapes_fit(fit: str) -> None:
    for width, height in ((1, 1), (1, 5000), (5000, 1), (64, 64)):
        settings = ImageSettings(64, 48, fit)  # type: ignore[arg-type]
        assert prepare_picture(Image.new("RGB", (width, height)), settings).shape == (64, 48, 3)


def test_shrinking_averages_rather_than_skips() -> None:
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    picture = Image.fromarray(checks.astype(np.uint8)).convert("RGB")
    pixels = prepare_picture(picture, ImageSettings(64, 64)).astype(int)
    assert np.abs(pixels - 127).max() <= 3


def test_file_and_bytes_give_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(noise(300, 400), "JPEG"))
    settings = ImageSettings(32, 32)
    assert np.array_equal(load_pixels(path, settings), load_pixels(path.read_bytes(), settings))


def test_settings_are_checked_and_digested() -> None:
    assert ImageSettings().digest == ImageSettings(64, 64, "pad").digest
    others = {ImageSettings(64, 64, "crop"), ImageSettings(64, 65), ImageSettings(65, 64)}
    assert len({settings.digest for settings in others} | {ImageSettings().digest}) == 4
    with pytest.raises(ValueError, match="height must be 1 to 4096, not 0"):
        ImageSettings(0, 64)
    with pytest.raises(ValueError, match="pad, stretch or crop"):
        ImageSettings(64, 64, "zoom")  # type: ignore[arg-type]


def test_tensor_round_trip_is_exact() -> None:
    levels = np.arange(256, dtype=np.uint8)
    pixels = np.stack([levels, levels[::-1], levels // 2], axis=-1).reshape(2, 16, 8, 3)
    pixels.setflags(write=False)
    images = to_tensor(pixels)
    assert images.shape == (2, 3, 16, 8) and images.is_contiguous()
    assert images.min() == -1 and images.max() == 1
    assert images[0, 0, 0, 1].item() == pytest.approx(1 / 127.5 - 1)
    assert np.array_equal(to_pixels(images), pixels)


def test_to_pixels_clamps() -> None:
    images = to_tensor(np.zeros((1, 1, 2, 3), np.uint8))
    images[..., 0], images[..., 1] = -7.0, 3.0
    assert to_pixels(images).tolist() == [[[[0, 0, 0], [255, 255, 255]]]]
