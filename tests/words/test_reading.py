from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amgan.attributes import Attribute, AttributeSchema, Change
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.words import Ambiguity, Reading, WordReader, read_words
from amgan.words.spelling import dictionary
from amgan.words.text import stem, words_of

SHOP = AttributeSchema.from_dict(
    {
        "category": ["Sweater", "T-shirt", "Shirt", "Vest top"],
        "colour": ["Black", "Grey", "White", "Khaki green", "Turquoise"],
        "pattern": ["Solid", "Stripe", "Check", "Dot", "Colour blocking", "Glittering/Metallic"],
        "sleeve": ["long", "short", "sleeveless", "3/4"],
        "neck": ["round", "v-neck", "collar", "hood", "high"],
    }
)
STREET = AttributeSchema.from_dict(
    {
        "Clothes Color": ["Black", "White"],
        "Clothes Length": ["Normal", "Long", "Short"],
        "Sleeve Length": ["Short", "Long", "Sleeveless"],
        "Collar Shape": ["Round", "V-Neck"],
    }
)
SHOP_READER, STUDIO_READER, STREET_READER = map(WordReader, (SHOP, STUDIO_SCHEMA, STREET))


def named(reading: Reading) -> list[str]:
    return [f"{change.attribute}={change.wanted}" for change in reading.changes]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("black", ["colour=Black"]),
        ("in black, with long sleeves", ["colour=Black", "sleeve=long"]),
        ("I would like it in gray, please!", ["colour=Grey"]),
        ("GREY crew-neck tee", ["colour=Grey", "neck=round", "category=T-shirt"]),
        ("a long-sleeved jumper", ["sleeve=long", "category=Sweater"]),
        ("sleeveless striped tshirt", ["sleeve=sleeveless", "pattern=Stripe", "category=T-shirt"]),
        ("no sleeves", ["sleeve=sleeveless"]),
        ("without any stripes or without sleeves", ["sleeve=sleeveless"]),
        ("colour: black; neck = v-neck", ["colour=Black", "neck=v-neck"]),
        ("the neck should be round", ["neck=round"]),
        ("color black", ["colour=Black"]),
        ("sleeves long neck round", ["sleeve=long", "neck=round"]),
        ("longsleeve roundneck", ["sleeve=long", "neck=round"]),
        ("vneck", ["neck=v-neck"]),
        ("v neckline", ["neck=v-neck"]),
        ("3/4 sleeves", ["sleeve=3/4"]),
        ("three-quarter sleeves", ["sleeve=3/4"]),
        ("checkered shirt", ["pattern=Check", "category=Shirt"]),
        ("polka dots", ["pattern=Dot"]),
        ("color-blocked", ["pattern=Colour blocking"]),
        ("metallic", ["pattern=Glittering/Metallic"]),
        ("tank top", ["category=Vest top"]),
        ("plain and hooded", ["pattern=Solid", "neck=hood"]),
        ("khaki", ["colour=Khaki green"]),
        ("black black colour", ["colour=Black"]),
        ("turqoise, stirpe", ["colour=Turquoise", "pattern=Stripe"]),
        ("white instead of black", ["colour=White"]),
        ("from black to white", ["colour=White"]),
        ("not black but white", ["colour=White"]),
    ],
)
def test_shop_phrases(text: str, changes: list[str]) -> None:
    reading = SHOP_READER.read(text)
    assert named(reading) == changes
    assert reading.ambiguous == ()


@pytest.mark.parametrize(
    ("text", "not_understood"),
    [
        ("not navy", ["not navy"]),
        ("round sleeves", ["round sleeves"]),
        ("sleeve: round", ["sleeve: round"]),
        ("a neck", ["neck"]),
        ("make it cheaper, and Très Chic!", ["cheaper", "Très Chic"]),
        ("black patterned", ["patterned"]),
        ("light", ["light"]),
        ("", []),
        (" ,, and the in ;", []),
    ],
)
def test_what_is_not_understood_comes_back_as_written(text: str, not_understood: list[str]) -> None:
    reading = SHOP_READER.read(text)
    assert list(reading.not_understood) == not_understood
    assert not {"neck", "pattern"} & {change.attribute for change in reading.changes}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("in black, with long sleeves, no collar", ["colour=black", "sleeve=long", "collar=none"]),
        ("collarless", ["collar=none"]),
        ("without a collar, no pockets", ["collar=none", "pocket=none"]),
        ("zip pocket", ["pocket=zip"]),
        ("with a zip as fastening", ["fastening=zip"]),
        ("half zip", ["fastening=half zip"]),
        ("navy blue turtleneck", ["colour=navy", "collar=roll neck"]),
        ("peter pan collar", ["collar=peter pan"]),
        ("shirt collar", ["collar=shirt"]),
        ("double breasted, cable knitted", ["fastening=double-breasted", "fabric=cable knit"]),
    ],
)
def test_studio_phrases(text: str, changes: list[str]) -> None:
    reading = STUDIO_READER.read(text)
    assert named(reading) == changes
    assert (reading.not_understood, reading.ambiguous) == ((), ())


