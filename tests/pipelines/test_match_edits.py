"""`match` below a passage threshold of 1.0: passages with edits, and what is promised about them."""

from __future__ import annotations

import random
import unicodedata
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from tests import oracles, oracles_match, strategies
from tests.small_slices import small_slices

VOCABULARY = [f"w{number}" for number in range(5000)]

TEXTS = st.lists(st.one_of(strategies.articles(3), strategies.texts(0, 30)), max_size=5)
LOWER = st.sampled_from([0.95, 0.8, 0.5, 0.1])


def passages(left: Any, right: Any, **options: Any) -> list[dict[str, Any]]:
    """Give the passages as plain rows."""
    rows: list[dict[str, Any]] = dedup.match(left, right, progress=False, **options).passages.to_pylist()
    return rows


def edited(words: list[str], share: float, chance: random.Random) -> list[str]:
    """Substitute, insert and delete a share of the words, in equal parts."""
    made = []
    for word in words:
        kind = chance.randrange(3) if chance.random() < share else -1
        if kind != 2:
            made.append(chance.choice(VOCABULARY) if kind == 0 else word)
        if kind == 1:
            made.append(chance.choice(VOCABULARY))
    return made


def quoted(seed: int, size: int, share: float) -> tuple[str, str, str, str]:
    """Give a page and a source that have a passage in common, and the passage in both."""
    chance = random.Random(seed)
    passage = chance.choices(VOCABULARY, k=size)
    here, there = " ".join(edited(passage, share, chance)), " ".join(passage)
    around = [" ".join(chance.choices(VOCABULARY, k=80)) for _ in range(4)]
    return f"{around[0]} {here} {around[1]}", f"{around[2]} {there} {around[3]}", here, there


@given(TEXTS, TEXTS, st.sampled_from([1, 2, 4, 8, 25]), LOWER)
def test_passages_are_what_they_say(left: list[str], right: list[str], min_words: int, threshold: float) -> None:
    """Each is long enough on its longer side, and as similar as it must be and as it says."""
    right = [*right, *left[1:3], " ".join(left)]
    for row in passages(left, right, min_words=min_words, passage_threshold=threshold):
        a = oracles.tokens(left[row["left"]][row["left_start"] : row["left_end"]])
        b = oracles.tokens(right[row["right"]][row["right_start"] : row["right_end"]])
        assert oracles_match.edited(a, b, row["words"], row["similarity"], min_words, threshold)


@given(TEXTS, TEXTS, st.sampled_from([1, 2, 4, 8, 25]), LOWER)
def test_what_is_found_word_for_word_lies_within(
    left: list[str], right: list[str], min_words: int, threshold: float
) -> None:
    """Each exact passage is in one that is found below 1.0: all of its words are."""
    left, right = ([unicodedata.normalize("NFKC", text) for text in side] for side in (left, right))
    right = [*right, *left[1:3], " ".join(left)]
    wider = passages(left, right, min_words=min_words, passage_threshold=threshold)
    for row in passages(left, right, min_words=min_words, passage_threshold=1.0):
        words = [
            (token.start + row["left_start"], token.end + row["left_start"])
            for token in oracles.token_spans(left[row["left"]][row["left_start"] : row["left_end"]])
        ]
        assert any(
            other["left"] == row["left"] and other["left_start"] <= words[0][0] and words[-1][1] <= other["left_end"]
            for other in wider
        )


@given(TEXTS, TEXTS, st.sampled_from([2, 8, 25]), st.integers(1, 3))
def test_threads_and_batches_change_nothing(left: list[str], right: list[str], min_words: int, threads: int) -> None:
    """The same passages for any number of threads, however small the batches are."""
    right = [*right, *left[1:3], " ".join(left)]
    one = passages(left, right, min_words=min_words, threads=1)
    with small_slices(1, 2):
        assert one == passages(left, right, min_words=min_words, threads=threads)


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1])
def test_spans_are_the_same_from_the_other_side(share: float) -> None:
    """A passage has the same spans whichever side is searched in."""
    for seed in range(30):
        page, source, _, _ = quoted(seed, 120, share)
        (there,) = passages([page], [source])
        (back,) = passages([source], [page])
        turned = {f"{side}{end}": back[f"{other}{end}"] for side, other in SIDES for end in ("_start", "_end")}
        assert {**turned, "similarity": back["similarity"]}.items() <= there.items()


SIDES = (("left", "right"), ("right", "left"))


