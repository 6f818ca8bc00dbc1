from __future__ import annotations

from amgan.attributes import AttributeSchema

SHOP = AttributeSchema.from_dict(
    {
        "category": ["Sweater", "T-shirt", "Shirt", "Hoodie", "Jacket"],
        "colour": ["Black", "Grey", "White", "Blue", "Red", "Brown", "Beige", "Turquoise"],
        "pattern": ["Solid", "Stripe", "Check", "Dot", "Floral", "Print"],
        "sleeve": ["sleeveless", "short", "3/4", "long"],
        "neck": ["round", "v-neck", "collar", "hood", "high", "low"],
        "fit": ["slim", "regular", "loose"],
    }
)
FIELDS = {
    "brand": ["Arrow", "North Wind"],
    "price": ["19.90", "25", "34.50"],
    "size": ["S", "M", "L"],
}
