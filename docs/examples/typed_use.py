"""What a type checker sees of `dedup`: run ``mypy --strict`` or ``pyright`` on this file."""

import tempfile
from collections.abc import Iterator
from typing import assert_type

import dedup


def pages() -> Iterator[str]:
    """Yield two texts."""
    yield from ("one two three four five six", "One, two, three, four, five, six.")


texts = list(pages())
found = dedup.find_duplicates(texts, unit="document", metric="jaccard", keep="longest", ignore=["accents"])
assert_type(found, dedup.Duplicates)
assert_type(found.filter(texts), list[str])
assert_type(found.filter(tuple(texts)), tuple[str, ...])
assert_type(found.filter({"a": texts[0], "b": texts[1]}), dict[str, str])
assert_type(found.filter(pages()), list[str])
assert_type(len(found), int)
assert_type(found.summary, dedup.Summary)
assert_type(found.summary.removed, int)
assert_type(found.rethreshold(0.9), dedup.Duplicates)
if found.closest is not None:
    assert_type(found.closest[2], float)

matched = dedup.match(texts, ["other"], distinct="numbers", tokens="all")
assert_type(matched, dedup.Matches)
assert_type(matched.filter(texts, by="either"), list[str])
assert_type(matched.cut(texts), list[str])
assert_type(matched.summary, dedup.MatchSummary)

repeats = dedup.find_repeats(texts)
assert_type(repeats, dedup.Repeats)
assert_type(repeats[0:1], list[dedup.Repeat])
assert_type([repeat.words for repeat in repeats], list[int])
assert_type(repeats.coverage, float)

compared = dedup.compare(texts[0], texts[1], metric="edit")
assert_type(compared, dedup.Comparison)
assert_type(compared.jaccard, float)
assert_type(compared.spans, tuple[dedup.Span, ...])

assert_type(dedup.estimate(texts), dedup.Estimate)
assert_type(dedup.estimate(texts).method, str)
assert_type(dedup.suggest(texts * 20), dedup.Suggestion)
assert_type(dedup.files("*.txt"), dedup.Files)

cleaned = repeats.without_repeats()
assert_type(cleaned, str | list[str])

with tempfile.TemporaryDirectory() as folder, dedup.Index.create(f"{folder}/seen") as index:
    assert_type(index.filter_new(texts), list[str])
    assert_type(index.filter_new([{"text": "a new one"}]), list[dict[str, str]])
    assert_type(index.filter_new(pages()), list[str])
    assert_type(index.query(texts), dedup.IndexMatches)
    assert_type(len(index), int)

print(found.filter(texts))
