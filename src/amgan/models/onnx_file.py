"""Encoders in ONNX files: how they want their pictures, and what they make of them.

Beside `encoder.onnx` lies `encoder.toml`, which says what the ONNX file does not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from amgan.errors import InputError
from amgan.models.pretrained import read_file
from amgan.openvino_runtime import has_openvino, import_openvino, openvino_core

Floats = NDArray[np.float32]
_MEASURED = "features"


@dataclass(frozen=True)
class OnnxDescription:
    """How an encoder wants its pictures, and what to take of what it gives.

    Attributes:
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.
        mean: of red, green and blue, with pixels of 0 to 1; it is taken away first.
        deviation: what is left is divided by it.
        layout: order of the input's dimensions; a map's are ordered alike.
        channels: order of the colours.
        output: name of the output to take; empty where there is one only.
        features: length of a picture's features; measured, not given.
    """

    height: int
    width: int
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"
    output: str = ""
    features: int = 0

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise InputError(f"height and width must be positive, not {self.height, self.width}")
        if min(self.deviation) <= 0:
            raise InputError(f"the deviation must be positive, not {list(self.deviation)}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture, in the encoder's order."""
        if self.layout == "NCHW":
            return (3, self.height, self.width)
        return (self.height, self.width, 3)


class OnnxEncoder:
    """An encoder from the content of an ONNX file, run by OpenVINO.

    Args:
        content: of the ONNX file.
        description: how it wants its pictures.
        bfloat16: whether it multiplies in bfloat16.
        name: of the file, for messages.

    Raises:
        InputError: no ONNX model, or one that takes or gives other than described.
    """

    def __init__(
        self, content: bytes, description: OnnxDescription, *, bfloat16: bool = False, name: str
    ) -> None:
        if not has_openvino():
            raise InputError("trunks from ONNX files need OpenVINO: pip install openvino")
        self._name = name
        self._description = description
        model = self._read(content)
        self._check_input(model)
        self._output = self._choose_output(model)
        self._type = model.inputs[0].element_type.to_dtype()
        rows = model.inputs[0].partial_shape[0]
        self._rows = None if rows.is_dynamic else int(rows.get_length())
        shape = import_openvino().PartialShape([self._rows or -1, *description.shape])
        model.reshape({0: shape})
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled: Any = openvino_core().compile_model(model, "CPU", options)

    def __call__(self, images: Floats) -> Floats:
        """The chosen output, of N rows, from pictures (N, 3, H, W) in [-1, 1].

        Maps come as (N, C, h, w), tokens as (N, T, C), features as (N, C).
        """
        given = self._prepare(images)
        size = self._rows or len(given)
        parts = [self._infer(given[start : start + size]) for start in range(0, len(given), size)]
        answer = np.concatenate(parts)
        if answer.ndim == 4 and self._description.layout == "NHWC":
            answer = np.ascontiguousarray(answer.transpose(0, 3, 1, 2))
        return answer

    def _prepare(self, images: Floats) -> NDArray[Any]:
        mean, deviation = (
            np.array(three, np.float32)[:, None, None]
            for three in (self._description.mean, self._description.deviation)
        )
        scaled = (images * np.float32(0.5) + np.float32(0.5) - mean) / deviation
        if self._description.channels == "BGR":
            scaled = scaled[:, ::-1]
        if self._description.layout == "NHWC":
            scaled = scaled.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(scaled, self._type)

    def _infer(self, given: NDArray[Any]) -> Floats:
        """One call; where the file fixes the number of pictures, the last call is filled up."""
        missing = (self._rows or len(given)) - len(given)
        filled = np.concatenate([given, np.zeros((missing, *given.shape[1:]), given.dtype)])
        # A request of its own for each call: calls may come from several threads.
        answer = self._compiled.create_infer_request().infer([filled])[self._output]
        return np.array(answer[: len(given)], np.float32)

    def _read(self, content: bytes) -> Any:
        try:
            return openvino_core().read_model(content)
        except Exception:  # OpenVINO's errors name its own source files
            raise InputError(
                f"{self._name}: not an ONNX model that OpenVINO reads; where its weights lie in "
                "a second file, save it with all of them inside",
                file=self._name,
            ) from None

    def _check_input(self, model: Any) -> None:
        taken = [f"{_name_of(port)} {port.partial_shape}" for port in model.inputs]
        if len(taken) != 1:
            raise InputError(
                f"{self._name}: has {len(taken)} inputs ({', '.join(taken)}); an encoder has one, "
                "the picture: save the picture's part of the model alone",
                file=self._name,
            )
        wanted = [-1, *self._description.shape]
        shape = model.inputs[0].partial_shape
        fits = shape.rank.is_dynamic or (
            len(shape) == 4
            and all(
                size.is_dynamic or size.get_length() == length or length < 0
                for size, length in zip(shape, wanted, strict=True)
            )
        )
        if not fits:
            raise InputError(
                f"{self._name}: takes {taken[0]}, but its description says "
                f"{self._description.layout} pictures of {self._description.height} x "
                f"{self._description.width}, which is [?,{','.join(map(str, wanted[1:]))}]",
                file=self._name,
            )
        if not model.inputs[0].element_type.is_real():
            raise InputError(
                f"{self._name}: takes {model.inputs[0].element_type.get_type_name()}; "
                "an encoder has to take floating-point numbers",
                file=self._name,
            )

    def _choose_output(self, model: Any) -> int:
        names = [_name_of(port) for port in model.outputs]
        wanted = self._description.output
        if not wanted and len(names) == 1:
            wanted = names[0]
        if wanted not in names:
            said = f"has no output {wanted!r}" if wanted else "has several outputs"
            raise InputError(
                f"{self._name}: {said}; name one of {', '.join(names)} as `output` in its "
                "description",
                file=self._name,
            )
        chosen = names.index(wanted)
        shape = model.outputs[chosen].partial_shape
        if shape.rank.is_dynamic or len(shape) not in (2, 3, 4):
            raise InputError(
                f"{self._name}: gives {wanted} {shape}; features [N,F], tokens [N,T,F] or maps "
                "[N,F,h,w] are needed",
                file=self._name,
            )
        return chosen