@pytest.mark.parametrize("search", ["match", "find_repeats"])
def test_a_word_less_in_the_copy(search: str) -> None:
    """The longer side counts: what was left out of a copy does not lose it, nor what was put in."""
    words = [f"w{i}" for i in range(50)]
    for shorter in ([*words[:20], *words[21:]], [*words[:10], *words[11:30], *words[32:]]):
        for a, b in ((words, shorter), (shorter, words)):
            if search == "match":
                (row,) = passages([" ".join(["x", *a, "y"])], [" ".join(["z", *b, "t"])])
                assert (row["words"], row["similarity"]) == (len(a), len(shorter) / 50)
            else:
                (repeat,) = dedup.find_repeats([" ".join(["z", *b, "t"]), " ".join(["x", *a, "y"])])
                assert (repeat.words, repeat.similarity) == (len(a), len(shorter) / 50)


def test_an_edited_end_counts() -> None:
    """Words at an end count as edited, at most as many as were edited inside; a shorter quotation has none."""
    words = [f"w{i}" for i in range(50)]
    copy = [*words[:20], "x", *words[21:49]]  # its last word was left out
    (row,) = passages([" ".join(["a", *copy, "b", "c"])], [" ".join(["d", *words, "e", "f"])])
    assert row["similarity"] == 48 / 50
    assert passages([" ".join(["a", *words[:49], "b", "c"])], [" ".join(["d", *words, "e", "f"])]) == []
    assert passages([" ".join(["a", *words[:46], "x", "b", "c"])], [" ".join(["d", *words, "e", "f"])]) == []


def test_a_gap_makes_one_passage_of_two() -> None:
    """A passage from which a stretch was cut is one, with its words on the left and those of the longer side."""
    words = [f"w{i}" for i in range(300)]
    (row,) = passages([" ".join(["x", *words[:140], *words[164:], "y"])], [" ".join(["z", *words, "t"])])
    assert (row["words"], row["similarity"]) == (276, 276 / 300)


def test_each_quotation_has_its_own_source() -> None:
    """Versions of a passage: each is attributed to the version that it quotes, wherever and how often that occurs."""
    chance = random.Random(5)
    passage = chance.choices(VOCABULARY, k=150)
    versions = [edited(passage, 0.06, chance) for _ in range(4)]
    fillers = [" ".join(chance.choices(VOCABULARY, k=60)) for _ in range(8)]
    against = [f"{fillers[i]} {' '.join(version)} {fillers[i + 4]}" for i, version in enumerate(versions)]
    for i, version in enumerate(versions):
        quotation = " ".join(edited(version, 0.02, chance))
        rows = passages([f"before {quotation} {quotation} after"], against)
        assert [row["right"] for row in rows] == [i, i]


@pytest.mark.parametrize(("share", "least"), [(0.05, 0.97), (0.1, 0.95)])
def test_most_planted_passages_are_found(share: float, least: float) -> None:
    """Of passages of 100 words with edits, these shares of their characters, and nothing else."""
    inside = total = outside = 0
    for seed in range(60):
        page, source, here, _ = quoted(seed, 100, share)
        start = page.index(here)
        for row in passages([page], [source]):
            found = max(0, min(row["left_end"], start + len(here)) - max(row["left_start"], start))
            inside += found
            outside += row["left_end"] - row["left_start"] - found
        total += len(here)
    assert inside >= least * total
    assert outside <= 0.01 * total


def test_cut_takes_the_edits_with_the_passage() -> None:
    """A passage with edits is cut out as a whole; texts with one can be left out."""
    words = [f"w{i}" for i in range(60)]
    text = " ".join(["before", *words[:30], "edited", *words[31:], "after"])
    result = dedup.match([text, "other"], [" ".join(words)])
    assert result.cut([text, "other"]) == ["before after", "other"]
    assert result.filter([text, "other"], by="passages") == ["other"]
    assert result.summary.passage_threshold == 0.8
    assert dedup.match([text], [" ".join(words)], min_words=None).summary.passage_threshold is None


def test_a_lower_threshold_finds_more() -> None:
    """Each step down covers what the steps above cover, on texts where the passages are apart."""
    planted = [quoted(seed, 90, 0.02 * seed) for seed in range(12)]
    pages, sources = [some[0] for some in planted], [some[1] for some in planted]
    covered = [
        {row["left"] for row in passages(pages, sources, passage_threshold=threshold)}
        for threshold in (1.0, 0.95, 0.9, 0.8, 0.7)
    ]
    assert all(a <= b for a, b in combinations(covered, 2))
    assert len(covered[0]) < len(covered[-1])
