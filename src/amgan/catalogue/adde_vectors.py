"""Rows of ADDE's label and indicator files: from text to arrays, and what they mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import MISSING, AttributeSchema, Labels
from amgan.catalogue.lines import Line

SignedIndicator = NDArray[np.int8]


def _read_vector(line: Line, width: int) -> SignedIndicator:
    words = line.text.split()
    if len(words) != width:
        raise line.error(f"has {len(words)} numbers; attr_num.txt makes {width}", value="")
    try:
        return np.array(words, np.int8)
    except (ValueError, OverflowError):
        raise line.error("is not made of small integers") from None


def parse_labels(line: Line, schema: AttributeSchema) -> NDArray[np.int16]:
    """Labels (M,) of a 0/1 row; a block of zeros is a missing label.

    Raises:
        ValidationError: another width, other numbers, or two values of one attribute.
    """
    vector = _read_vector(line, schema.num_values)
    if not np.isin(vector, (0, 1)).all():
        raise line.error("write zeros and ones", value="")
    labels = np.full(schema.num_attributes, MISSING, np.int16)
    for position, columns in enumerate(schema.slices):
        ones = np.flatnonzero(vector[columns])
        if len(ones) > 1:
            message = f"has {len(ones)} values; one or none is possible"
            raise line.error(message, column=schema.names[position], value="")
        if len(ones):
            labels[position] = ones[0]
    return labels


def parse_signs(line: Line, schema: AttributeSchema) -> SignedIndicator:
    """An indicator (J,) with at most one removed and one wanted value an attribute.

    Raises:
        ValidationError: another width, other numbers, or nothing wanted.
    """
    vector = _read_vector(line, schema.num_values)
    if not np.isin(vector, (-1, 0, 1)).all():
        raise line.error("write -1, 0 and 1", value="")
    for name, columns in zip(schema.names, schema.slices, strict=True):
        for sign, what in ((1, "wanted"), (-1, "removed")):
            if np.count_nonzero(vector[columns] == sign) > 1:
                raise line.error(f"more than one value is {what}", column=name, value="")
    if not (vector > 0).any():
        raise line.error("wants no value", value="")
    return vector


def apply_signs(
    line: Line,
    indicator: SignedIndicator,
    reference: NDArray[np.int16],
    schema: AttributeSchema,
) -> NDArray[np.int16]:
    """Labels (M,) of a reference after the change.

    Args:
        line: where the indicator stands.
        indicator: (J,).
        reference: labels (M,).
        schema: attributes and values.

    Raises:
        ValidationError: a value is removed that the reference does not have.
    """
    target = np.array(reference)
    for position, columns in enumerate(schema.slices):
        removed = np.flatnonzero(indicator[columns] < 0)
        wanted = np.flatnonzero(indicator[columns] > 0)
        if len(removed) and removed[0] != reference[position]:
            backwards = len(wanted) and wanted[0] == reference[position]
            hint = "; +1 marks it, so the signs seem to be reversed" if backwards else ""
            message = f"removes a value that the reference does not have{hint}"
            raise line.error(message, column=schema.names[position], value="")
        if len(removed) or len(wanted):
            target[position] = wanted[0] if len(wanted) else MISSING
    return target


def compute_signs(schema: AttributeSchema, reference: Labels, target: Labels) -> SignedIndicator:
    """Indicators (N, J) that lead from `reference` (N, M) to `target` (N, M)."""
    changed = reference != target
    wanted = schema.one_hot(np.where(changed, target, MISSING).astype(np.int16))
    removed = schema.one_hot(np.where(changed, reference, MISSING).astype(np.int16))
    return (wanted - removed).astype(np.int8)
