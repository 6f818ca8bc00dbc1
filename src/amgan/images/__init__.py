"""Pictures: decode, resize, normalise. The one place for training, index and HTTP alike."""

from amgan.images.claims import decoding_bytes
from amgan.images.decoding import (
    DecodedPicture,
    decode_picture,
    load_picture,
    load_pixels,
    prepare_picture,
)
from amgan.images.files import explain_missing, read_picture
from amgan.images.formats import PICTURE_FORMATS
from amgan.images.settings import (
    DEFAULT_LIMITS,
    PREPROCESSING_VERSION,
    Fit,
    ImageSettings,
    PictureError,
    PictureLimits,
    Pixels,
)
from amgan.images.tensors import to_pixels, to_tensor

__all__ = [
    "DEFAULT_LIMITS",
    "PICTURE_FORMATS",
    "PREPROCESSING_VERSION",
    "DecodedPicture",
    "Fit",
    "ImageSettings",
    "PictureError",
    "PictureLimits",
    "Pixels",
    "decode_picture",
    "decoding_bytes",
    "explain_missing",
    "load_picture",
    "load_pixels",
    "prepare_picture",
    "read_picture",
    "to_pixels",
    "to_tensor",
]
