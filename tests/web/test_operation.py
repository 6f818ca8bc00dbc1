"""Errors, keys, rates, limits, health, metrics, reload: the API around the search."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from fastapi import FastAPI
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.requests import Request
from starlette.testclient import TestClient

from amgan.catalogue.records import Catalogue
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.store import GalleryError, build_gallery
from amgan.methods.trained import TrainedModel
from amgan.web.access import KeyRing
from amgan.web.app import create_app
from amgan.web.limits import RateLimiter
from amgan.web.pictures import PictureCache, typical_shape
from amgan.web.settings import ServerSettings

KEY, ADMIN = "k" * 24, "a" * 24
QUERY = {"item_id": "item-001", "k": 2}


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details", "request_id"}
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/items/nothing", 404, "no_such_item"),
        ("GET", "/v1/items?id=nothing", 404, "no_such_item"),
        ("GET", "/v1/pictures?id=nothing", 404, "no_such_item"),
        ("GET", "/v1/pictures", 422, "invalid"),
        ("GET", "/v1/items?k=0", 422, "invalid"),
        ("GET", "/v1/items?k=101", 422, "invalid"),
        ("GET", "/v1/items?filter=colour", 422, "invalid"),
        ("GET", "/v1/items?filter=colour=pink", 422, "invalid"),
        ("GET", "/v1/items?filter=price=1", 422, "invalid"),
        ("GET", "/v1/search", 405, "method_not_allowed"),
        ("DELETE", "/v1/items", 405, "method_not_allowed"),
        ("BREW", "/health", 405, "method_not_allowed"),
        ("POST", "/v1/search", 415, "unsupported_media_type"),
        ("POST", "/admin/reload", 403, "admin_disabled"),
        ("POST", "/v1/session", 415, "unsupported_media_type"),
    ],
)
def test_every_error_has_the_one_shape(
    client: TestClient, method: str, address: str, status: int, code: str
) -> None:
    response = client.request(method, address)
    assert response.status_code == status
    assert error_of(response)["code"] == code


def test_wrong_method_names_the_right_one(client: TestClient) -> None:
    response = client.get("/v1/search")
    assert response.headers["Allow"] == "POST"
    assert "POST" in error_of(response)["message"]


def test_a_fault_of_ours_is_told_without_its_inside(
    client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        np.zeros(3).reshape(2)  # a ValueError, and yet nothing that the client did

    monkeypatch.setattr(app.state.server.serving.current.service, "search", fail)
    with structlog.testing.capture_logs() as logged:
        response = client.post("/v1/search", json=QUERY)
    assert response.status_code == 500
    assert error_of(response)["code"] == "internal"
    assert "reshape" not in response.text
    (fault,) = [entry for entry in logged if entry["event"] == "request failed"]
    assert fault["log_level"] == "error" and fault["exc_info"]


@pytest.mark.parametrize("error", [GalleryError("/srv/a is gone"), OSError(28, "disk", "/srv/b")])
def test_a_gallery_that_fails_is_told_without_its_place(
    client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(app.state.server.serving.current.service, "search", fail)
    response = client.post("/v1/search", json=QUERY)
    assert response.status_code == 503
    assert error_of(response)["code"] == "unavailable"
    assert "/srv" not in response.text


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"null", b"7", b'{"k":' * 5000])
def test_what_is_not_a_json_query_is_refused(client: TestClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/search", content=content, headers=headers)
    assert response.status_code == 422
    error_of(response)


@pytest.mark.parametrize(
    ("head", "content", "status"),
    [
        ("multipart/form-data", b"abc", 400),
        ("multipart/form-data; boundary=x", b"abc", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nabc\r\n--x--\r\n", 400),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 422),
        ("multipart/form-data; boundary=" + "y" * 500, b"--x--\r\n", 400),
        ("multipart/form-data; boundary=\xff", b"", 422),
    ],
)
def test_damaged_forms_are_refused(
    client: TestClient, head: str, content: bytes, status: int
) -> None:
    response = client.post(
        "/v1/search", content=content, headers={"Content-Type": head.encode("latin-1")}
    )
    assert response.status_code == status, response.text
    error_of(response)


def test_forms_carry_a_file_and_a_query_and_nothing_else(
    client: TestClient, picture: bytes
) -> None:
    file = {"picture": ("a.png", picture)}
    cases: list[dict[str, Any]] = [
        {"files": {**file, "other": ("b.png", picture)}},
        {"files": file, "data": {"other": "1"}},
        {"files": {"picture": (None, b"text")}},
        {"files": {"query": ("q.json", b"{}"), "picture": (None, b"")}},
        {"files": file, "data": {"query": "{"}},
        {"files": file, "data": {"query": json.dumps({"picture": "aaaa"})}},
    ]
    for case in cases:
        response = client.post("/v1/search", **case)
        assert response.status_code in (400, 422), response.text
        error_of(response)


def test_bodies_are_limited_whether_or_not_their_length_is_declared(open_client: Any) -> None:
    client = open_client(max_upload_bytes=2048)
    most = client.get("/v1/limits").json()["max_body_bytes"]
    sent = 0

    def parts() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    headers = {"Content-Type": "application/json"}
    for content in (b"x" * (most + 1), parts()):
        response = client.post("/v1/search", content=content, headers=headers)
        assert response.status_code == 413
        assert error_of(response)["details"] == [{"max_bytes": most}]


def test_pictures_are_limited_in_bytes_and_pixels(open_client: Any) -> None:
    client = open_client(max_upload_bytes=2048, max_pixels=64 * 64)
    heavy = {"picture": base64.b64encode(b"x" * 2049).decode()}
    assert client.post("/v1/search", json=heavy).status_code == 413
    file = io.BytesIO()
    Image.new("RGB", (65, 64)).save(file, "PNG")
    response = client.post("/v1/search", files={"picture": ("a.png", file.getvalue())})
    assert response.status_code == 422
    assert "65 x 64" in error_of(response)["message"]


def test_limits_tell_what_holds(open_client: Any) -> None:
    client = open_client(max_upload_bytes=5000, max_results=7, rate_limit=90, rate_burst=11)
    limits = client.get("/v1/limits").json()
    assert limits["max_upload_bytes"] == 5000
    assert limits["max_results"] == 7
    assert limits["rate_limit"] == {"per_minute": 90, "burst": 11}
    assert {"JPEG", "PNG", "WEBP"} <= set(limits["formats"])
    assert client.post("/v1/search", json=QUERY | {"k": 8}).status_code == 422


def test_words_are_read_and_what_is_not_understood_is_said(client: TestClient) -> None:
    query = QUERY | {"words": "in blue, flowy", "changes": {"shape": "bar"}}
    answer = client.post("/v1/search", json=query).json()
    assert answer["words"]["changes"] == {"colour": "blue"}
    assert answer["words"]["not_understood"] == ["flowy"]
    asked = {change["attribute"]: change["wanted"] for change in answer["changes"]}
    assert asked == {"colour": "blue", "shape": "bar"}
    named = client.post("/v1/search", json=query | {"changes": {"colour": "red"}}).json()
    assert {c["attribute"]: c["wanted"] for c in named["changes"]} == {"colour": "red"}
    long = client.post("/v1/search", json=QUERY | {"words": "x" * 501})
    assert long.status_code == 422


def test_keys_are_asked_for_where_there_are_any(open_client: Any) -> None:
    client = open_client(api_keys=[KEY], admin_keys=[ADMIN])
    refused = client.post("/v1/search", json=QUERY)
    assert refused.status_code == 401
    assert error_of(refused)["code"] == "unauthorized"
    assert "WWW-Authenticate" in refused.headers
    for headers in (
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"X-API-Key": ADMIN},
    ):
        assert client.post("/v1/search", json=QUERY, headers=headers).status_code == 200
    for wrong in (KEY[:-1], KEY + "k", "", "é".encode()):
        response = client.get("/v1/schema", headers={"X-API-Key": wrong})
        assert response.status_code == 401
    for address in ("/health", "/ready", "/metrics", "/", "/page/main.js", "/openapi.json"):
        assert client.get(address).status_code == 200


def test_a_key_is_exchanged_for_a_cookie_that_scripts_cannot_read(open_client: Any) -> None:
    client = open_client(api_keys=[KEY])
    assert client.post("/v1/session", json={"key": "wrong"}).status_code == 401
    opened = client.post("/v1/session", json={"key": KEY})
    assert opened.status_code == 204
    cookie = opened.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and KEY not in cookie
    assert client.get("/v1/schema").status_code == 200
    client.delete("/v1/session")
    assert client.get("/v1/schema").status_code == 401


def test_sessions_end_and_cannot_be_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(cookie: str) -> Request:
        headers = [(b"cookie", f"amgan_session={cookie}".encode())]
        return Request({"type": "http", "headers": headers})

    ring = KeyRing([SecretStr(KEY)], 60)
    cookie = ring.open_session(KEY)
    assert cookie is not None
    assert ring.identify(request(cookie)) is not None
    assert KeyRing([SecretStr(ADMIN)], 60).identify(request(cookie)) is None
    expiry, signature = cookie.split(".")
    for false in (
        f"{int(expiry) + 1}.{signature}",
        f"{expiry}.{signature[:-1]}",
        f"{expiry}.",
        "",
        "9" * 40 + ".x",
        "x.y",
    ):
        assert ring.identify(request(false)) is None
    monkeypatch.setattr("amgan.web.access.time.time", lambda: int(expiry) + 1)
    assert ring.identify(request(cookie)) is None


def test_metrics_can_be_protected(open_client: Any) -> None:
    client = open_client(api_keys=[KEY], protect_metrics=True)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"X-API-Key": KEY}).status_code == 200


def test_token_bucket_against_one_worked_by_hand() -> None:
    now = 0.0
    limiter = RateLimiter(per_minute=60, burst=3, clock=lambda: now)
    taken = [limiter.take("a") for _ in range(4)]
    assert [t.allowed for t in taken] == [True, True, True, False]
    assert [t.remaining for t in taken] == [2, 1, 0, 0]
    assert taken[3].retry_after == 1 and taken[3].reset == 3
    assert limiter.take("b").allowed
    now = 0.9
    assert not limiter.take("a").allowed
    now = 1.0
    assert limiter.take("a").allowed and not limiter.take("a").allowed
    now = 1000.0
    assert limiter.take("a").remaining == 2


def test_rate_limits_are_told_in_headers(open_client: Any) -> None:
    client = open_client(rate_limit=1, rate_burst=2)
    first = client.post("/v1/search", json=QUERY)
    assert first.headers["RateLimit-Limit"] == "2"
    assert first.headers["RateLimit-Remaining"] == "1"
    assert "Retry-After" not in first.headers
    client.post("/v1/search", json=QUERY)
    refused = client.post("/v1/search", json=QUERY)
    assert refused.status_code == 429
    assert error_of(refused)["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert client.get("/v1/schema").status_code == 200


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for address in ("/", "/page/main.js", "/v1/schema", "/nothing", "/metrics"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_request_ids_are_taken_over_when_they_are_sound(client: TestClient) -> None:
    assert client.get("/health", headers={"X-Request-ID": "a-1"}).headers["X-Request-ID"] == "a-1"
    for unsound in ("a b", "x" * 65, "a/../b", "<b>"):
        given = client.get("/health", headers={"X-Request-ID": unsound}).headers["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_what_happened(open_client: Any) -> None:
    client = open_client()
    for _ in range(3):
        client.post("/v1/search", json=QUERY)
    client.post("/v1/search", json={})
    client.request("BREW", "/nothing/42")
    found = samples(client.get("/metrics").text)

    def requests(route: str, method: str, status: str) -> float:
        labels = (("method", method), ("route", route), ("status", status))
        return found["amgan_http_requests_total", labels]

    assert requests("/v1/search", "POST", "200") == 3
    assert requests("/v1/search", "POST", "422") == 1
    assert requests("unmatched", "other", "404") == 1
    assert found["amgan_search_part_seconds_count", (("part", "encode"),)] == 3
    assert found["amgan_gallery_items", ()] == 40
    assert found["amgan_requests_refused_total", (("code", "invalid"),)] == 1
    assert found["amgan_requests_in_progress", ()] == 0


def test_items_are_listed_filtered_and_given_by_id(client: TestClient) -> None:
    first = client.get("/v1/items?k=3").json()
    assert [item["item_id"] for item in first["items"]] == ["item-000", "item-001", "item-002"]
    assert first["paging"] == {"offset": 0, "k": 3, "total": 40, "next_offset": 3}
    last = client.get("/v1/items?k=3&offset=39").json()
    assert len(last["items"]) == 1 and last["paging"]["next_offset"] is None
    asked = client.get("/v1/items?id=item-007&id=item-002").json()
    assert [item["item_id"] for item in asked["items"]] == ["item-007", "item-002"]
    kept = client.get("/v1/items?filter=shape=bar&filter=brand=acme&filter=brand=zeta&k=40").json()
    assert kept["items"]
    for item in kept["items"]:
        assert item["attributes"]["shape"] == "bar"
        assert item["fields"]["brand"] in ("acme", "zeta")
    assert client.get("/v1/items/item-007").json() == asked["items"][0]


def test_schema_counts_agree_with_the_items(client: TestClient) -> None:
    schema = client.get("/v1/schema").json()
    items = client.get("/v1/items?k=40").json()["items"]
    assert schema["items"] == 40 and schema["prototypes"] is True
    for kind, named in (("attributes", schema["attributes"]), ("fields", schema["fields"])):
        for facet in named:
            for value, count in zip(facet["values"], facet["counts"], strict=True):
                assert count == sum(item[kind][facet["name"]] == value for item in items)


def test_pictures_are_encoded_anew_and_kept_by_browsers(client: TestClient) -> None:
    address = client.get("/v1/items/item-001").json()["picture"]
    response = client.get(f"{address}&width=17")
    assert response.headers["Content-Type"] == "image/jpeg"
    assert "immutable" in response.headers["Cache-Control"]
    assert Image.open(io.BytesIO(response.content)).size == (24, 24)
    again = client.get(f"{address}&width=17", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304 and not again.content
    unversioned = client.get("/v1/pictures?id=item-001")
    assert "immutable" not in unversioned.headers["Cache-Control"]


@pytest.mark.parametrize(
    "address",
    [
        "/page/../app.py",
        "/page/..%2fapp.py",
        "/page/%2e%2e/app.py",
        "/page/..%5capp.py",
        "/page/%00main.js",
        "/page//etc/passwd",
        "/page/",
        "/v1/pictures?id=../../../../etc/passwd",
        "/v1/pictures?id=/etc/passwd",
        "/v1/pictures?id=file:///etc/passwd",
        "/v1/pictures?id=item-001%00",
        "/v1/items/..%2f..%2fetc%2fpasswd",
        "/..%2f..%2fetc/passwd",
    ],
)
def test_paths_lead_nowhere_else(client: TestClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    error_of(response)


@pytest.fixture
def own_shop(shop: Path, tmp_path: Path) -> Path:
    """A shop of this test's own, to change."""
    return Path(shutil.copytree(shop, tmp_path / "shop"))


