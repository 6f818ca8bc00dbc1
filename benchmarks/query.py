"""One query from photo to results: decoding, networks, search; by form of the networks and engine.

    python benchmarks/query.py                          untrained networks, invented pictures
    python benchmarks/query.py --gallery run/gallery    a gallery's own model and embeddings
    python benchmarks/query.py --items 200000 --json query.json

Medians; the forms and engines take turns. A gallery that holds fewer items is repeated, with a
little noise on the embeddings, until there are as many. What a search through raw FAISS takes, and
what a graph finds, are in engines.py.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch loads its OpenMP

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from amgan.attributes import Change
from amgan.catalogue.studio import STUDIO_SCHEMA, write_studio_catalogue
from amgan.devices import choose_compute
from amgan.evaluation.report import commit_id, machine_description
from amgan.gallery.engines.approximate import IndexEngine
from amgan.gallery.engines.exact import ExactEngine
from amgan.gallery.engines.settings import parse_engine
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import load_gallery_model, open_gallery
from amgan.methods.facts import ModelFacts
from amgan.methods.fusion import FusionWeights
from amgan.methods.trained import TrainedModel
from amgan.search import SearchQuery, SearchService
from engines import build_graph
from speed import describe, invented_catalogue, take_turns

FUSED = ModelFacts(fusion=FusionWeights(1.0, 1.0), ranking="fused")
NOISE = 0.02  # of the deviation of each number of the embeddings


@dataclass(frozen=True)
class Setup:
    """A model, a gallery and a query.

    Attributes:
        name: in words.
        model, gallery: gallery as the model encoded it, searched exactly.
        photo: picture file.
        change: what is asked.
    """

    name: str
    model: TrainedModel
    gallery: Gallery
    photo: bytes
    change: Change


def invent(items: int) -> Iterator[Setup]:
    """Untrained AMGAN-P of the small scale on noise, ranking purely and fused."""
    catalogue, pixels = invented_catalogue(items)
    with tempfile.TemporaryDirectory(prefix="amgan-query-") as folder:
        write_studio_catalogue(Path(folder), 20, seed=1)
        photo = sorted((Path(folder) / "images").rglob("*.*"))[0].read_bytes()
    attribute = STUDIO_SCHEMA.attributes[1]
    for ranking, facts in (("pure", ModelFacts()), ("fused", FUSED)):
        description = replace(describe("amgan-p"), facts=facts)
        model = TrainedModel(description.build(), description, choose_compute())
        gallery = Gallery.in_memory(model, catalogue, pixels)
        yield Setup(ranking, model, gallery, photo, Change(attribute.name, attribute.values[0]))


def read(folder: Path, items: int) -> Iterator[Setup]:
    """A gallery's own model, photos and embeddings."""
    gallery = open_gallery(folder, engine="faiss://exact")
    model = load_gallery_model(gallery)
    rows = np.arange(items) % len(gallery)
    vectors = np.array(gallery.vectors, np.float32)
    noise = np.random.default_rng(0).standard_normal((items, vectors.shape[1]), np.float32)
    vectors = vectors[rows] + NOISE * noise * vectors.std(0)
    larger = replace(
        gallery,
        manifest=replace(gallery.manifest, count=items),
        items=gallery.items.take(rows),
        labels=np.asarray(gallery.labels)[rows],
        vectors=vectors,
        engine=ExactEngine(vectors, gallery.metric),
    )
    attribute = gallery.schema.attributes[0]
    size = f"{model.images.height} x {model.images.width}"
    name = f"{gallery.name}, {model.description.method}, {size}, {model.ranking}"
    photo = gallery[0].image.read_bytes()
    yield Setup(name, model, larger, photo, Change(attribute.name, attribute.values[0]))


def measure(setup: Setup, repeats: int) -> dict[str, Any]:
    """Milliseconds of each form and engine, end to end and by part."""
    galleries = {"exact": setup.gallery}
    automatic = index_engine(setup.gallery)
    if automatic is not None:
        galleries["auto"] = replace(setup.gallery, engine=automatic)
    parts: dict[str, dict[str, list[float]]] = {}
    calls: dict[str, Callable[[], Any]] = {}
    for form, (engine, gallery) in product(("eager", "compiled"), galleries.items()):
        model = TrainedModel(setup.model.method, setup.model.description, setup.model.compute)
        if form == "compiled":
            model.compile()
        label = f"{form}, {engine}"
        times = parts.setdefault(label, {})
        calls[label] = asking(SearchService(model, gallery), setup, times)
    seconds = take_turns(calls, repeats)
    return {
        "gallery": "{} x {}, {}".format(*setup.gallery.vectors.shape, setup.gallery.metric),
        "auto": automatic.name if automatic is not None else "faiss://exact",
        "milliseconds": {
            label: {
                "end to end": 1000 * statistics.median(seconds[label]),
                **{part: 1000 * statistics.median(v) for part, v in parts[label].items()},
            }
            for label in calls
        },
    }


def asking(
    service: SearchService, setup: Setup, times: dict[str, list[float]]
) -> Callable[[], Any]:
    """The query as a call that notes the seconds of its parts."""

    def ask() -> None:
        for part, value in service.search(
            SearchQuery(setup.photo, changes=(setup.change,), k=12)
        ).seconds.items():
            times.setdefault(part, []).append(value)

    return ask


def index_engine(gallery: Gallery) -> IndexEngine | None:
    """What `auto` searches a gallery of this shape with; None where that is the exact engine."""
    vectors = np.ascontiguousarray(gallery.vectors)
    settings = parse_engine("auto").resolve(*vectors.shape)
    if not settings.builds_index:
        return None
    return build_graph(settings, vectors, gallery.metric)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gallery", type=Path, help="folder of `amgan index`")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    setups = invent(given.items) if given.gallery is None else read(given.gallery, given.items)
    figures: dict[str, Any] = {"machine": machine_description(), "commit": commit_id()}
    for setup in setups:
        figures[setup.name] = measure(setup, given.repeats)
        print(json.dumps({setup.name: figures[setup.name]}, indent=2), flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
