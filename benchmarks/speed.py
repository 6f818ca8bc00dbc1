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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amgan.catalogue.records import Catalogue
from amgan.catalogue.studio import STUDIO_SCHEMA, write_studio_catalogue
from amgan.catalogue.table import TableLayout, load_table
from amgan.devices import Compute, choose_compute
from amgan.evaluation.report import commit_id, machine_description
from amgan.gallery.encoding.blocks import EncodingOptions
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.gallery.store import build_gallery
from amgan.images import ImageSettings, Pixels
from amgan.methods.compiled import compile_network
from amgan.methods.description import ModelDescription
from amgan.methods.trained import TrainedModel
from amgan.models.network import NetworkConfig
from amgan.queries import sample_triplets
from amgan.run_folder import RunFolder
from amgan.training.data import BatchRequest, TripletBatches
from amgan.training.loop import Trainer, TrainingConfig
from amgan.training.run_log import RunLog

SMALL = NetworkConfig(generator_width=32, latent_channels=128)
IMAGES = ImageSettings(64, 64)
BATCH = 64


def describe(method: str) -> ModelDescription:
    return ModelDescription(method, {}, STUDIO_SCHEMA, IMAGES, SMALL)


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
    log = RunLog(RunFolder(Path(tempfile.mkdtemp(prefix="amgan-speed-"))))
    trainer = Trainer(describe(method).build(), batches, TrainingConfig(), log, "", lambda: None)
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
    """Items/s from picture files (JPEG or PNG of 128 x 128) to a gallery folder on disk.

    By executor, the start of processes and of a local Ray included; two workers each.
    """
    model = TrainedModel(describe("amgan-p").build(), describe("amgan-p"), choose_compute())
    executors = [e for e in ExecutorChoice if e is not ExecutorChoice.ray or find_spec("ray")]
    seconds: dict[str, list[float]] = {str(executor): [] for executor in executors}
    with tempfile.TemporaryDirectory(prefix="amgan-speed-") as folder:
        root = Path(folder)
        table = write_studio_catalogue(root / "catalogue", items, seed=0)
        layout = TableLayout(attributes=STUDIO_SCHEMA.names, item_id="item_id")
        catalogue, _ = load_table(table, layout, schema=STUDIO_SCHEMA, check_pictures=False)
        for repeat in range(repeats):
            for executor in executors:
                options = EncodingOptions(executor=executor, workers=2)
                target = root / f"gallery-{repeat}-{executor}"
                start = time.perf_counter()
                build_gallery(target, model, catalogue, encoding=options)
                seconds[str(executor)].append(time.perf_counter() - start)
    rates = {name: items / statistics.median(values) for name, values in seconds.items()}
    return {"items": items, "items_per_second": rates}


def measure_forms(repeats: int) -> dict[str, Any]:
    """Milliseconds of one query through G, E and C, in every form of the networks there is."""
    description = describe("amgan-p")
    compute = choose_compute()
    method = description.build().eval().requires_grad_(False)
    method.to(memory_format=compute.memory_format)
    network = method.query_network()
    assert network is not None
    network.eval()
    picture = torch.rand(1, 3, IMAGES.height, IMAGES.width) * 2 - 1
    picture = picture.to(memory_format=compute.memory_format)
    indicator = torch.eye(STUDIO_SCHEMA.num_values)[:1]
    arrays = (picture.contiguous().numpy(), indicator.numpy())
    compiled = torch.compile(network)

    def in_bfloat16(called: Callable[..., Any]) -> Callable[[], Any]:
        def call() -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return called(picture, indicator)

        return call

    calls: dict[str, Callable[[], Any]] = {
        "eager, fp32": lambda: network(picture, indicator),
        "eager, bf16": in_bfloat16(network),
        "torch.compile, fp32": lambda: compiled(picture, indicator),
        "torch.compile, bf16": in_bfloat16(compiled),
    }
    for name, bfloat16 in (("fp32", False), ("bf16", True)):
        precision = Compute(compute.device, bfloat16, compute.channels_last)
        examples = (picture.repeat(2, 1, 1, 1), indicator.repeat(2, 1))
        queries = compile_network(network, examples, precision)
        calls[f"OpenVINO, {name}"] = lambda queries=queries: queries(*arrays)
    calls |= onnx_form(network, picture, indicator)
    with torch.no_grad():
        wanted = [part.flatten().float() for part in network(picture, indicator)]
        seconds = take_turns(calls, repeats)
        found = {
            name: [torch.as_tensor(p).flatten().float() for p in calls[name]()] for name in calls
        }
    return {
        name: {
            "milliseconds": 1000 * statistics.median(values),
            "least_cosine_to_eager_fp32": min(
                float(torch.nn.functional.cosine_similarity(one, other, 0))
                for one, other in zip(found[name], wanted, strict=True)
            ),
        }
        for name, values in seconds.items()
    }


def onnx_form(
    network: torch.nn.Module, picture: torch.Tensor, indicator: torch.Tensor
) -> dict[str, Callable[[], Any]]:
    """ONNX Runtime's form; none where onnx or onnxruntime is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError:
        return {}
    with tempfile.TemporaryDirectory(prefix="amgan-speed-") as folder:
        file = Path(folder) / "query.onnx"
        torch.onnx.export(network, (picture, indicator), str(file), dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(file.read_bytes(), options)
    names = [value.name for value in session.get_inputs()]
    fed = dict(zip(names, (picture.contiguous().numpy(), indicator.numpy()), strict=True))
    return {"ONNX Runtime, fp32": lambda: session.run(None, fed)}


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
    "forms": lambda repeats: measure_forms(max(repeats, 50)),
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
