"""Passages of words that are nearly alike: what they are worth, by the oracle; and which passages are found by it."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.kernels import spelling as kernels
from dedup.passages.chains import Passages
from dedup.passages.maximal import Stretches
from dedup.passages.spans import Spans
from dedup.passages.spelling import spell
from tests import oracles_repeats
from tests.kernel_arrays import frozen, offsets_of

word = st.one_of(st.text("ab", min_size=1, max_size=7), st.text("ab1", min_size=1, max_size=7))
sides = st.lists(word, min_size=1, max_size=12)


def alike(pairs: list[tuple[list[str], list[str]]], matched: list[int], least: list[int] | None = None) -> list[int]:
    """Give what the kernel says of some pairs of rows of words."""
    rows = [[ord(c) for c in " ".join(side)] for pair in pairs for side in pair]
    wanted = frozen([0] * len(pairs) if least is None else least, np.int64)
    totals = np.empty(len(pairs), dtype=np.int64)
    points = frozen((point for row in rows for point in row), np.uint64)
    digits = frozen(map(ord, "0123456789"), np.uint64)
    kernels.spelled_alike(points, offsets_of(rows), np.uint64(0x20), digits, frozen(matched, np.int64), wanted, totals)
    return totals.tolist()  # type: ignore[no-any-return]


@given(st.lists(st.tuples(sides, sides), max_size=4), st.integers(0, 3))
def test_what_two_passages_have_in_common(pairs: list[tuple[list[str], list[str]]], fewer: int) -> None:
    """The kernel says what the oracle says, however many words are known to be equal."""
    matched = [max(oracles_repeats.longest_common(a, b) - fewer, 0) for a, b in pairs]
    wanted = [oracles_repeats.spelled_alike(a, b) for a, b in pairs]
    assert alike(pairs, matched) == wanted
    assert alike(pairs, matched, [each - 300 * fewer for each in wanted]) == wanted
    assert all(x <= y for x, y in zip(alike(pairs, matched, [each + 1 for each in wanted]), wanted, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_longer_passages(seed: int) -> None:
    """Passages of many words, edited a little or much, with few and with many different words, at each threshold."""
    chance = Random(seed)
    known = [
        "".join(chance.choices("abcdef1", (9, 9, 9, 9, 9, 9, 1), k=chance.randint(1, 9))) for _ in range(5 + 4 * seed)
    ]
    pairs = []
    for _ in range(8):
        a = chance.choices(known, k=chance.randint(1, 90))
        b = []
        for said in a:
            kind = chance.random()
            if kind < 0.2:
                at = chance.randrange(len(said))
                said = said[:at] + chance.choice("abcdef") + said[at + 1 :]
            if kind < 0.9:
                b.append(said)
            if kind > 0.8:
                b.append(chance.choice(known))
        pairs.append((a, b or ["a"]))
    wanted = [oracles_repeats.spelled_alike(a, b) for a, b in pairs]
    common = [oracles_repeats.longest_common(a, b) for a, b in pairs]
    for fewer in (0, 3):
        matched = [max(each - fewer, 0) for each in common]
        assert alike(pairs, matched) == wanted
        assert alike(pairs, matched, wanted) == wanted
    too_much = alike(pairs, common, [each + 1 for each in wanted])
    assert all(1000 * least <= x <= y for least, x, y in zip(common, too_much, wanted, strict=True))


@pytest.mark.parametrize(
    ("a", "b", "worth"),
    [
        ("bridge", "bridge", 1000),
        ("bridge", "brldge", 833),
        ("bridge", "bridges", 857),
        ("abcde", "abcxy", 600),  # two in five
        ("abcd", "abxy", 0),
        ("of", "on", 0),
        ("1990", "1991", 0),
        ("section", "secti0n", 0),
        ("a", "b", 0),
        ("x" * 64, "x" * 63 + "y", 984),
        ("x" * 65, "x" * 64 + "y", 0),
    ],
)
def test_what_a_word_is_worth(a: str, b: str, worth: int) -> None:
    """Words of which two code points in five or fewer differ count in part."""
    assert alike([([a], [b])], [0]) == [worth] == [oracles_repeats.worth(a, b)]


def test_an_alignment_drifts() -> None:
    """Many words in front of an equal row: the band is as wide as the words that are not known to match."""
    row = [*(f"w{i}" for i in range(300)), "end"]
    for more, found in ((200, 300_000), (kernels.WIDEST_WORD + 50, 100_000)):  # the second is too far
        assert alike([(row, [*(f"x{i}" for i in range(more)), *row[:-1], "other"])], [100]) == [found]


def scanned(words: list[str], share: float, chance: Random) -> list[str]:
    """Give words in which some letters were misread."""
    return ["".join(chance.choice("etaoin") if chance.random() < share else c for c in w) for w in words]


def two_texts() -> tuple[str, str]:
    """Give a text, and another that quotes 100 words of it, so badly scanned that less than 0.8 of them are equal."""
    chance = Random(5)
    words = ["".join(chance.choice("abcdefghijklmnoprstu") for _ in range(7)) for _ in range(400)]
    quoted = scanned(words[50:150], 0.06, chance)
    return " ".join(words[:200]), " ".join([*words[200:300], *quoted, *words[300:]])


@pytest.mark.parametrize("how", [{}, {"memory": "1GB"}, {"threads": 2}, {"ignore": "accents"}, {"tokens": "all"}])
def test_a_scanned_passage_is_found(how: dict[str, Any]) -> None:
    """A passage of which too few words are equal, since letters are wrong; it is as similar as the oracle says."""
    source, page = two_texts()
    table = dedup.match([page], [source], **how).passages
    (row,) = table.to_pylist()
    a, b = (
        text[row[f"{side}_start"] : row[f"{side}_end"]].split() for text, side in ((page, "left"), (source, "right"))
    )
    assert 97 <= row["words"] <= 101
    assert oracles_repeats.longest_common(a, b) / max(len(a), len(b)) < 0.8
    assert row["similarity"] == oracles_repeats.spelled_alike(a, b) / 1000 / max(len(a), len(b)) > 0.9
    (repeat,) = dedup.find_repeats([source, page], **how)
    assert (repeat.start, repeat.end) == (row["left_start"], row["left_end"])
    assert repeat.similarity == row["similarity"]


def test_other_words_are_no_misspelled_ones() -> None:
    """As many other words: no passage, and at 1.0 a scanned one is not found either."""
    source, page = two_texts()
    kept = set(source.split())
    other = " ".join(w if w in kept else w[::-1] for w in page.split())
    assert dedup.match([other], [source]).passages.num_rows == 0
    assert dedup.match([page], [source], passage_threshold=1.0).passages.num_rows == 0


def test_what_lies_in_a_proved_passage_is_dropped() -> None:
    """A doubtful passage that reaches the threshold stands for those inside it; another is dropped."""
    texts = ["alpha bravo charlie delta", "alpha brabo charlie delta echo alpha"]
    passages = Passages(
        Stretches(*(frozen(row, np.int64) for row in ([4, 6, 8], [8, 8, 10], [0, 2, 0], [4, 4, 2]))),
        frozen([3, 2, 0], np.int64),
        Stretches(*(frozen([], np.int64) for _ in range(4))),
        frozen([], np.int64),
        frozen([True, False, True], np.bool_),
    )
    here = Spans(frozen([0, 12, 26], np.int64), frozen([25, 25, 36], np.int64), frozen([0, 0, 0], np.int64))
    there = Spans(frozen([0, 12, 0], np.int64), frozen([25, 25, 11], np.int64), frozen([0, 0, 0], np.int64))
    offsets = frozen([0, 4, 10], np.int64)
    for held in (1, 1 << 20):
        found = spell(texts.__getitem__, offsets, passages, (here, there), 0.8, held=held)
        assert found.rows.tolist() == [True, False, False]
        assert found.similarity.tolist() == [3.8 / 4]
    assert spell(texts.__getitem__, offsets, passages, (here, there), 0.96).rows.tolist() == [False, True, False]
