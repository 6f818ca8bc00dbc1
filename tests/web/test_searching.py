from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import Response
from PIL import Image
from starlette.testclient import TestClient

from amgan.attributes import Change
from amgan.search import SearchQuery, SearchService, open_search


@pytest.fixture(scope="module")
def service(shop: Path) -> SearchService:
    """The search itself, without the server."""
    return open_search(shop, shop / "gallery", "cpu")


def send_form(client: TestClient, address: str, picture: bytes, query: Any = None) -> Response:
    data = {} if query is None else {"query": json.dumps(query)}
    return client.post(address, files={"picture": ("a.png", picture)}, data=data)


def ids(response: Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [hit["item_id"] for hit in response.json()["hits"]]


def test_search_by_item_answers_as_the_search_itself(
    client: TestClient, service: SearchService
) -> None:
    query = {"item_id": "item-003", "changes": {"colour": "blue", "ground": "dark"}, "k": 7}
    answer = client.post("/v1/search", json=query).json()
    expected = service.search(
        SearchQuery(
            item_id="item-003", changes=(Change("colour", "blue"), Change("ground", "dark")), k=7
        )
    )
    assert [hit["item_id"] for hit in answer["hits"]] == [hit.item_id for hit in expected.hits]
    for hit, wanted in zip(answer["hits"], expected.hits, strict=True):
        assert hit["attributes"] == wanted.labels
        assert hit["matches"] == wanted.matches
        assert hit["fields"] == wanted.fields
        assert hit["score"] == pytest.approx(wanted.score, rel=1e-4)
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, 8))
    assert answer["changes"] == [
        {"attribute": change.attribute, "wanted": change.wanted, "unwanted": change.unwanted}
        for change in expected.changes
    ]
    assert answer["paging"] == {"offset": 0, "k": 7, "total": 39, "next_offset": 7}
    assert set(answer["steps_ms"]) == {"decode", "encode", "search"}
    assert 0 < sum(answer["steps_ms"].values()) <= answer["took_ms"]
    assert answer["model"] == service.model.identity[:12]
    assert "prototype" not in answer


def test_form_and_base64_give_the_same_answer_as_the_search_itself(
    client: TestClient, service: SearchService, picture: bytes
) -> None:
    changes = {"shape": "bar"}
    expected = [
        hit.item_id
        for hit in service.search(SearchQuery(picture, changes=(Change("shape", "bar"),), k=9)).hits
    ]
    encoded = base64.b64encode(picture).decode()
    form = send_form(client, "/v1/search", picture, {"changes": changes, "k": 9})
    assert ids(form) == expected
    for text in (encoded, f"data:image/png;base64,{encoded}"):
        query = {"picture": text, "changes": changes, "k": 9}
        assert ids(client.post("/v1/search", json=query)) == expected


def test_picture_alone_is_a_whole_query(client: TestClient, picture: bytes) -> None:
    response = send_form(client, "/v1/search", picture)
    assert len(ids(response)) == 12
    attributes = response.json()["reference"]["attributes"]
    assert {a["attribute"] for a in attributes} == {"colour", "shape", "ground"}
    assert all(a["source"] == "predicted" and 0 < a["confidence"] <= 1 for a in attributes)


def test_known_attributes_are_taken_instead_of_predictions(
    client: TestClient, picture: bytes
) -> None:
    answer = send_form(client, "/v1/search", picture, {"known": {"colour": "green"}}).json()
    found = {a["attribute"]: a for a in answer["reference"]["attributes"]}
    assert found["colour"] == {
        "attribute": "colour",
        "value": "green",
        "confidence": None,
        "source": "given",
    }
    assert found["shape"]["source"] == "predicted"


def test_pages_join_to_one_list(client: TestClient) -> None:
    query = {"item_id": "item-001", "changes": {"colour": "red"}}
    whole = ids(client.post("/v1/search", json=query | {"k": 39}))
    joined, offset = [], 0
    while offset is not None:
        answer = client.post("/v1/search", json=query | {"k": 10, "offset": offset})
        joined += ids(answer)
        offset = answer.json()["paging"]["next_offset"]
    assert joined == whole
    assert "item-001" not in whole and len(whole) == 39


def test_paging_ends_at_the_depth(client: TestClient, open_client: Any) -> None:
    shallow = open_client(max_depth=20)
    query = {"item_id": "item-001", "k": 10, "offset": 10}
    assert shallow.post("/v1/search", json=query).json()["paging"]["next_offset"] is None
    refused = shallow.post("/v1/search", json=query | {"offset": 11})
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["field"] == "offset"


def test_filters_keep_labels_and_fields(client: TestClient) -> None:
    query = {
        "item_id": "item-001",
        "filters": {"shape": ["bar"], "brand": ["acme", ""]},
        "k": 39,
    }
    answer = client.post("/v1/search", json=query).json()
    assert answer["hits"]
    assert {hit["attributes"]["shape"] for hit in answer["hits"]} == {"bar"}
    assert {hit["fields"]["brand"] for hit in answer["hits"]} == {"acme", None}
    assert answer["paging"]["total"] == len(answer["hits"])


