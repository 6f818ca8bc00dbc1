"""What holds for any text: a negation never wants what it negates, unknown words change nothing."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st
from schemas import SHOP

from amgan.words import WordReader

READERS = {language: WordReader(SHOP, language=language) for language in ("en", "de", "fr", "es")}
NEGATIONS = {
    "en": (
        "no,not,without,never,anything but,everything except,not a,I don't want,I do not like,ditch"
        ",ditch the,lose the,drop the,remove the,get rid of,avoid,skip the,no more,nothing,minus,"
        "free of,instead of,rather than,other than,less,fewer,I hate,can't stand,neither,please no,"
        "not really,sick of,under no circumstances,absolutely no,anything else than,far from being"
    ),
    "de": (
        "kein,keine,nicht,ohne,nie,niemals,alles außer,statt,weder,weg mit,ich will kein,bloß nicht"
    ),
    "fr": "pas de,sans,jamais de,tout sauf,au lieu de,ni,je ne veux pas de,enlève,aucun,plutôt que",
    "es": "sin,no quiero,nunca,todo menos,en lugar de,ni,nada de,quita,ningún,en vez de",
}
VALUES = {
    "en": {
        "colour": {"black": "Black", "white": "White", "red": "Red", "turquoise": "Turquoise"},
        "pattern": {"stripes": "Stripe", "striped": "Stripe", "dots": "Dot", "floral": "Floral"},
        "neck": {"hood": "hood", "collar": "collar", "v-neck": "v-neck", "round neck": "round"},
        "sleeve": {"long sleeves": "long", "short sleeves": "short", "sleeveless": "sleeveless"},
        "category": {"hoodie": "Hoodie", "jacket": "Jacket"},
    },
    "de": {
        "colour": {"schwarz": "Black", "weiß": "White", "rot": "Red"},
        "pattern": {"Streifen": "Stripe", "gestreift": "Stripe", "Punkte": "Dot"},
        "neck": {"Kapuze": "hood", "Kragen": "collar"},
        "sleeve": {"lange Ärmel": "long", "ärmellos": "sleeveless"},
    },
    "fr": {
        "colour": {"noir": "Black", "blanc": "White", "rouge": "Red"},
        "pattern": {"rayures": "Stripe", "rayé": "Stripe", "pois": "Dot"},
        "neck": {"capuche": "hood", "col en v": "v-neck"},
        "sleeve": {"manches longues": "long"},
    },
    "es": {
        "colour": {"negro": "Black", "blanco": "White", "rojo": "Red"},
        "pattern": {"rayas": "Stripe", "lunares": "Dot"},
        "neck": {"capucha": "hood"},
        "sleeve": {"mangas largas": "long"},
    },
}


@st.composite
def values(draw: st.DrawFn, language: str) -> tuple[str, str, str]:
    """A phrase, its attribute and its value."""
    attribute = draw(st.sampled_from(sorted(VALUES[language])))
    phrase = draw(st.sampled_from(sorted(VALUES[language][attribute])))
    return phrase, attribute, VALUES[language][attribute][phrase]


UNKNOWN = st.text("qxzjkw", min_size=3, max_size=9)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(sorted(READERS)))
def test_a_negation_never_yields_the_negated_value(data: st.DataObject, language: str) -> None:
    phrase, attribute, value = data.draw(values(language))
    negation = data.draw(st.sampled_from(NEGATIONS[language].split(",")))
    before = data.draw(st.sampled_from(["", "please ", "a shirt, ", "darker, "]))
    between = data.draw(st.one_of(st.just(""), UNKNOWN, st.sampled_from(["any", "big", "very"])))
    after = data.draw(st.sampled_from(["", ".", ", please", " please"]))
    text = f"{before}{negation} {between} {phrase}{after}"
    changes = {c.attribute: c.wanted for c in READERS[language].read(text).changes}
    assert changes.get(attribute) != value, text


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_negated_list_yields_none_of_its_values(data: st.DataObject) -> None:
    listed = data.draw(st.lists(values("en"), min_size=2, max_size=3, unique_by=lambda v: v[2]))
    joint = data.draw(st.sampled_from([" or ", ", "]))
    head = data.draw(st.sampled_from(["no ", "not ", "without ", "neither ", "I don't want "]))
    phrases = [phrase for phrase, _, _ in listed]
    text = head + joint.join(phrases[:-1]) + " or " + phrases[-1]
    changes = {c.attribute: c.wanted for c in READERS["en"].read(text).changes}
    assert not {(a, v) for _, a, v in listed} & set(changes.items()), text


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(READERS)))
def test_unknown_words_never_add_a_change(data: st.DataObject, language: str) -> None:
    said = data.draw(st.lists(values(language), max_size=3, unique_by=lambda v: v[1]))
    phrases = [phrase for phrase, _, _ in said]
    glue = data.draw(st.sampled_from([" ", ", ", " , "]))
    reader = READERS[language]
    before = {(c.attribute, c.wanted) for c in reader.read(glue.join(phrases)).changes}
    for unknown in data.draw(st.lists(UNKNOWN, min_size=1, max_size=3)):
        phrases.insert(data.draw(st.integers(0, len(phrases))), unknown)
    text = glue.join(phrases)
    after = {(c.attribute, c.wanted) for c in reader.read(text).changes}
    assert after <= before, text


PIECES = (
    "black white no not without never , . and or but collar hood sleeves sleeve long short longer "
    "darker lighter more less too same keep change to from instead of colour pattern stripes a the "
    "with has is blak 3/4 under 30 different anything except skirt"
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=6), st.sampled_from(PIECES.split(" "))), max_size=14),
    st.sampled_from(sorted(READERS)),
)
def test_any_text_is_read_into_what_the_schema_has(pieces: list[str], language: str) -> None:
    text = " ".join(pieces)
    reading = READERS[language].read(text)
    SHOP.changes_indicator(reading.changes)
    assert set(reading.relative.values()) <= {"more", "less"}
    for name, avoided in reading.avoid.items():
        for value in avoided:
            SHOP.value_position(name, value)
    for part in (*reading.not_understood, *reading.details):
        assert part in text
    for written, _ in reading.corrected:
        assert written in text


@settings(max_examples=100, deadline=None)
@given(st.text(string.ascii_letters, min_size=4, max_size=4).map(str.lower))
def test_what_is_corrected_is_no_correct_word(word: str) -> None:
    from amgan.words.spelling import dictionary

    reading = READERS["en"].read(word)
    assert not (reading.corrected and word in dictionary("en"))
