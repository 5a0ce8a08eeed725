"""The Unicode table: what it says of every code point, and that it says it on every Python."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.kernels.text_layout import ALONE, FIRST, MARK, SEPARATOR, SKIPPED, SPACELESS, UNSETTLED, WORD
from dedup.text import normalise as text_module
from dedup.text import unicode
from dedup.text.normalise import nfkc, normalise
from dedup.text.tokens import tokens
from dedup.text.unicode import UNASSIGNED
from tests import kernel_twins, oracles, strategies
from tests.kernel_arrays import dtypes

EVERY = range(sys.maxunicode + 1)
SURROGATES = range(0xD800, 0xE000)
IGNORABLE = {c for first, last in unicode.IGNORABLE for c in range(first, last + 1)}
KIND = 7

same_unicode = pytest.mark.skipif(not oracles.SAME_UNICODE, reason="this Python knows another Unicode")


@cache
def entries() -> list[int]:
    """Give the entry of every code point, by the layout that the module describes."""
    index, rows, _, _ = unicode.table()
    found: list[int] = rows.reshape(-1, 256)[index].ravel().tolist()
    return found


@cache
def assigned() -> list[int]:
    """Give the code points that the table's Unicode knows."""
    found = entries()
    return [c for c in EVERY if not found[c] & UNASSIGNED and c not in SURROGATES]


def mapped(code: int) -> str:
    """Give what the table makes of a code point."""
    _, _, starts, points = unicode.table()
    row = entries()[code] >> 16
    if row == 0:
        return chr(code)
    return "".join(map(chr, points[starts[row - 1] : starts[row]].tolist()))


# ------------------------------------------------------------------------------------- the table


@same_unicode
def test_the_shipped_table_is_the_generated_one() -> None:
    """What is shipped is what `build` makes here, array by array, dtype by dtype."""
    shipped, built = unicode.table(), unicode.build()
    assert dtypes(*built) == dtypes(*shipped)
    for name in shipped._fields:
        assert np.array_equal(getattr(built, name), getattr(shipped, name)), name


@pytest.mark.skipif(oracles.SAME_UNICODE, reason="this Python has the Unicode of the table")
def test_no_table_is_made_of_another_unicode() -> None:
    """A Python of another Unicode refuses to make the table."""
    with pytest.raises(RuntimeError, match=r"14\.0\.0"):
        unicode.build()


def test_the_layout() -> None:
    """The arrays are what the first page says, and every mapping has a row."""
    index, rows, starts, points = unicode.table()
    assert "uint16 uint32 int32 int32" == dtypes(index, rows, starts, points)
    assert (len(EVERY) // 256, 0) == (len(index), len(rows) % 256)
    assert int(index.max()) == len(rows) // 256 - 1
    assert max(entry >> 16 for entry in entries()) == len(starts) - 1
    assert (0, len(points)) == (starts[0], starts[-1])
    assert np.all(np.diff(starts) > 0)
    assert entries()[:1000] == unicode.kinds("".join(map(chr, range(1000))))


def test_the_version() -> None:
    """The version is a constant, the shipped file bears it, and as many code points are known as it has."""
    assert "14.0.0" == unicode.UNICODE_VERSION
    assert "unicode-14.0.0.npz" == unicode.FILE_NAME
    # 144,697 graphic and format characters, 65 controls, 137,468 for private use: Unicode 14, chapter 2
    assert 144_697 + 65 + 137_468 == len(assigned())


# --------------------------------------------------------------------- every code point by itself


def test_folding() -> None:
    """The case-folded NFKC form of each single code point: that of `unicodedata`, on any Python.

    Both are stable for what is assigned, so a newer Python has to agree.
    """
    for code in assigned():
        expected = unicodedata.normalize("NFKC", chr(code)).casefold()
        assert expected == mapped(code), hex(code)


def test_nothing_is_mapped_to_what_is_unknown() -> None:
    """Mappings lead to code points that the table knows."""
    _, _, _, points = unicode.table()
    assert set(points.tolist()) <= set(assigned())


def test_kinds() -> None:
    """Letters and digits, marks, format characters and all else, by their categories."""
    for code in assigned():
        category, kind = unicodedata.category(chr(code)), entries()[code] & KIND
        if category == "Cf" or code in IGNORABLE:
            expected = {SKIPPED}
        elif category[0] == "M":
            expected = {MARK}
        elif category[0] in "LN":
            expected = {WORD, SPACELESS}
        else:
            expected = {WORD} if chr(code) == "_" else {SEPARATOR}
        assert kind in expected, hex(code)


BLOCKS_WITHOUT_SPACES = [
    *[(0x0E01, 0x0E5B), (0x0E81, 0x0EDF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF)],
    *[(0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3040, 0x30FF)],
    *[(0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)],
    *[(0xA9E0, 0xA9FE), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x16FE0, 0x16FFF)],
    *[(0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF)],
]


