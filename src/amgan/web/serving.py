"""The model and gallery in use, how they are replaced, and the threads that search."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from amgan.attributes import AttributeSchema
from amgan.gallery.gallery import Gallery
from amgan.gallery.store import MODEL_FILE
from amgan.images import ImageSettings, Pixels
from amgan.methods.compiled import compiled_file, convert_apart
from amgan.methods.query_arrays import QueryArrays
from amgan.methods.trained import TrainedModel
from amgan.search import SearchService
from amgan.search.words import word_fields
from amgan.web.batching import BatchedModel, Batcher
from amgan.web.decoding import LargePictureError, PictureDecoder
from amgan.web.errors import ApiError
from amgan.web.facets import Facets
from amgan.web.logs import logger
from amgan.web.metrics import Metrics
from amgan.web.picture_folder import PictureFolder
from amgan.web.pictures import typical_shape
from amgan.web.settings import ServerSettings
from amgan.words import WordReader

T = TypeVar("T")
Opener = Callable[[], tuple[TrainedModel, Gallery]]
_PICTURE_THREADS = 2
_END_SECONDS = 3.0


@dataclass(frozen=True)
class Loaded:
    """A model and its gallery, ready to search; never changed."""

    service: SearchService
    opened_at: float
    draws_prototypes: bool
    reader: Callable[[str], WordReader]
    picture_shape: float
    folder: PictureFolder
    missing_pictures: int

    @property
    def gallery(self) -> Gallery:
        """The gallery."""
        return self.service.gallery

    @property
    def model_id(self) -> str:
        """Short name of the weights."""
        return self.service.model.identity[:12]

    @cached_property
    def version(self) -> str:
        """The gallery's version; changes whenever pictures or labels can have changed."""
        folder = self.gallery.folder
        return f"{folder.name}-{int(self.opened_at)}" if folder else f"memory-{self.opened_at:.3f}"

    @cached_property
    def facets(self) -> Facets:
        """What it can be filtered by."""
        return Facets(self.gallery)


def read_in_any_language(
    schema: AttributeSchema, fields: Mapping[str, tuple[str, ...]]
) -> Callable[[str], WordReader]:
    """Gives the reader of a language, made when it is first asked for; English is made now.

    Raises (when called):
        InputError: no words of this language.
    """

    @cache
    def reader(language: str) -> WordReader:
        return WordReader(schema, language=language, fields=fields)

    reader("en")
    return reader