def test_a_word_of_two_attributes_needs_the_attribute() -> None:
    zips = (Change("fastening", "zip"), Change("pocket", "zip"))
    assert STUDIO_READER.read("a zip") == Reading(ambiguous=(Ambiguity("zip", zips),))
    assert named(STREET_READER.read("long sleeve")) == ["Sleeve Length=Long"]
    assert named(STREET_READER.read("round collar, black clothes")) == [
        "Collar Shape=Round",
        "Clothes Color=Black",
    ]
    both = (Change("Clothes Length", "Long"), Change("Sleeve Length", "Long"))
    assert STREET_READER.read("Long").ambiguous == (Ambiguity("Long", both),)


def test_two_values_for_one_attribute_are_ambiguous() -> None:
    reading = SHOP_READER.read("Black and white, long sleeves")
    choices = (Change("colour", "Black"), Change("colour", "White"))
    assert reading.ambiguous == (Ambiguity("Black / white", choices),)
    assert named(reading) == ["sleeve=long"]


def test_a_typo_between_two_words_is_not_guessed() -> None:
    schema = AttributeSchema.from_dict({"trim": ["maple", "ample"]})
    reading = read_words("mample", schema)
    assert reading.changes == ()
    assert {change.wanted for change in reading.ambiguous[0].choices} == {"maple", "ample"}


@pytest.mark.parametrize(
    ("text", "changes", "offered"),
    [
        ("charcoal", ["colour=Grey"], []),
        ("long sleeves, ivory", ["sleeve=long", "colour=White"], []),
        ("charcoal grey", ["colour=Grey"], []),
        ("khaki", ["colour=Khaki green"], []),  # the shop's own name
        ("silver", [], ["colour=Grey", "pattern=Glittering/Metallic"]),
        ("silver grey", ["colour=Grey"], []),
    ],
)
def test_what_the_schema_knows_less_finely_is_read_as_the_broader_value(
    text: str, changes: list[str], offered: list[str]
) -> None:
    reading = SHOP_READER.read(text)
    assert named(reading) == changes
    choices = [choice for ambiguity in reading.ambiguous for choice in ambiguity.choices]
    assert [f"{choice.attribute}={choice.wanted}" for choice in choices] == offered
    assert reading.not_understood == ()


def test_own_names_come_before_synonyms() -> None:
    schema = AttributeSchema.from_dict({"neck": ["round", "crew"], "colour": ["grey", "gray"]})
    assert named(read_words("crew", schema)) == ["neck=crew"]
    assert named(read_words("gray", schema)) == ["colour=gray"]


def test_synonyms_of_ones_own() -> None:
    synonyms = {"colour=Khaki green": ["olive drab"], "neck": ["décolleté"]}
    reader = WordReader(SHOP, synonyms)
    assert named(reader.read("olive drab with a high decollete")) == [
        "colour=Khaki green",
        "neck=high",
    ]
    assert named(SHOP_READER.read("olive drab")) == []
    for unknown in ("fit", "fit=slim", "colour=mauve"):
        with pytest.raises(ValueError, match="unknown"):
            WordReader(SHOP, {unknown: ["word"]})


def test_a_value_that_is_a_filler_needs_its_attribute() -> None:
    schema = AttributeSchema.from_dict({"shape": ["a", "no", "the one"], "colour": ["black"]})
    assert named(read_words("a black", schema)) == ["colour=black"]
    assert named(read_words("a shape, black", schema)) == ["shape=a", "colour=black"]
    assert named(read_words("no shape", schema)) == ["shape=no"]