def test_names_are_read_in_any_case(client: TestClient, picture: bytes) -> None:
    encoded = base64.b64encode(picture).decode()
    answers = []
    for colour, bar, brand in (("colour", "bar", "brand"), ("Colour", "BAR", "Brand")):
        query = {
            "picture": encoded,
            "changes": {colour: "red"},
            "known": {"shape": bar},
            "filters": {brand: ["acme"], "shape": [bar]},
        }
        answer = client.post("/v1/search", json=query)
        assert answer.status_code == 200, answer.text
        answers.append([answer.json()[part] for part in ("changes", "reference", "hits")])
    assert answers[0] == answers[1]
    twice = {"item_id": "item-001", "changes": {"colour": "red", "Colour": "blue"}}
    assert client.post("/v1/search", json=twice).status_code == 422


def test_only_the_wanted_fields_are_told(client: TestClient) -> None:
    query = {"item_id": "item-001", "fields": ["score"], "k": 2}
    answer = client.post("/v1/search", json=query).json()
    assert [set(hit) for hit in answer["hits"]] == [{"rank", "item_id", "score"}] * 2
    bare = client.post("/v1/search", json=query | {"fields": []}).json()
    assert [set(hit) for hit in bare["hits"]] == [{"rank", "item_id"}] * 2


def test_prototype_in_the_answer_is_the_one_that_was_searched_for(
    client: TestClient, service: SearchService
) -> None:
    query = {"item_id": "item-002", "changes": {"colour": "blue"}}
    answer = client.post("/v1/search", json=query | {"prototype": True}).json()
    drawn = base64.b64decode(answer["prototype"]["base64"])
    alone = client.post("/v1/prototype", json=query)
    assert alone.headers["Content-Type"] == "image/png"
    assert alone.content == drawn
    expected = service.search(
        SearchQuery(item_id="item-002", changes=(Change("colour", "blue"),), k=1)
    ).prototype
    assert expected is not None
    pixels = np.asarray(Image.open(io.BytesIO(drawn))).astype(int)
    assert np.abs(pixels - expected).max() <= 1


def test_attributes_of_a_picture_agree_with_the_model(
    client: TestClient, service: SearchService, picture: bytes
) -> None:
    answer = send_form(client, "/v1/attributes", picture).json()
    for told, known in zip(answer["attributes"], service.describe(picture), strict=True):
        assert (told["attribute"], told["value"]) == (known.name, known.value)
        assert told["confidence"] == pytest.approx(known.confidence, abs=1e-3)


def test_attributes_of_an_item_are_those_given_and_predictions_for_the_rest(
    client: TestClient,
) -> None:
    answer = client.post("/v1/attributes", json={"item_id": "item-005"}).json()
    found = {a["attribute"]: a["source"] for a in answer["attributes"]}
    assert found == {"colour": "predicted", "shape": "given", "ground": "given"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"item_id": "item-001", "changes": {"collar": "round"}}, "changes.collar"),
        ({"item_id": "item-001", "changes": {"colour": "pink"}}, "changes.colour"),
        ({"item_id": "item-001", "known": {"colour": "pink"}}, "known.colour"),
        ({"item_id": "item-001", "filters": {"colour": ["pink"]}}, "filters.colour"),
        ({"item_id": "item-001", "filters": {"price": ["1"]}}, "filters.price"),
        ({"item_id": "item-001", "filters": {"colour": "red"}}, "filters.colour"),
        ({"item_id": "item-001", "k": 0}, "k"),
        ({"item_id": "item-001", "k": 101}, "k"),
        ({"item_id": "item-001", "k": "many"}, "k"),
        ({"item_id": "item-001", "offset": -1}, "offset"),
        ({"item_id": "item-001", "offset": 10**30}, "offset"),
        ({"item_id": "item-001", "fields": ["path"]}, "fields.0"),
        ({"item_id": "item-001", "colour": "red"}, "colour"),
        ({"item_id": ""}, "item_id"),
        ({"item_id": 7}, "item_id"),
        ({"picture": "%%%"}, "picture"),
        ({"picture": 7}, "picture"),
        ({"picture": "data:image/png,abc"}, "picture"),
    ],
)
def test_wrong_queries_are_refused_by_field(client: TestClient, query: Any, field: str) -> None:
    response = client.post("/v1/search", json=query)
    assert response.status_code == 422, response.text
    error = response.json()["error"]
    assert error["code"] == "invalid"
    assert field in [detail["field"] for detail in error["details"]]


def test_reference_is_one_of_picture_and_item(client: TestClient, picture: bytes) -> None:
    assert client.post("/v1/search", json={}).status_code == 422
    both = send_form(client, "/v1/search", picture, {"item_id": "item-001"})
    assert both.status_code == 422


def test_unknown_item_is_not_found(client: TestClient) -> None:
    response = client.post("/v1/search", json={"item_id": "../../etc/passwd"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "no_such_item"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"no picture", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "picture"),
    ],
)
def test_what_is_no_picture_is_refused(client: TestClient, content: bytes, told: str) -> None:
    response = send_form(client, "/v1/search", content)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "bad_picture"
    assert told in response.json()["error"]["message"]
