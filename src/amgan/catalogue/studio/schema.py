"""What describes rendered garments: attributes, how often values occur, what does not go together.

Every combination of values can be drawn, so that any change of any garment has a picture. The rules
only keep sampled garments wearable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from amgan.attributes import Attribute, AttributeSchema

# Value -> relative frequency, in schema order.
FREQUENCIES: dict[str, dict[str, float]] = {
    "category": {
        "t-shirt": 24,
        "shirt": 16,
        "blouse": 12,
        "jumper": 15,
        "sweatshirt": 11,
        "jacket": 10,
        "coat": 6,
        "tunic": 6,
    },
    "colour": {
        "black": 17,
        "white": 14,
        "grey": 9,
        "blue": 9,
        "navy": 8,
        "red": 7,
        "green": 6,
        "pink": 6,
        "beige": 6,
        "khaki": 4,
        "brown": 3,
        "orange": 3,
        "yellow": 3,
        "turquoise": 3,
        "purple": 2,
    },
    "pattern": {
        "plain": 42,
        "striped": 13,
        "checked": 8,
        "floral": 7,
        "graphic": 7,
        "dotted": 6,
        "pinstriped": 4,
        "colour block": 4,
        "leopard": 3,
        "zigzag": 2,
        "camouflage": 2,
        "ombre": 2,
    },
    "sleeve": {
        "long": 37,
        "short": 26,
        "sleeveless": 9,
        "three-quarter": 7,
        "elbow": 5,
        "cap": 4,
        "strap": 4,
        "bell": 4,
        "balloon": 4,
    },
    "neckline": {
        "round": 42,
        "v-neck": 20,
        "scoop": 10,
        "boat": 8,
        "square": 7,
        "keyhole": 5,
        "notch": 4,
        "sweetheart": 4,
    },
    "collar": {
        "none": 48,
        "shirt": 14,
        "hood": 9,
        "lapel": 6,
        "stand": 6,
        "roll neck": 5,
        "shawl": 3,
        "peter pan": 3,
        "ruffle": 3,
        "bow": 3,
    },
    "fastening": {
        "none": 46,
        "buttons": 17,
        "zip": 10,
        "half placket": 6,
        "half zip": 5,
        "open": 5,
        "double-breasted": 4,
        "wrap": 3,
        "toggles": 2,
        "laces": 2,
    },
    "pocket": {
        "none": 50,
        "chest": 15,
        "welt": 10,
        "kangaroo": 8,
        "patch": 7,
        "flap": 6,
        "zip": 4,
    },
    "fit": {"regular": 44, "slim": 20, "loose": 16, "waisted": 11, "a-line": 9},
    "fabric": {
        "jersey": 42,
        "ribbed": 11,
        "denim": 9,
        "cable knit": 7,
        "satin": 7,
        "leather": 6,
        "lace": 5,
        "fleece": 5,
        "corduroy": 4,
        "quilted": 4,
    },
    "length": {"hip": 54, "thigh": 20, "cropped": 18, "knee": 8},
    "detail": {
        "none": 58,
        "contrast trim": 12,
        "badge": 8,
        "yoke": 7,
        "side panels": 6,
        "belt": 5,
        "fringe": 4,
    },
}

STUDIO_SCHEMA = AttributeSchema(
    tuple(Attribute(name, tuple(values)) for name, values in FREQUENCIES.items())
)

# Each rule names values of several attributes that a sampled garment does not have together.
RULES: tuple[Mapping[str, tuple[str, ...]], ...] = (
    {"category": ("coat", "tunic"), "length": ("cropped",)},
    {"category": ("coat", "jacket", "jumper", "sweatshirt"), "sleeve": ("strap",)},
    {"category": ("t-shirt", "blouse", "shirt", "tunic"), "fabric": ("quilted",)},
    {"category": ("t-shirt", "shirt", "blouse"), "fastening": ("toggles",)},
    {"category": ("t-shirt",), "collar": ("lapel",)},
    {"sleeve": ("strap",), "collar": ("shirt", "hood", "lapel", "stand", "shawl", "roll neck")},
    {"collar": ("lapel", "shawl"), "fastening": ("half zip", "half placket", "laces")},
    {"collar": ("lapel", "shawl", "bow"), "neckline": ("keyhole", "notch", "boat")},
    {"collar": ("roll neck", "hood"), "neckline": ("boat", "square", "sweetheart")},
    {"collar": ("roll neck",), "fastening": ("wrap", "open", "laces")},
    {"neckline": ("keyhole", "notch"), "fastening": ("half zip", "half placket", "laces")},
    {"fastening": ("double-breasted", "wrap", "toggles"), "pocket": ("kangaroo",)},
    {"fastening": ("open", "wrap", "double-breasted", "toggles"), "pattern": ("graphic",)},
    {"collar": ("lapel", "shawl", "bow"), "pattern": ("graphic",)},
    {"fastening": ("wrap",), "detail": ("belt",)},
    {"length": ("cropped",), "detail": ("belt",)},
    {"length": ("cropped",), "pocket": ("kangaroo",)},
)


@cache
def value_probabilities(attribute: str) -> NDArray[np.float64]:
    """Probability of each value of an attribute before rules, in schema order."""
    weights = np.array(list(FREQUENCIES[attribute].values()), np.float64)
    weights /= weights.sum()
    return weights


_REFUSED = tuple(
    tuple(
        (
            STUDIO_SCHEMA.attribute_position(attribute),
            frozenset(STUDIO_SCHEMA.value_position(attribute, value) for value in values),
        )
        for attribute, values in rule.items()
    )
    for rule in RULES
)


def breaks_rules(labels: Sequence[int]) -> bool:
    """Whether some rule names the values of these labels (M,) together."""
    return any(all(labels[position] in values for position, values in rule) for rule in _REFUSED)