def test_scripts_without_spaces() -> None:
    """SPACELESS are only code points of the blocks of these scripts, and all letters of the large blocks."""
    inside = {c for first, last in BLOCKS_WITHOUT_SPACES for c in range(first, last + 1)}
    spaceless = {c for c in EVERY if entries()[c] & KIND == SPACELESS}
    assert set() == spaceless - inside
    for first, last in (
        (0x4E00, 0x9FFC),
        (0x3041, 0x3096),
        (0x30A1, 0x30FA),
        (0x0E01, 0x0E30),
        (0x1000, 0x102A),
    ):
        assert set(range(first, last + 1)) <= spaceless
    for char in "北京々〇ゝヽーかカｶ๑กລខម":
        assert SPACELESS == entries()[ord(mapped(ord(char)))] & KIND, char
    for char in "aя한ㄅअ்٣〆":
        assert SPACELESS != entries()[ord(mapped(ord(char)))] & KIND, char


@same_unicode
def test_kinds_are_those_of_the_oracle() -> None:
    """The class of every code point, as the oracle has it from the names of the code points."""
    names = {
        SEPARATOR: oracles.SEPARATOR,
        WORD: oracles.BASE,
        SKIPPED: oracles.SKIPPED,
        SPACELESS: oracles.SPACELESS,
        MARK: oracles.MARK,
    }
    for code in EVERY:
        assert oracles.class_of(chr(code)) == names[entries()[code] & KIND], hex(code)


def test_combining_classes() -> None:
    """Bits 8 to 15: the combining class of the last code point of the NFKC form."""
    for code in assigned():
        last = unicodedata.normalize("NFKC", chr(code))[-1]
        assert unicodedata.combining(last) == entries()[code] >> 8 & 255, hex(code)


def test_what_may_compose_is_unsettled() -> None:
    """Whatever composes with a code point before it, or is moved before one, is marked: else a text would be
    folded without being normalised."""
    for code in assigned():
        parts = unicodedata.normalize("NFD", chr(code))
        composed = len(parts) > 1 and unicodedata.normalize("NFC", chr(code)) == chr(code)
        if composed:
            assert all(entries()[ord(c)] & UNSETTLED for c in parts[1:]), hex(code)


def test_nothing_composes_but_with_a_first() -> None:
    """After a code point that is not FIRST, and marks after it, what is UNSETTLED but not ALONE is unchanged."""
    seconds = [chr(c) for c in assigned() if entries()[c] & UNSETTLED and not entries()[c] & ALONE]
    sample = (c for c in assigned() if c < 0x3400 or c % 61 == 0)
    others = [chr(c) for c in sample if not entries()[c] & FIRST and not unicodedata.combining(chr(c))]
    assert len(seconds) > 50
    assert len(others) > 8000
    marks = [mark for mark in ("", "\u0334", "\u0327") if not entries()[ord(mark or "a")] & ALONE]
    for second in seconds:
        normal = unicodedata.normalize("NFKC", second)
        for mark in marks:
            if mark and unicodedata.combining(second) and unicodedata.combining(second) < unicodedata.combining(mark):
                continue  # out of order, which is looked at by itself
            apart = "\n".join(unicodedata.normalize("NFKC", other) + mark + normal for other in others)
            assert unicodedata.normalize("NFKC", "\n".join(other + mark + second for other in others)) == apart


ACTING = st.text(
    st.one_of(
        st.sampled_from(
            "aeEo \u00e9\u1100\u1161\u11a8\uac00\u09c7\u09be\u0995\u0d46\u0d3e\u0bc6\u0bbe"
            "\u0308\u0301\u0323\u0344\u00b4\u200d"
        ),
        st.sampled_from(sorted(chr(c) for c in range(0x3000) if unicodedata.combining(chr(c)))),
    ),
    max_size=9,
)


@given(ACTING)
def test_what_acts_on_what(text: str) -> None:
    """Letters, marks and pieces that compose, in any order, are the tokens of the normalised text."""
    words = [token.hash for token in tokens(text)]
    assert [token.hash for token in tokens(unicodedata.normalize("NFKC", text))] == words
    assert [kernel_twins.token_hash(word) for word in oracles.tokens(text)] == words


# ------------------------------------------------------------------------------- what is not known