def test_pictures_that_are_gone_or_no_pictures_are_not_served(
    own_shop: Path, open_client: Any, shape_tools: Any, shape_model: TrainedModel
) -> None:
    catalogue: Catalogue = shape_tools.write_shapes(own_shop / "own", 4)
    build_gallery(own_shop / "gallery", shape_model, catalogue)
    catalogue.images[0].unlink()
    catalogue.images[1].write_text("root:x:0:0:root:/root:/bin/bash")
    client = open_client(run=own_shop)
    for item_id in ("item-000", "item-001"):
        response = client.get(f"/v1/pictures?id={item_id}")
        assert response.status_code == 404
        assert error_of(response)["code"] == "picture_gone"
        assert "root" not in response.text and str(own_shop) not in response.text
        search = client.post("/v1/search", json={"item_id": item_id})
        assert search.status_code == 404
        assert str(own_shop) not in search.text


def test_reload_switches_to_a_new_gallery_and_survives_a_broken_one(
    own_shop: Path, open_client: Any, shape_tools: Any, shape_model: TrainedModel
) -> None:
    client = open_client(run=own_shop, admin_keys=[ADMIN], api_keys=[KEY])
    headers = {"X-API-Key": ADMIN}
    assert client.post("/admin/reload", headers={"X-API-Key": KEY}).status_code == 401
    before = client.get("/ready").json()
    catalogue = shape_tools.write_shapes(own_shop / "new", 9, 3, "new")
    build_gallery(own_shop / "gallery", shape_model, catalogue)
    assert client.get("/ready").json() == before
    reloaded = client.post("/admin/reload", headers=headers).json()
    assert reloaded["items"] == 9 and reloaded["gallery"] != before["gallery"]
    assert client.get("/v1/items/new-001", headers=headers).status_code == 200
    (own_shop / "gallery" / "CURRENT").write_text("000099\n")
    broken = client.post("/admin/reload", headers=headers)
    assert broken.status_code == 409
    assert error_of(broken)["code"] == "reload_failed"
    assert client.get("/ready").json()["items"] == 9
    assert client.post("/v1/search", json={"item_id": "new-001"}, headers=headers).is_success


