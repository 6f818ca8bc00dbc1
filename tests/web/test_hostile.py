"""What a stranger may send: damaged pictures of every format, bombs, wrong types.

Nothing of it may give a 500, and memory stays bounded. Counts are fixed; only servers of these
tests on loopback are asked.
"""

from __future__ import annotations

import io
import resource
import struct
import zlib
from collections import Counter
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from amgan.images import PICTURE_FORMATS

from .conftest import draw_picture

Image.init()
FORMATS = [name for name in PICTURE_FORMATS if name in Image.SAVE and name != "MPO"]
DAMAGES = 60
MEMORY_MIB = 700
CASES_AN_OPERATION = 30
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def post_picture(client: TestClient, content: bytes, name: str = "a.png") -> int:
    response = client.post("/v1/attributes", files={"picture": (name, content)})
    assert response.status_code in (200, 413, 422), response.text
    assert "X-Request-ID" in response.headers
    return response.status_code


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut, flip bits of, overwrite, double or shuffle parts of a file."""
    bytes_ = bytearray(content)
    kind = rng.integers(0, 6)
    at = int(rng.integers(0, len(bytes_)))
    if kind == 0:
        return bytes(bytes_[:at])
    if kind == 1:
        for _ in range(int(rng.integers(1, 30))):
            bytes_[int(rng.integers(0, len(bytes_)))] ^= 1 << int(rng.integers(0, 8))
    elif kind == 2:
        part = slice(at, at + int(rng.integers(1, 40)))
        bytes_[part] = rng.bytes(len(bytes_[part]))
    elif kind == 3:
        bytes_[at:at] = bytes_[: int(rng.integers(1, 200))]
    elif kind == 4:
        head = slice(0, min(64, len(bytes_)))
        bytes_[head] = bytes(rng.permutation(np.frombuffer(bytes(bytes_[head]), np.uint8)))
    else:
        del bytes_[at : at + int(rng.integers(1, 60))]
    return bytes(bytes_)


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_pictures_of_every_format(client: TestClient, form: str) -> None:
    content = draw_picture(40, 30, form)
    assert post_picture(client, content) == 200
    rng = np.random.default_rng(FORMATS.index(form))
    outcomes = Counter(post_picture(client, damage(content, rng)) for _ in range(DAMAGES))
    assert outcomes[422] > 0
    assert sum(outcomes.values()) == DAMAGES


@pytest.mark.parametrize("form", FORMATS)
def test_every_truncation_of_a_small_picture(client: TestClient, form: str) -> None:
    content = draw_picture(9, 9, form)
    places = np.unique(np.linspace(0, len(content) - 1, 40).astype(int))
    for place in places:
        post_picture(client, content[:place])


def png_claiming(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose head claims a size, with any compressed data."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_bombs_are_refused_before_they_go_off(client: TestClient) -> None:
    zeros = zlib.compress(bytes(60_000_000), 9)  # 60 kB that become 60 MB
    bombs = [
        png_claiming(30_000, 30_000, zeros),
        png_claiming(2**31 - 1, 2**31 - 1),
        png_claiming(2**31 - 1, 1),
        png_claiming(0, 0),
        png_claiming(60_000, 1000, zeros),
    ]
    text = bytearray(png_claiming(40, 40))
    text[33:33] = struct.pack(">I", len(zeros)) + b"zTXt" + zeros  # a compressed comment
    bombs.append(bytes(text))
    gif = io.BytesIO()
    frames = [Image.new("P", (2000, 2000), colour) for colour in range(30)]
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    assert post_picture(client, gif.getvalue()) == 200  # only its first frame is read
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in bombs:
        assert post_picture(client, bomb) == 422
    # More data than the size needs is not looked at.
    assert post_picture(client, png_claiming(40, 40, zeros)) == 200
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEMORY_MIB


@pytest.mark.parametrize(
    ("size", "status"),
    [((1, 1), 422), ((7, 400), 422), ((8, 8), 200), ((8, 6000), 200), ((5000, 5000), 200)],
)
def test_tiny_huge_and_thin_pictures(
    client: TestClient, size: tuple[int, int], status: int
) -> None:
    for form in ("PNG", "JPEG"):
        file = io.BytesIO()
        Image.new("RGB", size, (90, 120, 30)).save(file, form)
        assert post_picture(client, file.getvalue()) == status


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F", "YCbCr"])
def test_unusual_kinds_of_pixels(client: TestClient, mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "F", "YCbCr", "I;16") else "PNG"
    file = io.BytesIO()
    Image.new(mode, (32, 32)).save(file, form)
    assert post_picture(client, file.getvalue()) == 200


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) run",
        b"%PDF-1.7\n",
        b"GIF89a" + b"\xff" * 2000,
        b"P6 99999 99999 255\n",
        b"P6 -1 -1 255\n",
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 500,
        b"BM" + b"\xff" * 200,
        b"\0" * 100_000,
        b"PK\x03\x04" + b"\0" * 100,
        b"#!/bin/sh\nid\n",
    ],
)
def test_what_only_claims_to_be_a_picture(client: TestClient, content: bytes) -> None:
    for name in ("a.png", "../../a.png", "a.svg", "\0", "a" * 900):
        assert post_picture(client, content, name) == 422


def test_names_without_end_are_refused(client: TestClient, picture: bytes) -> None:
    response = client.post("/v1/attributes", files={"picture": ("a" * 100_000, picture)})
    assert response.status_code == 400


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
_names = st.sampled_from(
    ["item_id", "picture", "changes", "words", "known", "filters", "k", "offset", "fields"]
)


@given(query=st.dictionaries(_names, _values, max_size=5))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_wrong_types_in_queries(client: TestClient, query: dict[str, Any]) -> None:
    for address in ("/v1/search", "/v1/prototype", "/v1/attributes"):
        response = client.post(address, json={"item_id": "item-001"} | query)
        assert response.status_code < 500, response.text


@pytest.mark.parametrize(
    "text",
    [
        '{"item_id": "\\ud800"}',
        '{"item_id": "item-001", "words": "\\ud800 black"}',
        '{"item_id": "item-001", "words": "\\u0000\\u202e"}',
        '{"item_id": "item-001", "changes": {"\\ud800": "x"}}',
        '{"item_id": "item-001", "k": 1e400}',
        '{"item_id": "item-001", "k": NaN}',
        '{"item_id": "item-001", "k": 99999999999999999999999999999999999999}',
        '{"item_id": "item-001", "k": 1, "k": 2}',
        '{"item_id": "' + "x" * 100_000 + '"}',
        "[" * 100_000,
        '{"changes":' * 20_000,
    ],
)
def test_unusual_json(client: TestClient, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/search", content=text.encode(), headers=headers)
    assert response.status_code in (200, 404, 422), response.text


def test_words_of_any_kind(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    alphabets = ["a b, ", "no not without ", "blue red bar ", "\u0301\u200b\u202e", "🧥🧶", "-;./ "]
    for alphabet in alphabets:
        for length in (1, 50, 500):
            words = "".join(rng.choice(list(alphabet), length))
            response = client.post("/v1/search", json={"item_id": "item-001", "words": words})
            assert response.status_code == 200, response.text


def test_the_api_against_its_own_document(start_server: Any) -> None:
    """Schemathesis: nothing it makes of the document gives a 500 or an undocumented answer."""
    served = start_server(host="127.0.0.1")
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
    outcomes: Counter[int] = Counter()

    def check(case: Any) -> None:
        response = case.call(timeout=60)
        outcomes[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    bounded = settings(
        max_examples=CASES_AN_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in schema.get_all_operations():
        for mode in GenerationMode:
            try:
                bounded(given(case=operation.ok().as_strategy(mode))(check))()
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE  # nothing can be wrong about no input
    assert served.process.poll() is None
    assert outcomes[200] > 0 and outcomes[422] > 0
    print(dict(outcomes))