def test_unassigned_code_points_separate() -> None:
    """What Unicode 14 does not know splits a word, on any Python, whatever this one knows of it."""
    known = set(assigned())
    unknown = [c for c in EVERY if c not in known and c not in SURROGATES and c not in IGNORABLE]
    word = kernel_twins.token_hash("ab")
    sample = [c for c in unknown if c < 0x20000 or c % 499 == 0]
    assert len(sample) > 5000
    for start in range(0, len(sample), 1000):
        text = "ab" + "ab".join(map(chr, sample[start : start + 1000])) + "ab"
        assert {word} == {token.hash for token in tokens(text)}
        assert len(sample[start : start + 1000]) + 1 == len(tokens(text))


@pytest.mark.parametrize("code", [0x378, 0x1FAE8, 0x31350, 0xCF3, 0x1E08F, 0x10EC0])
def test_newer_code_points(code: int) -> None:
    """Letters and marks of Unicode 15 and later: separators, and not changed by normalisation, on any Python."""
    char = chr(code)
    text = f"e{char}\u0301e{char}x"
    assert [kernel_twins.token_hash(t) for t in ("e", "e", "x")] == [t.hash for t in tokens(text)]
    assert text.encode() == normalise(text.encode()).data


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_surrogates_separate(code: int) -> None:
    """A lone surrogate splits a word and keeps its place."""
    assert [(0, 2), (3, 5)] == [(t.start, t.end) for t in tokens(f"ab{chr(code)}cd")]


# ------------------------------------------------------------------- marks alone, and what is not shown


def test_what_is_not_shown_is_skipped() -> None:
    """Every default-ignorable code point, assigned or not: a word with it is the word without it."""
    assert {c for c in EVERY if oracles.class_of(chr(c)) == oracles.SKIPPED} >= IGNORABLE
    assert IGNORABLE <= {c for c in EVERY if entries()[c] & KIND == SKIPPED or mapped(c) == "\u1160"}
    assert 4174 == len(IGNORABLE)
    expected = [token.hash for token in tokens("resume 12 café Привет 각 ก็ 北京")]
    for code in sorted(IGNORABLE):
        if code > 0xE0200 and code % 97:
            continue
        text = "re{0}sume{0} {0}12 caf{0}é При{0}вет 각{0} ก็{0} 北{0}京".format(chr(code))
        assert expected == [token.hash for token in tokens(text)], hex(code)


@pytest.mark.parametrize(
    "text",
    [
        *["❤️", "☀️", "⚠️", "\u0301", " \u0301 ", "☺\u20e3", "-\u0338", "\u3164", "\uffa0\u115f", "\u00b4", "\u0e31"],
        *[
            "\u0345"[:0],
            "…\u0327\u0301",
            "\ufe0f" * 100,
            "\u093e\u0941",
            "\U0001f3f4\U000e0067\U000e007f",
            "\u0488\u0489",
        ],
    ],
)
def test_marks_without_a_letter_are_not_tokens(text: str) -> None:
    """A mark of a symbol, of white space or of nothing; in every script."""
    assert [] == oracles.tokens(text) == tokens(text)
    assert [] == tokens(f"{text}\n{text} . {text}")
    assert 0 == dedup.find_duplicates([text, text, text]).clusters.num_rows
    words = [token.hash for token in tokens("one two")]
    assert words == [token.hash for token in tokens(f"{text} one {text} two {text}")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q\u0323", ["q\u0323"]),
        ("1\u20e3", ["1\u20e3"]),
        ("_\u0301", ["_\u0301"]),
        ("a\u200d\u0323", ["a\u0323"]),
        ("a\ufe0f\u0323\u0489", ["a\u0323\u0489"]),
        ("ก\u0e31\u034f\u0e49", ["ก\u0e31\u0e49"]),
        ("a \u0323b", ["a", "b"]),
        ("☀\u0323b", ["b"]),
        ("☀\ufe0fb", ["b"]),
        ("a☀\u0323\u0323b", ["a", "b"]),
        ("北☀\u0323京\u0323", ["北", "京\u0323"]),
        ("\u0345", ["ι"]),
    ],
)
def test_a_mark_counts_after_a_letter(text: str, expected: list[str]) -> None:
    """Behind a letter, digit, underscore or mark of a token, what is skipped aside; nowhere else."""
    assert expected == oracles.tokens(text)
    assert kernel_twins.token_hashes(expected) == [token.hash for token in tokens(text)]