def test_a_gallery_folder_is_enough_and_a_reload_takes_its_new_model(
    open_client: Any,
    shapes: Any,
    shape_model: TrainedModel,
    other_shape_model: TrainedModel,
    tmp_path: Path,
) -> None:
    folder, catalogue = tmp_path / "alone", shapes(6)
    build_gallery(folder, shape_model, catalogue, engine="faiss://hnsw?m=8")
    client = open_client(run=None, gallery=folder, engine="faiss://exact", admin_keys=[ADMIN])
    serving = client.app.state.server.serving
    assert isinstance(serving.current.gallery.engine, ExactEngine)
    assert serving.current.model_id == shape_model.identity[:12]
    assert client.post("/v1/search", json=QUERY).status_code == 200
    build_gallery(folder, other_shape_model, catalogue)
    assert client.post("/admin/reload", headers={"X-API-Key": ADMIN}).status_code == 200
    assert serving.current.model_id == other_shape_model.identity[:12]
    assert client.post("/v1/search", json=QUERY).status_code == 200


def test_a_gallery_of_another_model_than_the_run_given_is_refused(
    shapes: Any, shop: Path, other_shape_model: TrainedModel, tmp_path: Path
) -> None:
    build_gallery(tmp_path / "other", other_shape_model, shapes(3))
    failures: list[Exception] = []
    settings = ServerSettings(run=shop, gallery=tmp_path / "other", device="cpu")
    with TestClient(create_app(settings, on_failure=failures.append)):
        pass
    assert "encoded by another model" in str(failures[0])


