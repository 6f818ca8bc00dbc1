"""Training, indexing and search speed on this machine, each against a baseline in the same run.

    python benchmarks/speed.py                       all parts, small scale
    python benchmarks/speed.py training --repeats 9
    python benchmarks/speed.py --json speed.json

Medians over repeats; the compared variants take turns, so that a change of load meets both.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch loads its OpenMP

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from amgan.attributes import Change
from amgan.catalogue.records import Catalogue
from amgan.catalogue.studio import STUDIO_SCHEMA, write_studio_catalogue
from amgan.catalogue.table import TableLayout, load_table
from amgan.devices import Compute, choose_compute
from amgan.evaluation.report import commit_id, machine_description
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import build_gallery
from amgan.images import ImageSettings, Pixels
from amgan.methods.description import ModelDescription
from amgan.methods.trained import TrainedModel
from amgan.models.network import NetworkConfig
from amgan.queries import sample_triplets
from amgan.search import SearchService
from amgan.training.data import BatchRequest, TripletBatches
from amgan.training.loop import Trainer, TrainingConfig
from amgan.training.run_folder import RunFolder

SMALL = NetworkConfig(generator_width=32, latent_channels=128)
IMAGES = ImageSettings(64, 64)
BATCH = 64


def describe(method: str) -> ModelDescription:
    return ModelDescription(method, {}, STUDIO_SCHEMA, IMAGES, SMALL, {})


def invented_catalogue(n: int) -> tuple[Catalogue, Pixels]:
    """Noise pictures with random labels: speed does not depend on what they show."""
    rng = np.random.default_rng(0)
    labels = np.stack([rng.integers(0, size, n) for size in STUDIO_SCHEMA.sizes], 1)
    ids = tuple(map(str, range(n)))
    catalogue = Catalogue(
        "noise",
        STUDIO_SCHEMA,
        ids,
        (Path("none"),) * n,
        labels.astype(np.int16),
        (None,) * n,
        ("train",) * n,
    )
    return catalogue, rng.integers(0, 256, (n, IMAGES.height, IMAGES.width, 3), np.uint8)


def training_steps(method: str, compute: Compute) -> Callable[[], None]:
    """One whole step (all phases, data included) of a freshly built method."""
    catalogue, pixels = invented_catalogue(2000)
    triplets = sample_triplets(catalogue, changes=(1, catalogue.schema.num_attributes))
    batches = TripletBatches(
        catalogue, pixels, triplets, np.arange(2000), batch_size=BATCH, seed=0, flip=True
    )
    torch.manual_seed(0)
    folder = RunFolder(Path(tempfile.mkdtemp(prefix="amgan-speed-")))
    trainer = Trainer(describe(method).build(), batches, TrainingConfig(), folder, "", lambda: None)
    trainer.compute = compute
    trainer.method.to(memory_format=compute.memory_format)

    def step() -> None:
        for stream, phase in enumerate(trainer.phases):
            trainer._take_step(phase, batches.batch(BatchRequest(0, 0, stream), compute))

    return step


def measure_training(repeats: int) -> dict[str, Any]:
    """Images/s of AMGAN-P and -T: this program's choice against plain float32, eager."""
    chosen = choose_compute()
    plain = Compute(chosen.device, bfloat16=False, channels_last=False)
    result: dict[str, Any] = {"chosen": f"bf16={chosen.bfloat16}, channels_last"}
    for method in ("amgan-p", "amgan-t"):
        steps = {"chosen": training_steps(method, chosen), "plain": training_steps(method, plain)}
        seconds = take_turns(steps, repeats)
        rates = {name: BATCH / statistics.median(values) for name, values in seconds.items()}
        result[method] = {
            "images_per_second": rates["chosen"],
            "plain_fp32_eager": rates["plain"],
            "ratio": rates["chosen"] / rates["plain"],
        }
    result["peak_memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return result


def measure_indexing(repeats: int, items: int = 3000) -> dict[str, Any]:
    """Items/s from picture files (JPEG or PNG of 128 x 128) to a gallery folder on disk."""
    model = TrainedModel(describe("amgan-p").build(), describe("amgan-p"), choose_compute())
    with tempfile.TemporaryDirectory(prefix="amgan-speed-") as folder:
        root = Path(folder)
        table = write_studio_catalogue(root / "catalogue", items, seed=0)
        layout = TableLayout(attributes=STUDIO_SCHEMA.names, item_id="item_id")
        catalogue, _ = load_table(table, layout, schema=STUDIO_SCHEMA, check_pictures=False)
        seconds = []
        for repeat in range(repeats):
            start = time.perf_counter()
            build_gallery(root / f"gallery-{repeat}", model, catalogue)
            seconds.append(time.perf_counter() - start)
    return {"items": items, "items_per_second": items / statistics.median(seconds)}


def measure_query(repeats: int, items: int = 50_000) -> dict[str, Any]:
    """One query, end to end and by part, against raw FAISS and a plain numpy scan."""
    model = TrainedModel(describe("amgan-p").build(), describe("amgan-p"), choose_compute())
    catalogue, pixels = invented_catalogue(items)
    gallery = Gallery.in_memory(model, catalogue, pixels)
    service = SearchService(model, gallery)
    flat = faiss.IndexFlatL2(gallery.vectors.shape[1])
    flat.add(gallery.vectors)
    with tempfile.TemporaryDirectory(prefix="amgan-speed-") as folder:
        write_studio_catalogue(Path(folder), 20, seed=1)
        photo = sorted((Path(folder) / "images").rglob("*.*"))[0].read_bytes()
    attribute = STUDIO_SCHEMA.attributes[1]
    change = Change(attribute.name, attribute.values[0])
    vector = np.ascontiguousarray(gallery.vectors[:1] + 0.01)
    parts: dict[str, list[float]] = {}

    def query() -> None:
        for part, value in service.search(photo, [change], k=12).seconds.items():
            parts.setdefault(part, []).append(value)

    calls: dict[str, Callable[[], Any]] = {
        "end_to_end": query,
        "engine": lambda: gallery.engine.search(vector, 12),
        "raw_faiss": lambda: flat.search(vector, 12),
        "numpy_scan": lambda: np.argsort(((gallery.vectors - vector) ** 2).sum(1))[:12],
    }
    seconds = take_turns(calls, repeats)
    medians = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    return {
        "gallery": f"{items} x {gallery.vectors.shape[1]}",
        "milliseconds": medians,
        "parts_milliseconds": {k: 1000 * statistics.median(v) for k, v in parts.items()},
        "engine_over_raw_faiss": medians["engine"] / medians["raw_faiss"],
        "numpy_over_engine": medians["numpy_scan"] / medians["engine"],
    }


def take_turns(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call, in turns, after two rounds that do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if repeat >= 2:
                seconds[name].append(time.perf_counter() - start)
    return seconds


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "training": measure_training,
    "indexing": lambda repeats: measure_indexing(min(repeats, 3)),
    "query": lambda repeats: measure_query(max(repeats, 50)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all where none is named")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine_description(), "commit": commit_id()}
    for part in arguments.parts or PARTS:
        figures[part] = PARTS[part](arguments.repeats)
        print(json.dumps({part: figures[part]}, indent=2, default=float), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