def test_symbols_with_and_without_a_selector() -> None:
    """What differs in variation selectors and joiners is equal; lines of symbols are never cut out."""
    assert 1.0 == dedup.compare("⚠️ Road closed today", "⚠ Road closed today").jaccard
    assert 1.0 == dedup.compare("re\u034fsume your work", "resume your work").jaccard
    page = "☀️\n\nSunny in the north.\n\n☀️\n\nSunny in the south.\n\n☀️\n"
    assert page == dedup.find_duplicates(page, unit="paragraph").filter(page)
    assert page == dedup.find_repeats(page, min_words=1).without_repeats(min_words=1)


# --------------------------------------------------------------------------------- long runs of marks

MIXED = st.text(
    st.one_of(
        st.sampled_from("a\u00e9\u1100\u1161\u11a8\uac00\ufdfa\u0344\u0958\u1e9b\u00a8\u09c7\u09be\u0f73\u0f81\u034f"),
        st.sampled_from(sorted(chr(c) for c in range(0x3000) if unicodedata.combining(chr(c)))),
    ),
    min_size=text_module.LONG_CLUSTER + 1,
    max_size=text_module.LONG_CLUSTER + 40,
)


@given(MIXED)
def test_long_clusters_are_normalised_as_python_does_it(text: str) -> None:
    """Taken apart, sorted and composed here: the NFKC form, whatever the marks; in whole texts too."""
    assert unicodedata.normalize("NFKC", text) == nfkc(text)
    assert kernel_twins.token_hashes(oracles.tokens(text)) == [token.hash for token in tokens(text)]


@pytest.mark.parametrize("run", ["\u0301\u0316", "\u0316", "\u0344\u0f73", "\u05b0\u05bc\u0591", "\u0301\u034f\u0316"])
def test_python_is_given_no_marks_to_sort(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python normalises is short, or in order already: its own sort takes the square of a run's length."""
    asked: list[tuple[str, str]] = []
    original = unicodedata.normalize

    class Counting:
        combining = staticmethod(unicodedata.combining)

        @staticmethod
        def normalize(form: str, text: str) -> str:
            asked.append((form, text))
            return original(form, text)

    monkeypatch.setattr(text_module, "unicodedata", Counting)
    text = "a" + run * 5000
    assert original("NFKC", text[:601]) == nfkc(text[:601])
    normalise(text.encode())
    for form, given_text in asked:
        if len(given_text) > text_module.LONG_CLUSTER:
            classes = [unicodedata.combining(c) for c in given_text]
            assert form == "NFC"
            assert all(after == 0 or before <= after for before, after in pairwise(classes))


# -------------------------------------------------------------------------------- whole texts


def folded(text: str) -> str:
    """Fold a text as the module says: its normalised form, each code point through the table."""
    normal = normalise(text.encode("utf-8", "surrogatepass")).data.decode("utf-8", "surrogatepass")
    return "".join(mapped(ord(c)) for c in normal)


def known(text: str) -> str:
    """Leave out what the table's Unicode does not know, and surrogates."""
    return "".join(c for c in text if not entries()[ord(c)] & UNASSIGNED and ord(c) not in SURROGATES)


@given(st.one_of(strategies.characters(80), strategies.texts()).map(known))
def test_folding_of_texts(text: str) -> None:
    """Clusters normalised, then code points mapped: the case-folded NFKC form of the whole."""
    assert unicodedata.normalize("NFKC", text).casefold() == folded(text)


@given(
    st.text(
        st.sampled_from(
            "aeo\u0301\u0327\u0323\u0307\u0345\u0338=<\u1100\u1161\u11a8각\u0f71\u0f72\u0f74ｶﾞ\u3099か\u0b47\u0b3e\u09c7\u09d7ﬁ\u1e9b\u00a8"
        ),
        max_size=14,
    )
)
def test_folding_of_marks(text: str) -> None:
    """The same if nearly everything acts on what comes before it."""
    assert unicodedata.normalize("NFKC", text).casefold() == folded(text)
    assert kernel_twins.token_hashes(oracles.tokens(text)) == [token.hash for token in tokens(text)]


@given(st.one_of(strategies.characters(80), strategies.texts()))
def test_segments_of_normalised_texts(text: str) -> None:
    """Between the segments, text and normalised text are the same bytes; segments ascend and do not touch back."""
    data = text.encode("utf-8", "surrogatepass")
    normal, segments = normalise(data)
    new = old = 0
    for new_start, new_end, old_start, old_end in segments.tolist():
        assert normal[new:new_start] == data[old:old_start]
        assert new_start < new_end
        assert old_start < old_end
        assert unicodedata.normalize("NFKC", data[old_start:old_end].decode()) == normal[new_start:new_end].decode()
        new, old = new_end, old_end
    assert normal[new:] == data[old:]
