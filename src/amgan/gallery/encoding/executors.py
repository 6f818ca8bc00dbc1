"""Who encodes the blocks of a catalogue: threads, processes, or Ray on many machines.

An executor maps blocks to what became of them, in order and only a few blocks ahead of the caller,
who brings them to the disk. All give the same vectors, but for rounding where they compute with
another number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from itertools import islice, tee
from pathlib import Path

from amgan.catalogue.parallel import available_workers, map_in_threads
from amgan.gallery.encoding.blocks import (
    Block,
    EncodedBlock,
    EncodingOptions,
    Recipe,
    encode_pictures,
    given_pictures,
)
from amgan.gallery.encoding.executor_choice import ExecutorChoice
from amgan.gallery.encoding.processes import map_in_processes
from amgan.images import DecodedPicture, decode_picture
from amgan.methods.trained import TrainedModel

Encoding = Generator[EncodedBlock, None, None]  # closing it ends the work
# The model, its file (None where it has none), how, and what is to be encoded.
Executor = Callable[[TrainedModel, Path | None, EncodingOptions, Iterator[Block]], Encoding]


def encode_in_threads(
    model: TrainedModel, model_file: Path | None, options: EncodingOptions, blocks: Iterator[Block]
) -> Encoding:
    """Threads decode ahead while this process encodes."""

    def decode(image: Path) -> DecodedPicture:
        return decode_picture(image, model.images, options.limits)

    blocks, ahead = tee(blocks)
    images = (image for block in ahead for image in block.images)
    with closing(map_in_threads(decode, images, options.workers)) as decoded:
        for block in blocks:
            if block.pixels is not None:
                yield encode_pictures(model, given_pictures(block.pixels))
            else:
                yield encode_pictures(model, islice(decoded, len(block.images)))


def encode_in_processes(
    model: TrainedModel, model_file: Path | None, options: EncodingOptions, blocks: Iterator[Block]
) -> Encoding:
    """Each of several processes decodes and encodes whole blocks."""
    assert model_file is not None
    workers = available_workers() if options.workers is None else options.workers
    recipe = Recipe.of(model, options.limits)
    yield from map_in_processes(recipe, model_file, blocks, workers)


def encode_with_ray(
    model: TrainedModel, model_file: Path | None, options: EncodingOptions, blocks: Iterator[Block]
) -> Encoding:
    """Actors of a Ray cluster decode and encode whole blocks."""
    from amgan.gallery.encoding.ray_executor import map_with_ray

    assert model_file is not None
    recipe = Recipe.of(model, options.limits)
    yield from map_with_ray(recipe, model_file, blocks, options.workers)


EXECUTORS: Mapping[ExecutorChoice, Executor] = {
    ExecutorChoice.threads: encode_in_threads,
    ExecutorChoice.processes: encode_in_processes,
    ExecutorChoice.ray: encode_with_ray,
}