def _name_of(port: Any) -> str:
    return str(port.any_name) if port.names else "without a name"


def read_onnx(path: Path) -> tuple[bytes, OnnxDescription]:
    """An ONNX file's content, and its description with the length of its features.

    Raises:
        InputError: one of the two files is missing, damaged, or not what the other says.
    """
    description = read_description(path.with_suffix(".toml"))
    content = read_file(path)
    encoder = OnnxEncoder(content, description, name=str(path))
    try:
        answer = encoder(np.zeros((1, 3, description.height, description.width), np.float32))
    except Exception:  # as in reading
        raise InputError(
            f"{path}: does not run on pictures of {description.height} x {description.width}",
            file=path,
        ) from None
    return content, replace(description, features=answer.shape[2 if answer.ndim == 3 else 1])


def read_description(path: Path) -> OnnxDescription:
    """The description beside an ONNX file.

    Raises:
        InputError: no such file, not TOML, an unknown key, or a wrong value.
    """
    known = [field.name for field in fields(OnnxDescription) if field.name != _MEASURED]
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; it has to say how the encoder wants its pictures: "
            f"{', '.join(known)}",
            file=path,
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})", file=path) from None
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(
            f"{path}: unknown key {', '.join(unknown)}; the keys are {', '.join(known)}", file=path
        )
    try:
        return description_from_dict(values)
    except InputError as error:
        raise InputError(f"{path}: {error}", file=path) from None


def description_from_dict(values: Mapping[str, Any]) -> OnnxDescription:
    """A description from plain data.

    Raises:
        InputError: a missing or wrong value.
    """
    try:
        return TypeAdapter(OnnxDescription).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{place}: {first['msg']}, not {first['input']!r}") from None