def test_long_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="1,001 characters; up to 1,000"):
        SHOP_READER.read("x" * 1001)


ODD_WORDS = (
    "no and in the without neck neckline sleeve sleeves sleeved colour color gray grey black light "
    "stripe striped print none less 3/4 v crew round, one-piece a.b St."
)
WORDS = st.one_of(
    st.text(string.ascii_letters + "äß", min_size=1, max_size=6),
    st.sampled_from(ODD_WORDS.split(" ")),
)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@st.composite
def schemas(draw: st.DrawFn) -> AttributeSchema:
    """Schemas whose phrases "value attribute" all differ as words."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=words_of))
    attributes = []
    for name in names:
        values = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=words_of))
        attributes.append(Attribute(name, tuple(values)))
    schema = AttributeSchema(tuple(attributes))
    phrases = [words_of(f"{v} {a.name}") for a in schema.attributes for v in a.values]
    assume(len(set(phrases)) == len(phrases))
    assume(all(words_of(name) for name in names))
    return schema


@settings(max_examples=60, deadline=None)
@given(schemas())
def test_value_and_attribute_round_trip_in_any_schema(schema: AttributeSchema) -> None:
    reader = WordReader(schema)
    for attribute in schema.attributes:
        for value in attribute.values:
            phrase = f"{value} {attribute.name}"
            expected = Reading((Change(attribute.name, value),))
            assert reader.read(phrase) == expected, phrase
            assert reader.read(phrase.upper()).changes == expected.changes, phrase


RARE = AttributeSchema.from_dict(
    {
        "colour": ["crimson", "charcoal", "aubergine"],
        "collar": ["mandarin", "shawl", "peter pan"],
        "fabric": ["corduroy", "chiffon", "gabardine"],
    }
)
RARE_READER = WordReader(RARE)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_typo_of_one_letter_is_understood(data: st.DataObject) -> None:
    attribute = data.draw(st.sampled_from(RARE.attributes))
    value = data.draw(st.sampled_from([v for v in attribute.values if len(v) >= 5]))
    words = [value, attribute.name]
    long_words = [i for i, word in enumerate(words) if len(word) >= 5 and " " not in word]
    place = data.draw(st.sampled_from(long_words))
    word = words[place]
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    edited = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )
    speller = RARE_READER.vocabulary.speller
    assume(edited not in dictionary("en") and speller.readings(edited) == (word,))
    words[place] = edited
    text = " ".join(words if data.draw(st.booleans()) else [f"{words[1]}:", words[0]])
    reading = RARE_READER.read(text)
    assert reading.changes == (Change(attribute.name, value),), text
    assert reading.corrected == (((edited, word),) if edited != word else ())
    assert reading.not_understood == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("qxzjkw0123456789", min_size=2, max_size=12), min_size=1, max_size=6))
def test_garbage_yields_no_change(words: list[str]) -> None:
    text = " ".join(words)
    for reader in (SHOP_READER, STUDIO_READER, STREET_READER):
        assert reader.read(text) == Reading(not_understood=(text,))


USUAL_WORDS = (
    "black white no collar neck round long sleeves instead of , zip pocket with and is don't ’ 3/4 "
    "blak v-neck none"
)
PIECES = st.one_of(st.text(max_size=8), st.sampled_from(USUAL_WORDS.split(" ")))


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=12), st.sampled_from([" ", "", ", "]))
def test_any_text_is_read_without_surprise(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    for reader, schema in ((SHOP_READER, SHOP), (STUDIO_READER, STUDIO_SCHEMA)):
        reading = reader.read(text)
        schema.changes_indicator(reading.changes)  # known values, an attribute at most once
        assert all(part in text for part in reading.not_understood)
        for ambiguity in reading.ambiguous:
            assert len(ambiguity.choices) > 1
            assert all(part in text for part in ambiguity.text.split(" / "))


def test_stems() -> None:
    for same in (
        ("sleeve", "sleeves", "sleeved"),
        ("stripe", "striped", "stripes"),
        ("dot", "dots", "dotted"),
        ("hood", "hooded", "hoods"),
        ("color", "colour", "colored"),
        ("rib", "ribbed"),
        ("patch", "patches"),
    ):
        assert len({stem(word) for word in same}) == 1
    assert stem("red") == "red"
    assert len({stem(word) for word in ("tweed", "twe", "sleeveless", "sleeve", "dress")}) == 5
