"""The forms of a text: each against its twin of plain Python, over many scripts."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.hashing.forms import FORMS
from dedup.hashing.shingles import parse
from dedup.hashing.units import forms_of, hash_block
from dedup.reading import PLAIN
from dedup.sources.texts import ListTexts
from dedup.text import unicode
from dedup.unit import Unit
from tests import kernel_twins, oracles, strategies

DIGITS = [
    "7",
    "2024",
    "３１",
    "٣٤",
    "۵",
    "४५",
    "๕",
    "៩",
    "᥆",
    "𑄶9",
    "\U0001e950",
    "1" * 80,
    "a1" * 50,
    "४" * 40,
    "x²",
    "½",
]
TEXTS = st.one_of(
    strategies.texts(),
    strategies.characters(120),
    st.lists(st.one_of(strategies.words(), st.sampled_from(DIGITS)), max_size=40).map(" ".join),
    st.text(alphabet="a1_ .٣é", max_size=200),
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["", "1", " 1", "a" * 64 + "1", "a" * 63 + "1", "a" * 62 + " 12", ("x" * 61 + " 7") * 3])
def test_forms_are_those_of_the_twins(texts: list[str]) -> None:
    """Characters, numbers and symbols, also where texts have to be normalised, and with shingles of characters."""
    found = forms_of(texts, FORMS, PLAIN)
    for row, text in enumerate(texts):
        data = text.encode("utf-8", "surrogatepass")
        zeros = [oracles.zeros(token) for token in oracles.tokens(text)]
        assert kernel_twins.characters_form(data) == found["characters"][row]
        assert kernel_twins.numbers_form(zeros) == found["numbers"][row]
        assert kernel_twins.symbols_form(list(map(ord, oracles.symbols(text)))) == found["symbols"][row]
    for shingle in ("words:3", "chars:5"):
        plain = [hash_block(block, parse(shingle), unit=Unit.DOCUMENT) for block in ListTexts(texts).blocks()]
        more = [
            hash_block(block, parse(shingle), unit=Unit.DOCUMENT, forms=FORMS) for block in ListTexts(texts).blocks()
        ]
        for one, other in zip(plain, more, strict=True):
            assert one.hashes.tolist() == other.hashes.tolist(), "the forms leave the shingles as they are"
            assert one.digests.tolist() == other.digests.tolist()
            assert found["numbers"].tolist() == other.forms["numbers"].tolist()


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="another version of Unicode")
def test_every_digit_and_symbol_is_known() -> None:
    """Of all code points: the decimal digits count as 0, and the table knows punctuation and symbols."""
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    entries = unicode.kinds("".join(every))
    wanted = [unicodedata.category(c)[0] in "SP" and c != "_" for c in every]
    assert wanted == [bool(entry & unicode.SYMBOL) for entry in entries]
    letters = [c for c in every if unicodedata.category(c)[0] in "LN"]
    zeros = forms_of(["0"], ["numbers"], PLAIN)["numbers"][0]
    known = forms_of(letters, ["numbers"], PLAIN)["numbers"]
    digits = {c for c, form in zip(letters, known.tolist(), strict=True) if form == zeros}
    assert {c for c in letters if ["0"] == list(map(oracles.zeros, oracles.tokens(c)))} == digits
