"""`match`: pairs and passages across two collections, and nothing within one."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.pipelines.match import match_in
from dedup.pipelines.order import Limits
from dedup.results.listed_pairs import ListingLimits
from tests import oracles, oracles_match, strategies, table_rows
from tests.small_slices import small_slices

THRESHOLDS = st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 0.9, 1.0])
METRICS = st.sampled_from(["jaccard", "containment"])
SHINGLES = st.sampled_from(["words:5", "words:1", "words:2", "chars:6"])


@st.composite
def two_sides(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Give two collections that have copies, near copies, quotations and empty texts in common."""
    corpus = draw(strategies.corpora(14))
    side = draw(st.lists(st.booleans(), min_size=len(corpus), max_size=len(corpus)))
    left = [text for text, is_left in zip(corpus, side, strict=True) if is_left]
    right = [text for text, is_left in zip(corpus, side, strict=True) if not is_left]
    for source, target in ((left, right), (right, left)):
        if source and draw(st.booleans()):
            inside = [draw(strategies.texts(0, 8)), draw(st.sampled_from(source)), draw(strategies.texts(0, 8))]
            target.append(draw(st.sampled_from([" ", "\n", ""])).join(inside))
    return left, right


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Give a table as plain rows, without what the two of a pair differ in, which has tests of its own."""
    names = [name for name in table.column_names if name != "difference"]
    found: list[dict[str, Any]] = table.select(names).to_pylist()
    return found


# ---------------------------------------------------------------------------------------------- pairs


@given(two_sides(), THRESHOLDS, METRICS, SHINGLES)
def test_pairs_are_those_of_the_oracle(
    sides: tuple[list[str], list[str]], threshold: float, metric: str, shingle: str
) -> None:
    """Nothing missed, nothing invented, nothing within a side, and the evidence is exact."""
    result = dedup.match(*sides, threshold=threshold, metric=metric, shingle=shingle, min_words=None)
    expected = oracles_match.crossed(*sides, threshold, metric, shingle)
    assert table_rows.expected_rows(expected) == rows_of(result.pairs)
    assert result.matched.to_pylist() == sorted({pair.left for pair in expected})
    assert (result.summary.pairs, result.summary.matched) == (len(expected), len(result.matched))


@given(two_sides(), THRESHOLDS, METRICS)
def test_sides_swapped(sides: tuple[list[str], list[str]], threshold: float, metric: str) -> None:
    """Turned round, left is right and all else is the same."""
    there = rows_of(dedup.match(*sides, threshold=threshold, metric=metric, min_words=None).pairs)
    back = rows_of(dedup.match(*sides[::-1], threshold=threshold, metric=metric, min_words=None).pairs)
    other = {"left": "right", "left_size": "right_size", "left_in_right": "right_in_left"}
    other |= {right: left for left, right in other.items()}
    turned = [{other.get(name, name): value for name, value in row.items()} for row in back]
    assert sorted(turned, key=lambda row: (row["left"], row["right"])) == there


@given(two_sides(), THRESHOLDS, METRICS)
def test_it_agrees_with_find_duplicates(sides: tuple[list[str], list[str]], threshold: float, metric: str) -> None:
    """The pairs are those of the union that cross the sides."""
    left, right = sides
    whole = dedup.find_duplicates(left + right, threshold=threshold, metric=metric, pairs="all")
    across = [
        {**row, "right": row["right"] - len(left)}
        for row in table_rows.pair_rows(whole)
        if row["left"] < len(left) <= row["right"]
    ]
    assert across == rows_of(dedup.match(left, right, threshold=threshold, metric=metric, min_words=None).pairs)


@given(two_sides(), THRESHOLDS)
def test_it_agrees_with_compare(sides: tuple[list[str], list[str]], threshold: float) -> None:
    """`compare` gives the same numbers for each pair."""
    left, right = sides
    for row in rows_of(dedup.match(left, right, threshold=threshold, min_words=None).pairs):
        found = dedup.compare(left[row["left"]], right[row["right"]])
        assert all(getattr(found, name) == row[name] for name in table_rows.PAIR_COLUMNS[2:-1])


@given(two_sides(), METRICS)
def test_monotone(sides: tuple[list[str], list[str]], metric: str) -> None:
    """What is found at 0.8 is found at 0.7."""
    found = [
        {(row["left"], row["right"]) for row in rows_of(dedup.match(*sides, threshold=t, metric=metric).pairs)}
        for t in (0.9, 0.8, 0.7, 0.3)
    ]
    assert found[0] <= found[1] <= found[2] <= found[3]


@given(two_sides(), st.sampled_from([1, 3]))
def test_threads_change_nothing(sides: tuple[list[str], list[str]], threads: int) -> None:
    """Nor do slices of a single row."""
    one = dedup.match(*sides, min_words=5, threshold=0.3, threads=1)
    with small_slices(1, 2):
        other = dedup.match(*sides, min_words=5, threshold=0.3, threads=threads)
    assert (one.pairs, one.passages, one.summary) == (other.pairs, other.passages, other.summary)


@given(
    st.lists(strategies.articles(3), max_size=4),
    st.lists(strategies.articles(3), max_size=4),
    THRESHOLDS,
    st.sampled_from(["paragraph", "line"]),
)
def test_pairs_of_units_are_those_of_the_oracle(left: list[str], right: list[str], threshold: float, unit: str) -> None:
    """The pairs of all paragraphs or lines as texts of their own, with the places of these."""
    right = [*right, *left[1:2]]
    units_of = oracles.paragraphs if unit == "paragraph" else oracles.filled_lines
    result = dedup.match(left, right, unit=unit, threshold=threshold, min_words=None)
    places = [
        [(row, number, *span) for row, text in enumerate(side) for number, span in enumerate(units_of(text))]
        for side in (left, right)
    ]
    texts = [
        [side[row][start:end] for row, _, start, end in some] for side, some in zip((left, right), places, strict=True)
    ]
    expected = []
    for row in table_rows.expected_rows(oracles_match.crossed(*texts, threshold, "jaccard", "words:3")):
        a, b = places[0][row["left"]], places[1][row["right"]]
        names = (unit, "start", "end")
        row |= {"left": a[0], "right": b[0]}
        row |= {f"left_{name}": a[i] for i, name in enumerate(names, 1)}
        expected.append(row | {f"right_{name}": b[i] for i, name in enumerate(names, 1)})
    assert expected == rows_of(result.pairs)
    assert result.matched.to_pylist() == sorted({row["left"] for row in expected})
    counts = [getattr(result.summary, f"{side}{unit}s") for side in ("", "against_")]
    assert counts == list(map(len, places))
    assert (result.summary.texts, result.summary.against) == (len(left), len(right))
    assert result.summary.empty == sum(not oracles.tokens(text) for text in left)


def test_paragraphs_that_match_are_cut_out() -> None:
    """Rows are kept, what occurs on the other side is removed; passages are those of texts, as always."""
    left = ["Title\n\nThe ferry leaves at noon from the northern mole.\n\nBring a coat.", "Nothing of it", None]
    right = ["Some page\n\nThe ferry leaves at noon from the northern mole!\n\nThe end", "Bring a coat"]
    result = dedup.match(left, right, unit="paragraph", min_words=5)
    assert result.filter(left) == ["Title", "Nothing of it", None]
    assert result.filter(left, by="passages") == ["Nothing of it", None]
    assert "4 paragraphs against 4" in str(result)
    assert result.summary.passages == 1
    with pytest.raises(ParameterError, match="for pairs of paragraphs, found 'either'"):
        result.filter(left, by="either")
    with pytest.raises(ParameterError, match="unit: expected 'document' or 'paragraph' or 'line', found 'page'"):
        dedup.match(left, right, unit="page")
    closest = dedup.match(left[:1], ["The ferry leaves at noon from the southern mole"], unit="paragraph").closest
    assert closest == (0, 0, 5 / 9)


# ------------------------------------------------------------------------------------------- passages


@given(two_sides(), st.sampled_from([1, 2, 3, 5, 8]))
def test_passages_are_those_of_the_oracle(sides: tuple[list[str], list[str]], min_words: int) -> None:
    """Every stretch that cannot be made longer, with its first place, and spans as they are defined."""
    left, right = ([unicodedata.normalize("NFKC", text) for text in side] for side in sides)
    result = dedup.match(left, right, min_words=min_words, passage_threshold=1.0)
    expected = [{**passage._asdict(), "similarity": 1.0} for passage in oracles_match.passages(left, right, min_words)]
    assert expected == [
        {name: row[name] for name in [*oracles_match.Passage._fields, "similarity"]} for row in rows_of(result.passages)
    ]
    assert result.summary.passages == len(expected)
    assert result.summary.quoting == len({row["left"] for row in expected})


@given(two_sides())
def test_passages_of_any_texts(sides: tuple[list[str], list[str]]) -> None:
    """For any Unicode the spans hold the same tokens, as many as `words` says."""
    left, right = sides
    for row in rows_of(dedup.match(left, right, min_words=4, passage_threshold=1.0).passages):
        a = oracles.tokens(left[row["left"]][row["left_start"] : row["left_end"]])
        b = oracles.tokens(right[row["right"]][row["right_start"] : row["right_end"]])
        assert a == b
        assert row["words"] == len(a) >= 4


def test_the_first_place_is_the_source() -> None:
    """Of several places the earliest; a longer stretch wins over a shorter one that comes earlier."""
    quoted = "one two three four five six seven eight"
    against = ["one two three four five six", f"before {quoted} {quoted}", quoted]
    (row,) = rows_of(dedup.match([f"x {quoted} y"], against, min_words=5, passage_threshold=1.0).passages)
    assert (row["left_start"], row["left_end"], row["right"], row["words"]) == (2, 2 + len(quoted), 1, 8)
    assert (row["right_start"], row["right_end"]) == (7, 7 + len(quoted))


def test_a_passage_takes_what_adjoins_it_on_both_sides() -> None:
    """Quotation marks and full stops that both sides have; whole paragraphs whole."""
    left = "He wrote: (alpha beta gamma delta!) and left."
    right = "They read (alpha beta gamma delta!), he said."
    (row,) = rows_of(dedup.match([left], [right], min_words=3).passages)
    assert left[row["left_start"] : row["left_end"]] == "(alpha beta gamma delta!)"
    assert right[row["right_start"] : row["right_end"]] == "(alpha beta gamma delta!)"
    left = "Heading\n“Alpha beta gamma delta.”\nMore of it"
    right = "xx alpha beta gamma delta yy"
    (row,) = rows_of(dedup.match([left], [right], min_words=3).passages)
    assert left[row["left_start"] : row["left_end"]] == "“Alpha beta gamma delta.”"
    assert right[row["right_start"] : row["right_end"]] == "alpha beta gamma delta"


# ------------------------------------------------------------------------------- articles inside pages


@pytest.mark.parametrize("order", [1, -1])
def test_articles_inside_pages_twenty_times_longer(order: int) -> None:
    """Containment finds each planted article inside its page, with the right spans."""
    article = [" ".join(f"w{n}x{i}" for i in range(60 + n)) for n in range(12)]
    filler = [" ".join(f"f{n}y{i}" for i in range(1300)) for n in range(12)]
    pages = [f"{text[:4000]} {article[n]} {text[4000:]}" for n, text in enumerate(filler)]
    sides = (article, pages)[::order]
    result = dedup.match(*sides, metric="containment", threshold=0.8)
    assert [(row["left"], row["right"]) for row in rows_of(result.pairs)] == [(n, n) for n in range(12)]
    inside, outside = ("left_in_right", "right_in_left")[::order]
    assert all(row[inside] == 1.0 and row[outside] < 0.1 for row in rows_of(result.pairs))
    name = ("left", "right")[::order][1]
    for n, row in enumerate(rows_of(result.passages)):
        assert pages[n][row[f"{name}_start"] : row[f"{name}_end"]] == article[n]


# ------------------------------------------------------------------------------------- large families


def test_a_family_on_one_side_is_linear() -> None:
    """Thousands of copies and near copies of one text are looked up once, or each once; never with each other."""
    base = [f"w{i}" for i in range(60)]
    near = [" ".join([*base[:30], f"only{n}", *base[30:]]) for n in range(3000)]
    result = dedup.match([" ".join(base)], near + [" ".join(base)] * 3000, threshold=0.8, min_words=20)
    assert result.summary.pairs == 6000
    assert result.summary.passages == 1
    assert "matches 6,000" in str(dedup.match(near + [" ".join(base)] * 3000, [" ".join(base)]).summary)


def test_limits_are_visible() -> None:
    """Too many pairs are an error that counts them; what needs no list is still there."""
    many = ["one two three four five six"] * 100
    result = match_in(many, many, limits=Limits(listing=ListingLimits(rows=9_999)))
    assert result.summary.pairs == 10_000
    assert result.filter(many) == []
    with pytest.raises(ParameterError, match=r"at most 9,999 rows.*found 10,000.*thin out one side"):
        _ = result.pairs
    near = [f"one two three four five six seven eight nine ten eleven x{n}" for n in range(20)]
    with pytest.raises(ParameterError, match="threshold: expected at most 399 pairs.*found more; thin out one side"):
        match_in(near, near[::-1], threshold=0.5, limits=Limits(pairs=399))
    assert len(match_in(near, near[::-1], threshold=0.5, limits=Limits(pairs=400))) == 400


def test_one_word_over_and_over() -> None:
    """A word said many thousand times on both sides: the longest stretches there are, and no square."""
    (row,) = rows_of(dedup.match(["na " * 100_000], ["na " * 100_000]).passages)
    assert (row["left_start"], row["left_end"], row["words"]) == (0, 299_999, 100_000)
    table = dedup.match(["na " * 1_500], ["na " * 1_000]).passages
    assert table["words"].to_pylist() == [1_000] * 501, "each of them cannot be made longer"


def test_a_family_on_both_sides() -> None:
    """Passages of near copies against near copies: linear, since equal runs are looked at once."""
    base = [f"w{i}" for i in range(200)]
    left = [" ".join([*base[:100], f"left{n}", *base[100:]]) for n in range(400)]
    right = [" ".join([*base[:120], f"right{n}", *base[120:]]) for n in range(400)]
    table = dedup.match(left, right, threshold=1.0, min_words=50, passage_threshold=1.0).passages
    assert table["words"].to_pylist() == [100, 80] * 400
    assert set(table["right"].to_pylist()) == {0}
    table = dedup.match(left, right, threshold=1.0, min_words=50).passages
    assert table["words"].to_pylist() == [201] * 400
    assert set(table["similarity"].to_pylist()) == {200 / 201}  # of 201 words on each side, 200 are matched


# --------------------------------------------------------------------------------- real versions


@pytest.mark.skipif(not os.environ.get("DEDUP_DATA"), reason="DEDUP_DATA does not name the folder of real data")
@pytest.mark.parametrize("metric", ["jaccard", "containment"])
def test_versions_of_policies(metric: str) -> None:
    """Versions of policies against other versions: the pairs of a search over all of them that cross the sides."""
    path = os.path.join(os.environ["DEDUP_DATA"], "ota_dev", "ota_versions.jsonl.zst")
    with pa.CompressedInputStream(path, "zstd") as stream:
        texts = [json.loads(line)["text"] for line in stream.read().splitlines()[:300]]
    left, right = texts[::2], texts[1::2]
    for threshold in (0.5, 0.8, 0.95):
        whole = dedup.find_duplicates(left + right, threshold=threshold, metric=metric, pairs="all")
        across = [
            {**row, "right": row["right"] - len(left)}
            for row in table_rows.pair_rows(whole)
            if row["left"] < len(left) <= row["right"]
        ]
        assert len(across) > 50
        assert across == rows_of(dedup.match(left, right, threshold=threshold, metric=metric, min_words=None).pairs)
    result = dedup.match(left, right, passage_threshold=1.0)
    assert result.summary.passages > 500
    for row in rows_of(result.passages)[::37]:
        a = left[row["left"]][row["left_start"] : row["left_end"]]
        b = right[row["right"]][row["right_start"] : row["right_end"]]
        assert oracles.tokens(a) == oracles.tokens(b)


# --------------------------------------------------------------------------------- what to do with it

LEFT = [
    "The bridge is closed until Friday, the council said.",
    "It rained on Sunday, and the fair moved indoors.",
    None,
    "News: the ferry leaves at noon from the northern mole. Bring a coat.",
]
RIGHT = ["the ferry leaves at noon from the northern mole", "THE BRIDGE is closed until Friday, the council said!"]


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        lambda texts: dict(zip("abcd", texts, strict=True)),
        pa.array,
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pd.Series(texts, index=[5, 6, 7, 8], dtype="string"),
        lambda texts: pl.Series("t", texts),
        lambda texts: pa.table({"text": texts, "n": [1, 2, 3, 4]}),
        lambda texts: pd.DataFrame({"text": texts, "n": [1, 2, 3, 4]}),
        lambda texts: pl.DataFrame({"text": texts, "n": [1, 2, 3, 4]}),
        lambda texts: [{"text": text, "n": n} for n, text in enumerate(texts)],
    ],
)
def test_all_kinds_of_input_on_both_sides(wrap: Any) -> None:
    """The same answer for each kind, and the same kind back."""
    data = wrap(LEFT)
    result = dedup.match(data, data, min_words=5)
    assert result.summary.pairs == 3
    result = dedup.match(data, RIGHT, min_words=5)
    assert result.summary.matched == 1
    assert result.summary.quoting == 2
    kept = [result.filter(data, by=by) for by in ("pairs", "passages", "either")]
    assert all(type(some) is type(data) for some in kept)
    assert [len(some) for some in kept] == [3, 2, 2]
    assert type(result.cut(data)) is type(data)
    assert dedup.match(result.filter(data), RIGHT, min_words=5).summary.pairs == 0
    assert dedup.match(result.cut(data), RIGHT, min_words=5).summary.passages == 0


def test_ids_come_back_unchanged() -> None:
    """Each side has its own ids, of its own type; tables by their columns."""
    left = {"first": LEFT[0], "second": LEFT[1]}
    right = pd.DataFrame({"body": RIGHT, "key": [70, 80]})
    result = dedup.match(left, right, against_column="body", against_id="key", min_words=5)
    assert rows_of(result.pairs.select(["left", "right"])) == [{"left": "first", "right": 80}]
    assert rows_of(result.passages.select(["left", "right"])) == [{"left": "first", "right": 80}]
    assert result.matched.to_pylist() == ["first"]
    result = dedup.match(LEFT, (text for text in RIGHT), ids=[4, 3, 2, 1], against_ids=["x", "y"], min_words=5)
    assert rows_of(result.pairs.select(["left", "right"])) == [{"left": 4, "right": "y"}]


def test_cut() -> None:
    """Passages are removed, complete lines with their line break; rows, empty and missing texts are kept."""
    result = dedup.match(LEFT, RIGHT, min_words=5)
    assert result.cut(LEFT) == ["", LEFT[1], None, "News: . Bring a coat."]
    between = dedup.match(["before one two three four behind"], ["one two three four"], min_words=4)
    assert between.cut(["before one two three four behind"]) == ["before behind"]
    text = "Heading\nOne two three four.\n\nLast line"
    assert dedup.match([text], ["one two three four"], min_words=4).cut([text]) == ["Heading\n\nLast line"]


@given(two_sides(), st.sampled_from([1, 3, 6]))
def test_cut_removes_the_passages(sides: tuple[list[str], list[str]], min_words: int) -> None:
    """What is cut is what the spans say: no other token is removed."""
    left, right = sides
    result = dedup.match(left, right, min_words=min_words)
    shorter = result.cut(left)
    covered = [set() for _ in left]
    for row in rows_of(result.passages):
        covered[row["left"]] |= set(range(row["left_start"], row["left_end"]))
    for text, new, gone in zip(left, shorter, covered, strict=True):
        rest = "".join(c for place, c in enumerate(text) if place not in gone)
        assert "".join(new.split()) == "".join(rest.split())
        assert gone or new == text


def test_the_summary_says_what_was_done() -> None:
    """In words, and as a dict; equal for equal runs."""
    result = dedup.match(LEFT, RIGHT, min_words=5)
    assert str(result) == (
        "Matches\n"
        "4 texts (1 empty) against 2 (0 empty), words:5, jaccard 0.8, exact\n"
        "1 pair (1 in format), 1 text matched\n"
        "2 passages of 5 words or more, in 2 texts\n"
        "warning: 1 of 1 pairs of exact copies differ in symbols or punctuation; "
        'distinct="symbols" (--distinct symbols) leaves them out'
    )
    assert result.summary == dedup.match(LEFT, RIGHT, min_words=5).summary
    assert result.summary.to_dict()["against_empty"] == 0
    assert set(result.timings) == {"read", "exact copies", "join", "words", "passages"}


def test_the_closest_pair_if_there_is_none() -> None:
    """If nothing reaches the threshold, a hint gives the closest pair, with its ids."""
    left = {"a": "one two three four five six seven eight nine ten", "b": "something else of some words altogether"}
    right = {7: "one two three four five six seven eight new words", 8: "and more that is quite different from that"}
    result = dedup.match(left, right, min_words=None)
    assert result.closest == ("a", 7, 4 / 8)
    assert str(result).endswith(
        "\nno pair reached the threshold; the closest one seen: 'a' and 7 at 0.500; try a lower threshold"
    )
    assert "closest" not in f"{result.summary}{result.summary.to_dict()}", "it is not part of the result"
    assert dedup.match(left, right, threshold=0.5).closest is None, "it is a pair"
    assert dedup.match(left, {8: right[8]}).closest is None, "nothing is shared"


@given(two_sides(), METRICS)
def test_the_closest_pair_is_the_closest(sides: tuple[list[str], list[str]], metric: str) -> None:
    """No pair is more similar; if none is reported, none has a similarity of a twentieth or more."""
    found = dedup.match(*sides, threshold=1.0, metric=metric, min_words=None)
    if found.summary.pairs:
        assert found.closest is None
        return
    below = oracles_match.crossed(*sides, 0.05, metric)
    whole = [
        min(p.left_size, p.right_size) if metric == "containment" else p.left_size + p.right_size - p.shared
        for p in below
    ]
    best = max([0.0, *(p.shared / size for p, size in zip(below, whole, strict=True))])
    assert (found.closest[2] if found.closest else 0.0) == (best if best >= 0.1 else 0.0)


# ------------------------------------------------------------------------------------------ wrong use


def test_empty_sides() -> None:
    """Nothing against nothing is nothing; texts without words are counted, and warned of."""
    for left, right in (([], []), ([], ["a b"]), (["a b"], [])):
        result = dedup.match(left, right)
        assert (result.pairs.num_rows, result.passages.num_rows) == (0, 0)
        assert result.summary.warnings == ()
    result = dedup.match(["", None, "..."], ["one two"])
    assert (result.summary.empty, result.summary.against_empty) == (3, 0)
    assert "no text of `texts` has a word" in str(result)
    assert "no text of `against` has a word" in str(dedup.match(["a"], [" "]))


@pytest.mark.parametrize(
    ("left", "right", "options", "message"),
    [
        ("one text", ["a"], {}, r"texts: expected a collection of texts, found one str; pass \[text\]"),
        (["a"], "one text", {}, r"against: expected a collection of texts, found one str; pass \[text\]"),
        (["a"], ["b", 5], {}, "against: expected a text .* at position 1, found int"),
        (["a", b"x"], ["b"], {}, "texts: expected a text .* at position 1, found bytes"),
        (["a"], [{"body": "b"}], {}, "against: column=\"text\": no such column; found 'body'"),
        ([{"body": "b"}], ["a"], {"column": "txt"}, 'texts: column="txt": no such column'),
        (["a", "b"], ["a"], {"ids": [1, 1]}, "texts: ids: expected unique ids, found 1 at row 0 and at row 1"),
        (["a"], ["a", "b"], {"against_ids": ["x"]}, "against: ids: expected one per text, found 1 for 2"),
        ({"a", "b"}, ["a"], {}, "texts: expected texts in an order, found a set"),
        (["a"], 7, {}, "against: expected a collection of texts, found int"),
    ],
)
def test_bad_input_names_the_side(left: Any, right: Any, options: Any, message: str) -> None:
    """Every error about the data says which of the two it is about."""
    with pytest.raises(InputError, match=message):
        dedup.match(left, right, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"metric": "cosine"}, "metric: expected 'jaccard' or 'containment' or 'edit', found 'cosine'"),
        ({"shingle": "lines:2"}, "lines:2"),
        ({"min_words": 0}, "min_words: expected a whole number from 1 on, or None, found 0"),
        ({"min_words": 2.5}, "min_words"),
        ({"threads": 0}, "threads"),
        ({"column": "x"}, "texts: column='x' is for tables"),
        ({"against_id": "x"}, "against: id='x' is for tables"),
    ],
)
def test_bad_options(options: Any, message: str) -> None:
    """An option that means nothing is an error that says what would."""
    with pytest.raises(ParameterError, match=message):
        dedup.match(["a"], ["b"], **options)


def test_what_was_not_looked_for_is_not_there() -> None:
    """Without min_words passages are not searched; filter knows its words."""
    result = dedup.match(LEFT, RIGHT, min_words=None)
    assert result.summary.passages is None
    assert "passage" not in str(result)
    for use in (lambda: result.passages, lambda: result.cut(LEFT), lambda: result.filter(LEFT, by="either")):
        with pytest.raises(ParameterError, match="min_words=None"):
            use()
    with pytest.raises(ParameterError, match="by: expected 'pairs' or 'passages' or 'either', found 'all'"):
        result.filter(LEFT, by="all")
    with pytest.raises(InputError, match="expected the 4 rows"):
        result.filter(LEFT[:2])


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
def test_texts_too_short_for_the_shingle_are_warned_of(unit: str, tmp_path: Path) -> None:
    """Most texts of both sides shorter than three shingles: the summary says so, whatever engine counted them."""
    texts = [f"red{i} blue{i} green{i} grey{i} pink{i}" for i in range(40)]
    long = [" ".join(f"word{i}at{j}" for j in range(40)) for i in range(20)]
    size = 5 if unit == "document" else 3
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    runs = [
        dedup.match(texts, long, unit=unit),
        dedup.match(long, texts, unit=unit, min_words=None, threads=2),
        dedup.match(texts, long, unit=unit, memory="100MB"),
        dedup.match(tmp_path / "new.jsonl", long, unit=unit),
    ]
    for run in runs:
        (warning,) = run.summary.warnings
        assert warning.startswith(f"40 of 60 {unit}s are shorter than three shingles of words:{size}: ")
        assert "warning: " in str(run)
    for fitting in (
        dedup.match(texts, long, unit=unit, shingle="chars:4"),
        dedup.match(texts, long, unit=unit, metric="edit"),
        dedup.match(texts, long * 2, unit=unit),
        dedup.match(texts[:20], long[:5], unit=unit),
    ):
        assert not fitting.summary.warnings
