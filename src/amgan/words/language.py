"""The English of fashion: words that mean the same, filler words, negations, spelling."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Each row holds names for one thing. A row serves a value only through a name that the schema
# itself uses, and never overrides another value's own name.
VALUE_SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("t-shirt", "tee", "tee shirt"),
    ("jumper", "sweater", "pullover"),
    ("sweatshirt", "sweat top"),
    ("hoodie", "hoody", "hooded sweatshirt"),
    ("vest top", "tank top", "tank", "singlet"),
    ("cardigan", "cardi"),
    ("blazer", "suit jacket"),
    ("polo shirt", "polo"),
    ("bodysuit", "body"),
    ("grey", "gray", "silver grey"),
    ("navy", "navy blue", "dark blue"),
    ("khaki green", "khaki"),
    ("lilac purple", "purple", "lilac"),
    ("purple", "violet"),
    ("turquoise", "teal", "aqua"),
    ("beige", "sand"),
    ("solid", "plain", "unpatterned", "single-coloured", "one-coloured"),
    ("striped", "stripes", "stripy"),
    ("checked", "checkered", "chequered", "check", "plaid", "tartan", "gingham"),
    ("dotted", "dots", "polka dot", "polka dotted", "spotted", "spots"),
    ("floral", "flowers", "flowery", "flower print"),
    ("animal", "animal print"),
    ("leopard", "leopard print"),
    ("graphic", "graphic print", "logo"),
    ("camouflage", "camo"),
    ("melange", "marl", "heather", "mottled"),
    ("colour block", "colour blocking", "colour blocked"),
    ("all over pattern", "all over print", "allover"),
    ("embroidery", "embroidered"),
    ("application", "applique"),
    ("glitter", "glittering", "sequin", "sparkly"),
    ("3/4", "three-quarter", "three quarters", "3/4 length", "three quarter length"),
    ("sleeveless", "no sleeves", "without sleeves"),
    ("round", "crew", "crew neck", "round neck"),
    ("v-neck", "v", "vee", "vee neck", "v-shaped"),
    ("boat", "boat neck", "bateau"),
    ("scoop", "scoop neck"),
    ("square", "square neck"),
    ("roll neck", "polo neck", "turtleneck", "turtle"),
    ("hood", "hooded"),
    ("lapel", "revers"),
    ("stand", "stand-up", "mandarin", "band"),
    ("zip", "zipper", "zipped", "zip up"),
    ("buttons", "button", "buttoned", "button up", "button down"),
    ("slim", "slim fit", "fitted"),
    ("loose", "loose fit", "relaxed"),
    ("oversize", "oversized"),
    ("cropped", "crop"),
    ("denim", "jean", "jeans"),
    ("knit", "knitted", "knitwear"),
    ("ribbed", "rib"),
    ("wool", "woollen", "woolen"),
    ("male", "man", "men", "mens", "men's", "menswear"),
    ("female", "woman", "women", "womens", "women's", "ladies", "ladieswear", "womenswear"),
)
# Left a colour, right shades of it: offered where the schema has the colour but not the shade.
SHADES: dict[str, tuple[str, ...]] = {
    "blue": ("navy", "cobalt", "azure", "indigo", "royal blue", "sky blue"),
    "red": ("burgundy", "bordeaux", "maroon", "wine", "crimson", "scarlet"),
    "green": ("olive", "emerald", "mint", "sage", "khaki", "lime"),
    "pink": ("rose", "fuchsia", "magenta", "blush", "salmon"),
    "purple": ("lavender", "mauve", "plum", "aubergine", "lilac", "violet"),
    "brown": ("camel", "tan", "chocolate", "cognac", "rust"),
    "beige": ("cream", "ecru", "taupe", "nude", "oatmeal", "sand"),
    "white": ("ivory",),
    "grey": ("charcoal", "anthracite", "slate", "silver"),
    "yellow": ("mustard", "lemon"),
    "orange": ("apricot", "peach", "terracotta"),
}
ATTRIBUTE_SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("neck", "neckline"),
    ("sleeve", "sleeves", "sleeved", "sleeve length", "sleevelen", "arms"),
    ("colour", "color", "coloured"),
    ("pattern", "print"),
    ("fabric", "material"),
    ("fastening", "closure"),
    ("category", "garment", "type"),
    ("gender", "sex"),
)
# Spellings of one word, left the other, right ours.
SPELLINGS = {
    "color": "colour",
    "colors": "colours",
    "colored": "coloured",
    "gray": "grey",
    "fiber": "fibre",
    "jewelry": "jewellery",
    "center": "centre",
    "pajama": "pyjama",
}
# Between a value and its attribute: "the neck should be round", "black in colour".
BRIDGES = _set_of("a an any the is are be should must shall to in of that which as it its")
CONNECTORS = _set_of("and with but plus also then")
FILLERS = (
    BRIDGES
    | CONNECTORS
    | _set_of(
        "i id i'd we want wants would like please can could you make give show find me us my this "
        "these one ones same item instead change changed switch turn into has have having for on "
        "at some just only now more version look looking search need prefer piece"
    )
)
NEGATIONS = _set_of(
    "no not non never without w/o minus except from than less lose drop remove lacking nor neither "
    "dont cannot unlike avoid"
)
# Before an attribute: "no collar", "without a collar".
ABSENCES = _set_of("no without w/o minus lacking remove lose drop non")
BREAKS = frozenset(",;.!?|\n")
# Correct words that differ in one letter from others: they are not taken for typos.
CORRECT_WORDS = _set_of(
    "light tight sight night right bright dark black blank block white while whole write green "
    "brown crown grown short shirt skirt sport shore store stone stole large loose "
    "house blouse close cloth clothe clothes dress press cross cotton button bottom collar dollar "
    "collage coat boat goat cord lord floral coral choral sheer sheet sleek check cheek chick "
    "chest crest vest west rest best bust dust rust must print point paint plain plaid plane place "
    "lace face race pink link wink silk milk sand band hand brand grand stand strand round "
    "sound wound found pound ground crew brew drew threw cream dream fleece sleeve sleeves "
    "pleat cleat great treat wheat heart smart start strap stripe strips trip drip "
    "satin latin stain denim linen liner lined woven woman women waist waste paste taste "
    "small smell shell shall shape shade share square squared scare scarf front frost elbow below "
    "yellow mellow fellow orange range purple people violet ruffle raffle quilt guilt built "
    "velvet length strength formal normal casual usual slim slip slid"
)

_LETTER = r"(?:[^\W_]|[\u0300-\u036f])"  # accents may come as characters of their own
_WORD = re.compile(rf"w/o\b|{_LETTER}+(?:['’]{_LETTER}+)*|[,;.!?|\n]", re.IGNORECASE)


def tokenise(text: str) -> list[tuple[str, int, int]]:
    """Words and breaks with their first and last position; words in lower case."""
    return [
        (unicodedata.normalize("NFKC", found.group()).casefold(), found.start(), found.end())
        for found in _WORD.finditer(text)
    ]


def words_of(text: str) -> tuple[str, ...]:
    """The words and breaks of a name."""
    return tuple(word for word, _, _ in tokenise(text))


def fold(word: str) -> str:
    """A word without accents and apostrophes."""
    if word.isascii():
        return word.replace("'", "")
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c) and c not in "'’")


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """A word in our spelling without plural, -ed, final e: sleeve, sleeves, sleeved are equal."""
    word = fold(word)
    word = SPELLINGS.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "zes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3:
        word = word[:-1]
    if word.endswith("ed") and not word.endswith("eed") and len(word) > 4:
        word = word[:-2]
        if word[-1] == word[-2:-1] and word[-1] not in "lsaeiou":
            word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
