"""`find_repeats`: runs of complete paragraphs that occur again, in one text or across a list."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from tests import corpora, oracles, oracles_repeats, strategies, table_rows

BODY = corpora.body(seed=7, size=8)
FIELDS = [
    "document",
    "start",
    "end",
    "source_document",
    "source_start",
    "source_end",
    "words",
    "paragraphs",
    "similarity",
]


def slices(text: str, **options: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """Give each repeat of one text and its source, as texts."""
    return [(text[r.start : r.end], text[r.source_start : r.source_end]) for r in dedup.find_repeats(text, **options)]


@given(strategies.articles(), st.sampled_from([1, 5, 12, 50]))
def test_exact_repeats_of_one_text(text: str, min_words: int) -> None:
    """With threshold=1.0 the answer is exactly the set of the definition."""
    repeats = dedup.find_repeats(text, min_words=min_words, threshold=1.0)
    expected = [tuple(run) for run in oracles_repeats.repeats([text], min_words)]
    assert expected == table_rows.repeat_keys(repeats)
    assert {1.0} >= {repeat.similarity for repeat in repeats}
    assert len(expected) == len(repeats) == repeats.table.num_rows


@given(st.lists(strategies.articles(2), max_size=4))
def test_exact_repeats_across_texts(texts: list[str]) -> None:
    """Across a list, the source is the first place in the earliest text."""
    repeats = dedup.find_repeats(texts, min_words=6, threshold=1.0)
    expected = [tuple(run) for run in oracles_repeats.repeats(texts, 6)]
    assert expected == table_rows.repeat_keys(repeats)


@given(strategies.articles(), st.sampled_from([0.5, 0.8, 0.95]))
@example("\n".join(strategies.PARAGRAPHS[i] for i in (1, 0, 1, 1, 1, 0, 1)), 0.95)
def test_near_repeats(text: str, threshold: float) -> None:
    """Every repeat is as similar as it says, and every exact one is within some of them."""
    repeats = list(dedup.find_repeats(text, min_words=6, threshold=threshold))
    covered = {i for repeat in repeats for i in range(repeat.start, repeat.end)}
    for run in oracles_repeats.repeats([text], 6):
        assert set(range(run.start, run.end)) <= covered
    for repeat in repeats:
        a = oracles.tokens(text[repeat.start : repeat.end])
        b = oracles.tokens(text[repeat.source_start : repeat.source_end])
        assert len(a) == repeat.words >= 6
        assert repeat.source_start < repeat.start
        assert threshold <= repeat.similarity <= oracles_repeats.spelled_alike(a, b) / 1000 / max(len(a), len(b))


def test_no_repeats() -> None:
    """A text that says everything once has no repeats."""
    text = "\n".join(BODY)
    repeats = dedup.find_repeats(text)
    assert [] == list(repeats)
    assert len(repeats) == 0
    assert repeats.coverage == 0.0
    assert text == repeats.without_repeats()


def test_a_doubled_body() -> None:
    """A body that occurs twice is one repeat of all its paragraphs."""
    article = corpora.doubled_article()
    (repeat,) = dedup.find_repeats(article.text)
    assert (0, *article.second) == (repeat.document, repeat.start, repeat.end)
    assert (0, *article.first) == (repeat.source_document, repeat.source_start, repeat.source_end)
    assert (article.words, article.paragraphs) == (repeat.words, repeat.paragraphs)
    assert repeat.similarity == 1.0


@pytest.mark.parametrize("newline", ["\n", "\n\n", "\r\n", "\r", "\n \t\n"])
def test_a_tripled_body(newline: str) -> None:
    """A body that occurs three times is two repeats of the first, wherever its lines break."""
    body = newline.join(BODY)
    text = newline.join(["A title", body, body, body, "An end"])
    assert [(body, body)] * 2 == slices(text)
    assert {text.index(body)} == {r.source_start for r in dedup.find_repeats(text)}
    left = dedup.find_repeats(text).without_repeats()
    assert isinstance(left, str)
    assert ["A title", *BODY, "An end"] == [left[a:b] for a, b in oracles.paragraphs(left)]
    if newline in {"\n", "\r\n", "\r"}:
        assert newline.join(["A title", body, "An end"]) == left


def test_moved_blocks() -> None:
    """Blocks in another order are found, each with its own source."""
    a, b, c, d, e = BODY[:5]
    text = "\n\n".join([a, b, c, d, e, d, e, a, b])
    first, second = "\n\n".join([d, e]), "\n\n".join([a, b])
    assert [(first, first), (second, second)] == slices(text)


def test_one_edited_paragraph_is_bridged() -> None:
    """A doubled body with one edited paragraph is one repeat, as similar as its words are."""
    words = BODY[2].split(" ")
    words[3:5] = ["quite", "different", "words"]
    copy = [*BODY[:2], " ".join(words), *BODY[3:]]
    text = "\n".join(["A title", *BODY, *copy, "An end"])
    (repeat,) = dedup.find_repeats(text)
    assert ("\n".join(copy), "\n".join(BODY)) == slices(text)[0]
    longer = len(oracles.tokens("\n".join(copy)))
    assert 0.8 <= repeat.similarity <= (longer - 3) / longer
    assert [3, 6] == [len(found.splitlines()) for found, _ in slices(text, threshold=1.0)]
    assert "\n".join(["A title", *BODY, "An end"]) == dedup.find_repeats(text).without_repeats()


def test_an_inserted_paragraph_is_bridged() -> None:
    """A short line between the paragraphs of the copy does not break the repeat in two."""
    copy = [*BODY[:2], "ADVERTISEMENT", *BODY[2:]]
    text = "\n\n".join([*BODY, *copy])
    assert [("\n\n".join(copy), "\n\n".join(BODY))] == slices(text)
    assert 2 == len(slices(text, threshold=1.0))


@pytest.mark.parametrize("separator", ["* * *", "---", "…"])
def test_separators(separator: str) -> None:
    """A line without words neither is a repeat nor breaks one."""
    body = "\n".join(BODY)
    text = f"{body}\n{separator}\n{body}"
    assert [(body, body)] == slices(text)
    cut = [BODY[0], separator, *BODY[1:]]
    within = "\n".join([*BODY, "New words here", *cut])
    assert [("\n".join(cut), body)] == slices(within, threshold=1.0)


def test_min_words() -> None:
    """A run shorter than `min_words` tokens is not a repeat."""
    words = len(oracles.tokens(BODY[0]))
    text = "\n\n".join([BODY[0], "some new words", BODY[0]])
    assert 1 == len(slices(text, min_words=words))
    assert 0 == len(slices(text, min_words=words + 1))


def test_a_word_said_again_and_again() -> None:
    """One word a thousand times is one repeat; so is a short line said again."""
    line = "\n\n".join(["again"] * 1000)
    ((found, source),) = slices(line)
    assert 999 == len(found.split()) == len(source.split())
    assert 1 == len(slices("\n\n".join(["and again and again"] * 1000)))


def test_across_a_list() -> None:
    """A bare text is document 0; in a list, a repeat names both documents."""
    body = "\n".join(BODY)
    texts = ["Something else\n" + body, "", body + "\nAnd more"]
    (repeat,) = dedup.find_repeats(texts)
    assert (2, 0, len(body)) == (repeat.document, repeat.start, repeat.end)
    assert (0, 15, 15 + len(body)) == (
        repeat.source_document,
        repeat.source_start,
        repeat.source_end,
    )
    assert [texts[0], "", "And more"] == dedup.find_repeats(texts).without_repeats()
    named = dedup.find_repeats(dict(zip("xyz", texts, strict=True)))
    assert [("z", "x")] == [(r.document, r.source_document) for r in named]


def test_an_exact_repeat_is_found_at_any_threshold() -> None:
    """A lower threshold does not lose what repeats word by word, nor its similarity of 1."""
    heading, text = strategies.PARAGRAPHS[:2]
    article = "\n".join([text, heading, text, text, text, heading, text])
    block = "\n".join([text, heading, text])
    assert (block, block) in slices(article, min_words=6, threshold=1.0)
    for threshold in (0.95, 0.8, 0.5):
        assert (block, block) in slices(article, min_words=6, threshold=threshold)


def test_tables() -> None:
    """Tables name the column of the texts and that of the ids."""
    body = "\n".join(BODY)
    table = pa.table({"name": ["x", "y"], "body": [body, f"A title\n{body}"]})
    (repeat,) = dedup.find_repeats(table, column="body", id="name")
    assert ("y", 8, "x", 0) == (
        repeat.document,
        repeat.start,
        repeat.source_document,
        repeat.source_start,
    )
    with pytest.raises(InputError, match="text"):
        dedup.find_repeats(table)
    (same,) = dedup.find_repeats(table["body"], ids=["x", "y"])
    assert repeat == same


def test_the_table() -> None:
    """The table holds what iterating gives, column by column."""
    article = corpora.doubled_article(size=3)
    repeats = dedup.find_repeats(article.text)
    assert FIELDS == repeats.table.column_names
    rows = [{field: getattr(repeat, field) for field in FIELDS} for repeat in repeats]
    assert rows == repeats.table.to_pylist()
    assert repr(repeats)


def test_coverage() -> None:
    """Coverage is the share of all characters that repeat something earlier."""
    article = corpora.doubled_article()
    (start, end), size = article.second, len(article.text)
    repeats = dedup.find_repeats(article.text)
    assert (end - start) / size == pytest.approx(repeats.coverage)

    body = "\n".join(BODY)
    three = dedup.find_repeats([body, "other words", body])
    assert len(body) / (2 * len(body) + 11) == pytest.approx(three.coverage)
    shares = three.documents.to_pylist()
    assert [0, 1, 2] == [row["document"] for row in shares]
    assert [0.0, 0.0, 1.0] == [row["coverage"] for row in shares]


@given(strategies.articles(), st.sampled_from([0.8, 1.0]))
def test_what_is_left_repeats_nothing(text: str, threshold: float) -> None:
    """Removing the repeats of what was left changes nothing."""
    once = dedup.find_repeats(text, min_words=8, threshold=threshold).without_repeats()
    again = dedup.find_repeats(once, min_words=8, threshold=threshold).without_repeats()
    assert once == again


@given(st.lists(strategies.articles(2), max_size=4))
def test_only_paragraphs_go(texts: list[str]) -> None:
    """The lines that are left are lines of the original, and each content is there at least once."""
    left = dedup.find_repeats(texts, min_words=8, threshold=1.0).without_repeats()
    assert isinstance(left, list)
    before = [[old[a:b] for a, b in oracles.lines(old)] for old in texts]
    after = [[new[a:b] for a, b in oracles.lines(new)] for new in left]
    assert {tuple(oracles.tokens(line)) for line in chain(*before)} | {()} == {
        tuple(oracles.tokens(line)) for line in chain(*after)
    } | {()}
    for old, new in zip(before, after, strict=True):
        rest = iter(old)
        assert all(line in rest for line in new if line), "lines of the original, in order"


def test_headings_are_kept() -> None:
    """A repeated line of fewer than 20 words is kept, unless it is removed with a longer block."""
    heading = "This page was updated on Monday by the harbour office and its staff"
    a, b, c, *_ = BODY
    text = "\n\n".join([heading, a, heading, b, heading, c])
    assert text == dedup.find_repeats(text, min_words=10).without_repeats()
    block = "\n\n".join([heading, a, b])
    doubled = "\n\n".join([block, c, block])
    left = dedup.find_repeats(doubled).without_repeats()
    assert isinstance(left, str)
    assert "\n\n".join([block, c]) == left.rstrip("\n")


def test_threads_change_nothing() -> None:
    """The same texts give the same repeats, for any number of threads."""
    texts = [corpora.doubled_article(seed % 4).text for seed in range(9)]
    one = dedup.find_repeats(texts, threads=1).table.to_pylist()
    for threads in (2, 8, None):
        assert one == dedup.find_repeats(texts, threads=threads).table.to_pylist()


@pytest.mark.parametrize("texts", ["", " \n", [], ["", " "], "one", ["one", "one"], ["...", "..."]])
def test_nothing_to_find(texts: Any) -> None:  # noqa: ANN401  (any form of texts)
    """Empty and short texts repeat nothing, and come back as they were."""
    repeats = dedup.find_repeats(texts)
    assert [] == list(repeats)
    assert repeats.coverage == 0.0
    assert texts == repeats.without_repeats()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"threshold": 80}, "80"),
        ({"threshold": 0}, "0"),
        ({"min_words": 0}, "0"),
        ({"min_words": "x"}, "x"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any], found: str) -> None:
    """A wrong option is an error that names it and what was given."""
    (name,) = options
    with pytest.raises(ParameterError, match=rf"(?s){name}.*{found}|{found}.*{name}"):
        dedup.find_repeats("some text", **options)


def test_texts_of_another_type() -> None:
    """A value that is not a text is an error that names its position."""
    with pytest.raises(InputError, match=r"\b1\b"):
        dedup.find_repeats(["a", 5])


def test_the_real_article(data: Path) -> None:
    """The article of the first example: its body occurs twice."""
    text = (data / "doubled_article.txt").read_text(encoding="utf-8")
    repeats = dedup.find_repeats(text)
    (repeat,) = repeats
    assert (0, 4385, 8728, 0, 41, 4384) == table_rows.repeat_keys(repeats)[0][:6]
    assert (15, 1.0) == (repeat.paragraphs, repeat.similarity)
    assert text[41:4384] == text[4385:8728]
    assert text[:4385] + text[8729:] == repeats.without_repeats()
    assert 4343 / 8744 == pytest.approx(repeats.coverage)
    left = repeats.without_repeats()
    assert left == dedup.find_repeats(left).without_repeats()
