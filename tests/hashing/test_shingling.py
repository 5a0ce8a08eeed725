"""Shingle sets: their sizes and similarities against the oracle, and what is a shingle at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup import InputError, ParameterError
from dedup.hashing.shingles import MAX_SHINGLE_SIZE, Shingle, hash_shingles, hash_text, parse
from dedup.hashing.units import hash_block
from dedup.shingling import Shingles, shingles
from dedup.sources.texts import BlockLimits, ListTexts
from dedup.unit import Unit
from tests import corpora, kernel_twins, oracles, strategies
from tests.kernel_arrays import dtypes, rows_of, utf8

KINDS = ["words:1", "words:2", "words:3", "words:5", "chars:1", "chars:5", "chars:8"]

# ------------------------------------------------------------------------------ kinds of shingles


@pytest.mark.parametrize("size", [1, 2, 5, 24, MAX_SHINGLE_SIZE])
@pytest.mark.parametrize("kind", ["words", "chars"])
def test_parse(kind: str, size: int) -> None:
    """A kind and a size, and back; leading zeros mean nothing."""
    assert Shingle(kind, size) == parse(f"{kind}:{size}") == parse(f"{kind}:0{size}")
    assert f"{kind}:{size}" == str(parse(f"{kind}:{size}"))


WRONG = [
    "",
    "words",
    "words:",
    "words:0",
    "words:-1",
    "words:1001",
    "words:1.5",
    "words: 5",
    "chars:٣",
]


@pytest.mark.parametrize(
    "shingle",
    [
        *WRONG,
        "Words:5",
        "tokens:5",
        "5",
        "words:5 ",
        "words:5\n",
        "words:9999999",
        5,
        None,
        b"words:5",
    ],
)
def test_parse_refuses(shingle: Any) -> None:
    """Anything else is an error that shows what was found and an example of what is right."""
    with pytest.raises(ParameterError, match=r'shingle: expected .* such as "words:5", found') as e:
        parse(shingle)
    assert repr(shingle) in str(e.value)
    with pytest.raises(ParameterError, match="shingle: "):
        shingles(["a"], shingle)


# ---------------------------------------------------------------------------------- sets of shingles


def check(texts: list[str], shingle: str) -> None:
    """Check sizes, similarities and form of the sets against the oracle."""
    expected = [oracles.shingles(text, shingle) for text in texts]
    found = shingles(texts, shingle)
    assert (len(texts), parse(shingle)) == (len(found), found.shingle)
    assert "uint64 int64" == dtypes(found.values, found.offsets)
    assert [len(each) for each in expected] == [len(row) for row in found]
    for row in found:
        assert sorted(set(row.tolist())) == row.tolist()
    for i in range(len(texts)):
        for j in range(len(texts)):
            assert oracles.jaccard(expected[i], expected[j]) == found.jaccard(i, j)


@given(strategies.corpora(6), st.sampled_from(KINDS))
def test_sets(texts: list[str], shingle: str) -> None:
    """Every size, every similarity: those of the sets of the oracle; each row sorted, each hash once."""
    check(texts, shingle)


@given(st.lists(strategies.characters(40), max_size=3), st.sampled_from(KINDS))
def test_sets_of_any_characters(texts: list[str], shingle: str) -> None:
    """The same for texts of any code points, each compared with its own tokens."""
    check([each for text in texts for each in (text, " ".join(oracles.tokens(text)))], shingle)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 63, 64, 65])
@pytest.mark.parametrize("word", ["x{}", "é{}", "北", "x"])
def test_borders(n: int, word: str) -> None:
    """n - 1, n and n + 1 tokens or characters: the whole, the whole, two; the order of the windows too."""
    for count in {max(n - 1, 0), n, n + 1, n + 2, 2 * n}:
        words = [word.format(i) for i in range(count)]
        text = " ".join(words)
        check([text, text + " more", "more " + text], f"words:{n}")
        tokens = oracles.tokens(text)
        assert [kernel_twins.shingle_hashes(kernel_twins.token_hashes(tokens), n)] == windows(text, f"words:{n}")
        plain = ("".join(words) * n)[:count]
        check([plain, plain + "m", plain + " m"], f"chars:{n}")
        tokens = oracles.tokens(plain)
        assert [kernel_twins.shingle_hashes(kernel_twins.character_hashes(tokens), n)] == windows(plain, f"chars:{n}")


def windows(text: str, shingle: str) -> list[list[int]]:
    """Run `hash_shingles` over one text; check the digest that comes with the hashes."""
    values, offsets, digests = hash_shingles(*utf8([text]), parse(shingle))
    assert "uint64 int64 uint64" == dtypes(values, offsets, digests)
    assert [kernel_twins.digest(oracles.tokens(text))] == digests.tolist()
    return rows_of(values, offsets)


@pytest.mark.parametrize(
    ("shingle", "left", "right", "expected"),
    [
        ("words:5", "a b c", "a b c", 1.0),
        ("words:5", "a b c", "A, b - c!", 1.0),
        ("words:5", "a b c", "a c b", 0.0),
        ("words:5", "a b c", "a b c d", 0.0),
        ("words:5", "", "", 0.0),
        ("words:5", "...", "...", 0.0),
        ("words:5", "a", "", 0.0),
        ("words:1", "a a a", "a", 1.0),
        ("words:1", "a b", "b c", 1 / 3),
        ("words:2", "a b a b", "b a b", 1.0),
        ("chars:3", "ab", "ab", 1.0),
        ("chars:3", "ab", "abc", 0.0),
        ("chars:3", "abcd", "bcd", 0.5),
        ("chars:3", "a  b", "a-b", 1.0),
        ("chars:3", "北京", "北 京", 1.0),
        ("chars:1", "aé", "é a", 2 / 3),
    ],
)
def test_by_hand(shingle: str, left: str, right: str, expected: float) -> None:
    """Short texts are one shingle, the whole; a text without tokens is like nothing, itself included."""
    assert expected == shingles([left, right], shingle).jaccard(0, 1)


def test_words_and_characters_are_different_hashes() -> None:
    """A word of one letter and the letter are not taken for one another."""
    assert not set(shingles(["a b c"], "words:1").values) & set(shingles(["a b c"], "chars:1").values)


# --------------------------------------------------------------------------------------- the object


def test_rows_as_a_sequence() -> None:
    """Rows by place, from the end, by slice; nothing beyond either end."""
    found = shingles(["a b c", "", "d"], "words:2")
    assert [2, 0, 1] == [len(row) for row in found] == [len(found[i]) for i in (-3, -2, -1)]
    assert [0, 1] == [len(row) for row in found[1:]]
    assert [1, 0, 2] == [len(row) for row in found[::-1]]
    assert [] == found[3:]
    for row in (3, -4, 100):
        with pytest.raises(IndexError, match=f"row {row} of 3 texts"):
            found[row]
    assert np.array_equal(found[2], Shingles(found.values, found.offsets, found.shingle)[-1])


def test_no_texts_and_empty_ones() -> None:
    """No texts give no rows; a missing text is an empty one."""
    nothing: list[Iterable[str]] = [[], (), iter(())]
    for texts in nothing:
        found = shingles(texts)
        assert (0, [0]) == (len(found), found.offsets.tolist())
        assert "uint64" == dtypes(found.values)
    assert [0, 0, 0, 1] == [len(row) for row in shingles(["", None, " \0", "a"])]  # type: ignore[list-item]


def test_a_generator_of_texts() -> None:
    """Texts may come one by one."""
    texts, _ = corpora.in_all_scripts()
    assert shingles(texts).values.tolist() == shingles(text for text in texts).values.tolist()


@pytest.mark.parametrize("size", [1, 64, 1000])
def test_blocks_do_not_matter(size: int) -> None:
    """However the texts are cut into blocks, the sets are the same."""
    texts = [*corpora.in_all_scripts()[0], "", *corpora.families(count=2), "\0", ""] * 3
    whole = shingles(texts, "words:3")
    blocks = ListTexts(texts, limits=BlockLimits(size=size))
    assert len(list(blocks.blocks())) > 1
    cut = shingles(blocks, "words:3")
    assert whole.values.tolist() == cut.values.tolist()
    assert whole.offsets.tolist() == cut.offsets.tolist()


def test_not_a_text() -> None:
    """A single text is refused with a hint, anything else with its position."""
    with pytest.raises(InputError, match=r"pass \[text\]"):
        shingles("one text")
    with pytest.raises(InputError, match="at position 1, found int 5"):
        shingles(["a", 5])  # type: ignore[list-item]


@given(strategies.texts() | strategies.characters() | st.text(), st.sampled_from(["words:5", "words:2", "chars:3"]))
@example("ﷺ" * 40, "words:2")  # it grows where it is folded
@example("\ud800 a \udfff b", "words:2")
def test_one_text_is_hashed_as_one_of_many(text: str, kind: str) -> None:
    """The short way for one text gives the same hashes."""
    shingle = parse(kind)
    block = next(ListTexts([text]).blocks())
    hashes, offsets = hash_text(text, shingle)
    expected = hash_block(block, shingle, unit=Unit.DOCUMENT)
    assert expected.hashes.tolist() == hashes.tolist()
    assert expected.offsets.tolist() == offsets.tolist()