def test_openapi_describes_bodies_and_errors(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    search = document["paths"]["/v1/search"]["post"]
    content = search["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    schemas = document["components"]["schemas"]
    assert "SearchQuery" in schemas and "HTTPValidationError" not in schemas
    for example in content["application/json"]["examples"].values():
        assert set(example["value"]) <= set(schemas["SearchQuery"]["properties"])
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    shape = response["content"]["application/json"]["schema"]
                    assert shape == {"$ref": "#/components/schemas/ErrorAnswer"}


def test_the_typical_shape_is_the_median_of_upright_pictures(tmp_path: Path) -> None:
    paths = []
    for place, (size, orientation) in enumerate([((20, 40), 1), ((90, 30), 6), ((30, 30), 1)]):
        exif = Image.Exif()
        exif[0x0112] = orientation
        paths.append(tmp_path / f"{place}.jpg")
        Image.new("RGB", size).save(paths[-1], exif=exif)
    assert typical_shape(paths) == pytest.approx(0.5)
    assert typical_shape([*paths, tmp_path / "none.jpg"]) == pytest.approx(0.5)
    assert typical_shape([tmp_path / "none.jpg"]) == 0.8


def test_the_picture_cache_stays_within_its_bytes() -> None:
    cache = PictureCache(100)
    for place in range(10):
        cache.put(("v", str(place), 1), b"x" * 30)
        assert cache.held_bytes <= 100
    assert len(cache) == 3
    assert cache.get(("v", "7", 1)) is not None  # now the one used last
    cache.put(("v", "new", 1), b"x" * 30)
    assert cache.get(("v", "7", 1)) is not None and cache.get(("v", "8", 1)) is None
    cache.put(("v", "huge", 1), b"x" * 101)
    assert cache.get(("v", "huge", 1)) is None
    cache.put(("v", "7", 1), b"y" * 10)
    assert cache.held_bytes == 70


def test_more_at_once_than_allowed_are_told_to_come_again(
    open_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client(max_concurrent=2, search_threads=2, request_timeout=30)
    service = client.app.state.server.serving.current.service
    begun, go_on = threading.Semaphore(0), threading.Event()
    search = service.search

    def slow(*args: Any, **options: Any) -> Any:
        begun.release()
        assert go_on.wait(60)
        return search(*args, **options)

    monkeypatch.setattr(service, "search", slow)
    with ThreadPoolExecutor(2) as threads:
        first = [threads.submit(client.post, "/v1/search", json=QUERY) for _ in range(2)]
        for _ in first:
            assert begun.acquire(timeout=60)
        refused = client.post("/v1/search", json=QUERY)
        assert refused.status_code == 503
        assert error_of(refused)["code"] == "overloaded"
        assert refused.headers["Retry-After"] == "1"
        assert client.get("/health").status_code == 200
        go_on.set()
        assert [future.result(60).status_code for future in first] == [200, 200]
    assert client.post("/v1/search", json=QUERY).status_code == 200


def test_work_that_takes_too_long_is_given_up(
    open_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client(request_timeout=0.2)
    go_on = threading.Event()
    service = client.app.state.server.serving.current.service
    monkeypatch.setattr(service, "search", lambda *_, **__: go_on.wait(60))
    response = client.post("/v1/search", json=QUERY)
    go_on.set()
    assert response.status_code == 503
    assert error_of(response)["code"] == "timeout"


def test_bodies_together_are_limited(open_client: Any) -> None:
    client = open_client(max_pending_bytes=2**20, max_upload_bytes=4 * 2**20)
    content = b'{"picture": "' + b"A" * (2**20 + 100) + b'"}'
    headers = {"Content-Type": "application/json"}
    refused = client.post("/v1/search", content=content, headers=headers)
    assert refused.status_code == 503
    assert error_of(refused)["code"] == "overloaded"
    assert client.app.state.server.pending_bytes == 0
    assert client.post("/v1/search", json=QUERY).status_code == 200


def test_wishes_in_words_and_by_name(client: TestClient) -> None:
    query = QUERY | {"words": "darker, not red, never green, in blau", "fields": ["attributes"]}
    answer = client.post("/v1/search", json=query | {"k": 20}).json()
    assert answer["words"]["relative"] == {"lightness": "less"}
    assert answer["words"]["avoid"] == {"colour": ["red", "green"]}
    assert answer["words"]["filters"] == {"colour": {"not": ["green"]}}
    colours = [hit["attributes"]["colour"] for hit in answer["hits"]]
    assert colours and "green" not in colours
    german = client.post("/v1/search", json=QUERY | {"words": "dunkler, in Blau", "language": "de"})
    said = german.json()["words"]
    assert (said["changes"], said["relative"]) == ({"colour": "blue"}, {"lightness": "less"})
    named = QUERY | {
        "relative": {"vividness": "more"},
        "avoid": {"shape": ["bar"]},
        "keep": ["ground"],
        "liked": ["item-002"],
        "disliked": ["item-004"],
    }
    hits = client.post("/v1/search", json=named).json()["hits"]
    assert not {"item-002", "item-004"} & {hit["item_id"] for hit in hits}
    wrong = client.post("/v1/search", json=QUERY | {"relative": {"shape": "more"}})
    assert wrong.status_code == 422
    assert "has no order" in wrong.json()["error"]["message"]
    unknown = client.post("/v1/search", json=QUERY | {"language": "nl"})
    assert unknown.status_code == 422
