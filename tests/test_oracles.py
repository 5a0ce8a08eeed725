"""The oracles, held against small cases made by hand and against one another."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given

from tests import corpora, oracles, oracles_repeats, strategies
from tests.oracles_repeats import Run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\u00a0\u3000*-*", []),
        ("It's 3.5 snake_case!", ["it", "s", "3", "5", "snake_case"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("cafe\u0301 CAF\u00c9", ["caf\u00e9", "caf\u00e9"]),
        ("co\u00adoperate \u200bzero\u200bwidth", ["cooperate", "zerowidth"]),
        ("\ufb01n \uff21\uff22\uff11 \u00bd", ["fin", "ab1", "1", "2"]),
        ("a\0b\ud800c", ["a", "b", "c"]),
        ("a\u0378b", ["a", "b"]),
        ("北京abc大学", ["北", "京", "abc", "大", "学"]),
        ("カ゛ガｶﾞ", ["カ", "ガ", "ガ"]),
        ("ก็ดี x", ["ก็", "ดี", "x"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("👩\u200d👩\u200d👧 ok", ["ok"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    """The tokeniser gives what a reader gives by hand."""
    assert expected == oracles.tokens(text)


def test_spans() -> None:
    """Spans count the characters of the original, skipped ones inside a token included."""
    text = "Straße, co\u00adop 北京x"
    expected = [
        ("strasse", "Straße"),
        ("coop", "co\u00adop"),
        ("北", "北"),
        ("京", "京"),
        ("x", "x"),
    ]
    assert expected == [(t, text[a:b]) for t, a, b in oracles.token_spans(text)]


@given(strategies.settled_texts())
def test_spans_agree_with_tokens(text: str) -> None:
    """The two tokenisers give the same tokens, and a span tokenises to its token."""
    spans = oracles.token_spans(text)
    assert oracles.tokens(text) == [span.token for span in spans]
    assert [[s.token] for s in spans] == [oracles.tokens(text[s.start : s.end]) for s in spans]


def test_shingles() -> None:
    """A text shorter than a shingle is one shingle; one without tokens has none."""
    assert {("a", "b"), ("b", "a")} == oracles.shingles("A b a b", "words:2")
    assert {("a", "b")} == oracles.shingles("A b.", "words:5")
    assert {"a b", " b ", "b c"} == oracles.shingles("a, b; c", "chars:3")
    assert {"ab"} == oracles.shingles("AB", "chars:8")
    assert frozenset() == oracles.shingles("...", "chars:8")


def test_pairs() -> None:
    """A pair at the threshold is there, one below is not, and empty texts equal nothing."""
    texts = ["a b c d e", "", "a b c d e", "a b c d f", ""]
    assert [(0, 2, 1.0)] == [(p.left, p.right, p.jaccard) for p in oracles.pairs(texts)]
    found = oracles.pairs(texts, 0.6, "words:2")
    assert [(0, 2, 4), (0, 3, 3), (2, 3, 3)] == [(p.left, p.right, p.shared) for p in found]


@given(strategies.corpora())
def test_joined(texts: list[str]) -> None:
    """The inverted index finds what brute force finds."""
    sets = [oracles.shingles(text, "words:3") for text in texts]
    assert oracles.pairs(texts, 0.7, "words:3") == oracles.joined(sets, 0.7)


def test_stars() -> None:
    """A chain is cut, the most similar kept text wins, copies go where the first one went."""
    assert [0, 0, 2] == oracles.stars(3, {(0, 1): 0.8, (1, 2): 0.8}, [0, 1, 2])
    assert [1, 1, 1] == oracles.stars(3, {(0, 1): 0.8, (1, 2): 0.8}, [1, 0, 2])
    assert [0, 1, 1] == oracles.stars(3, {(0, 2): 0.8, (1, 2): 0.9}, [0, 1, 2])
    assert [0, 1, 0] == oracles.stars(3, {(0, 2): 0.9, (1, 2): 0.9}, [0, 1, 2])
    near = {(0, 1): 0.8, (1, 2): 0.9, (0, 3): 0.8, (2, 3): 0.9, (1, 3): 1.0}
    assert [0, 0, 2, 0] == oracles.stars(4, near, [0, 1, 2, 3], copies=["k", "c", "e", "c"])
    assert {frozenset({0, 1, 2})} == oracles.components(4, [(1, 2), (0, 1)])


def spans(text: str) -> list[str]:
    """Give the paragraphs as texts."""
    return [text[a:b] for a, b in oracles.paragraphs(text)]


def test_paragraphs() -> None:
    """Lines are paragraphs, unless a block was broken to fit a width."""
    assert [] == spans(" \n\t\r\n")
    assert ["a b", "c"] == spans("  a b \r\n\r\n\tc\r")
    assert ["one\u2028two\x0bthree"] == spans("one\u2028two\x0bthree")
    wrapped = "the quick brown fox\njumps over the lazy\ndogs and runs away\nfast"
    assert [wrapped] == spans(f"\n{wrapped}\n")
    assert [wrapped, "a title"] == spans(f"{wrapped}\n \na title")
    assert wrapped.split("\n")[:2] == spans("\n".join(wrapped.split("\n")[:2]))
    assert ["to be", "or not", "a", "b"] == spans("to be\nor not\na\nb")


def test_repeats() -> None:
    """Doubled, tripled, moved and said again and again, by hand."""
    a, b, c, d = "one two three", "four five six", "seven eight", "nine ten"

    def runs(*texts: str, min_words: int = 5) -> list[tuple[str, str, int]]:
        found = oracles_repeats.repeats(texts, min_words)
        return [
            (
                texts[r.document][r.start : r.end],
                texts[r.source_document][: r.source_start],
                r.words,
            )
            for r in found
        ]

    two = f"{a}\n\n{b}"
    assert [(two, "", 6)] == runs(f"{two}\n{two}")
    assert [(two, "", 6), (two, "", 6)] == runs(f"{two}\n{two}\n{two}")
    assert [(two, "", 6)] == runs(f"{two}\n{two}\n{a}"), "the last piece is too short"
    assert [(two, "x\n", 6)] == runs(f"x\n{two}\ny\n{two}\nz")
    assert [(two, "", 6)] == runs(f"{a}\n* * *\n{b}", f"x\n{two}\ny"), "no tokens: transparent"
    assert [] == runs(f"{two}\ny\n{a}\ny\n{b}", min_words=6)
    again = "\n\n".join(["go on"] * 10)
    assert [("\n\n".join(["go on"] * 9), "", 18)] == runs(again), "a distance of two words: whole"
    text = "\n\n".join([a, b, c, d, c, a, b])
    assert [(two, "", 6)] == runs(text)
    assert [Run(1, 0, 27, 0, 0, 27, 6)] == oracles_repeats.repeats([f"{a}\n{b}", f"{a}\n{b}"], 5)


@given(strategies.articles())
def test_runs_are_equal_and_maximal(text: str) -> None:
    """A run equals its source in tokens, and the source comes earlier."""
    for run in oracles_repeats.repeats([text], 6):
        words = oracles.tokens(text[run.start : run.end])
        assert words == oracles.tokens(text[run.source_start : run.source_end])
        assert run.words == len(words) >= 6
        assert run.source_start < run.start


@given(strategies.articles())
def test_paragraphs_cover_the_text(text: str) -> None:
    """Paragraphs are in order, trimmed, and contain all characters except white space."""
    found = oracles.paragraphs(text)
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    ends = [0, *(b for _, b in found)]
    starts = [*(a for a, _ in found), len(text)]
    assert "" == "".join(text[a:b] for a, b in zip(ends, starts, strict=True)).strip()


def test_longest_common() -> None:
    """The longest common subsequence keeps the order and may skip."""
    assert 3 == oracles_repeats.longest_common("abcd", "xaybzd")
    assert 0 == oracles_repeats.longest_common("abc", "")


def test_corpora() -> None:
    """The corpora are what they say they are."""
    near = {(p.left, p.right) for p in oracles.pairs(corpora.chain())}
    assert set(pairwise(range(12))) == near

    texts, copies = corpora.in_all_scripts()
    assert copies == [(p.left, p.right) for p in oracles.pairs(texts, 0.05)]

    article = corpora.doubled_article()
    runs = oracles_repeats.repeats([article.text], 50)
    assert [Run(0, *article.second, 0, *article.first, article.words)] == runs

    texts, groups = corpora.planted()
    pairs = {pair for group in groups for pair in combinations(group, 2)}
    assert pairs == {(p.left, p.right) for p in oracles.pairs(texts, 0.3)}

    texts = corpora.families(count=4, edits=1, words=95)
    found = oracles.pairs(texts)
    assert {p.left // 12 for p in found} == {p.right // 12 for p in found} == {0, 1, 2, 3}
    assert 40 < sum(p.jaccard < 0.82 for p in found) < len(found)