class Serving:
    """Holds what is in use. A request takes `current` once and keeps it to its end.

    Args:
        settings: the server's.
        opener: opens model and gallery; called again at each reload.
        metrics: told of loads, batches and search parts.
    """

    def __init__(self, settings: ServerSettings, opener: Opener, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self._opener = opener
        self._current: Loaded | None = None
        self.load_error: str | None = None  # of the last load, where it failed
        self._reloading = threading.Lock()
        self.batcher = Batcher(
            settings.batch_size, settings.batch_window_ms / 1000, metrics.batches.observe
        )
        self._decoder = PictureDecoder(settings.picture_limits, settings.decode_timeout)
        self._threads = ThreadPoolExecutor(settings.search_threads, "amgan-search")
        self._picture_threads = ThreadPoolExecutor(_PICTURE_THREADS, "amgan-pictures")

    @property
    def ready(self) -> bool:
        """Whether searches can be answered."""
        return self._current is not None

    @property
    def current(self) -> Loaded:
        """What is in use.

        Raises:
            ApiError: nothing yet.
        """
        if self._current is None:
            raise ApiError(
                503, "not_ready", "the gallery is being opened", headers={"Retry-After": "2"}
            )
        return self._current

    def load(self, *, wait: bool = False) -> Loaded:
        """Open model and gallery and switch to them at once; on failure the old ones stay in use.

        Args:
            wait: for a reload that is under way already, which may have read older files.

        Raises:
            ApiError: a reload is under way already.
            ValueError: model or gallery cannot be opened.
        """
        if not self._reloading.acquire(blocking=wait):
            raise ApiError(409, "reloading", "a reload is under way", headers={"Retry-After": "2"})
        try:
            loaded = self._open()
        except Exception as error:
            self.load_error = str(error)
            self.metrics.reloads.labels("failed").inc()
            self.metrics.newest_unusable.set(1)
            logger().error("load failed", reason=str(error))
            raise
        finally:
            self._reloading.release()
        self._current = loaded
        self.load_error = None
        self._report(loaded)
        return loaded

    def _open(self) -> Loaded:
        model, gallery = self._opener()
        self._compile(model, gallery)
        batched = BatchedModel(model, self.batcher)
        folder = PictureFolder.of(gallery)
        service = SearchService(
            batched, gallery, self.settings.picture_limits, folder.confine(self._decoder.pixels)
        )
        loaded = Loaded(
            service,
            time.time(),
            self._warm_up(service),
            read_in_any_language(service.schema, word_fields(gallery)),
            typical_shape(gallery.items.images),
            folder,
            self._count_missing(folder, gallery),
        )
        _ = loaded.facets, gallery.items.find("")
        return loaded

    def _compile(self, model: TrainedModel, gallery: Gallery) -> None:
        """Take the converted network that lies beside the model, or beside the gallery's copy.

        Converting leaves memory behind, which a server that reloads for months has not to give. So
        where there is none, such as in a gallery of an older release, another process does it.
        """
        files = [] if gallery.folder is None else [compiled_file(gallery.folder / MODEL_FILE)]
        if model.load_compiled(*files):
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "network.compiled"
            if model.file is None or not convert_apart(model.file, file):
                logger().warning("not compiled: single queries take longer")
                return
            model.load_compiled(file)

    @staticmethod
    def _count_missing(folder: PictureFolder, gallery: Gallery) -> int:
        """Number of pictures that cannot be shown or searched with; warns where there are any."""
        missing = folder.missing(gallery)
        if missing:
            logger().warning(
                "pictures missing",
                missing=len(missing),
                items=len(gallery),
                folder=str(folder.root),
                example=str(missing[0]),
                advice="AMGAN_PICTURES names the folder that they lie in",
            )
        return len(missing)

    @staticmethod
    def _warm_up(service: SearchService) -> bool:
        """One query before the first, so that nobody waits for what is set up at first use.

        Returns:
            Whether the model draws prototypes.
        """
        images = service.model.images
        grey = np.full((1, images.height, images.width, 3), 128, np.uint8)
        nothing = np.zeros((1, service.schema.num_values), np.float32)
        queries = QueryArrays(grey, nothing)
        service.rank(queries, 1)
        service.model.predict_attributes(grey)
        return service.model.answer_queries(queries).prototypes is not None

    def _report(self, loaded: Loaded) -> None:
        gallery, metrics = loaded.gallery, self.metrics
        method = loaded.service.model.description.method
        metrics.reloads.labels("done").inc()
        metrics.gallery_items.set(len(gallery))
        metrics.missing_pictures.set(loaded.missing_pictures)
        metrics.gallery_verified.set(bool(gallery.manifest.files))
        metrics.newest_unusable.set(0)
        metrics.loaded.clear()
        metrics.loaded.labels(loaded.model_id, method, gallery.name, loaded.version).set(1)
        metrics.loaded_at.set(loaded.opened_at)
        logger().info(
            "loaded",
            model=loaded.model_id,
            method=method,
            gallery=gallery.name,
            version=loaded.version,
            items=len(gallery),
        )

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Run `call` in a search thread; one that has not begun when it is cancelled never does.

        Raises:
            ApiError: it took too long.
        """

        def run() -> T:
            with self.batcher.caller():
                return call()

        return await self._in_time(asyncio.get_running_loop().run_in_executor(self._threads, run))

    async def with_picture(self, images: ImageSettings, call: Callable[[Pixels | None], T]) -> T:
        """Run `call` in a search thread, with None; where a picture that it decodes takes much.

        Then the picture is decoded apart, one at a time, and `call` is run again with its pixels:
        meanwhile it has no thread, so that others search.

        Args:
            images: what pixels have to be.
            call: raises `LargePictureError` where it is not given the pixels of a large picture.

        Raises:
            ApiError: it took too long.
        """
        try:
            return await self.in_thread(lambda: call(None))
        except LargePictureError as large:
            apart = self._decoder.pixels_apart(large.source, images)
        pixels = await self._in_time(apart)
        return await self.in_thread(lambda: call(pixels))

    async def thumbnail(self, path: Path, width: int) -> bytes:
        """As `encode_thumbnail`, in threads that keep no search waiting.

        Raises:
            ApiError: it took too long.
            PictureError: the picture cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            here = loop.run_in_executor(
                self._picture_threads, lambda: self._decoder.thumbnail(path, width)
            )
            return await self._in_time(here)
        except LargePictureError as large:
            apart = self._decoder.thumbnail_apart(large.source, width)
        return await self._in_time(apart)

    async def _in_time(self, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.settings.request_timeout):
                return await work
        except TimeoutError:
            raise ApiError(
                503,
                "timeout",
                f"not done within {self.settings.request_timeout:g} s; try again shortly",
                headers={"Retry-After": "5"},
            ) from None

    def close(self) -> None:
        """Finish what was begun, but for pictures that take long; wait for it a moment at most."""
        self._decoder.close()
        for threads in (self._threads, self._picture_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        ending = threading.Thread(target=self._end, name="amgan-end", daemon=True)
        ending.start()
        ending.join(_END_SECONDS)
        if ending.is_alive():
            logger().warning("stopped before all work was done", seconds=_END_SECONDS)

    def _end(self) -> None:
        for threads in (self._threads, self._picture_threads):
            threads.shutdown(wait=True)
        self.batcher.close()
