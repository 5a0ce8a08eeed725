"""`suggest`: the same for any order, threads and source; the answer that the texts ask for; what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.errors import InputError
from dedup.sampling.parting import Seen, partings
from dedup.sampling.sampled import BINS
from dedup.sources.coerce import read_texts
from dedup.sources.texts import BlockLimits
from tests import oracles

WORDS = ["".join(Random(i).choices("abcdefghijklmnoprstuvwz", k=3 + i % 7)) for i in range(900)]


def titles(count: int = 300, seed: int = 1) -> list[str]:
    """Give titles of four to nine words, each third one also with one wrong letter."""
    random = Random(seed)
    made = []
    for i in range(count):
        title = " ".join(random.sample(WORDS, random.randint(4, 9)))
        made.append(title)
        if i % 3 == 0:
            at = random.randrange(len(title))
            made.append(title[:at] + "x" + title[at + 1 :])
    return made


def articles(count: int = 200, seed: int = 2) -> list[str]:
    """Give texts of a hundred words, each second one also with three words changed."""
    random = Random(seed)
    made = []
    for i in range(count):
        words = random.choices(WORDS, k=100)
        made.append(" ".join(words))
        if i % 2:
            for _ in range(3):
                words[random.randrange(100)] = random.choice(WORDS)
            made.append(" ".join(words))
    return made


def f1(texts: list[str], suggestion: dedup.Suggestion, pairs: set[tuple[int, int]]) -> float:
    """Give the F1 of a search with what was suggested."""
    result = dedup.find_duplicates(texts, **suggestion.options, pairs="all")
    found = set(zip(result.pairs["left"].to_pylist(), result.pairs["right"].to_pylist(), strict=True))
    return 2 * len(found & pairs) / (len(found) + len(pairs))


def truth(texts: list[str], step: int) -> set[tuple[int, int]]:
    """Give the pairs of an original and the copy that follows it."""
    pairs, row, number = set(), 0, 0
    while row < len(texts):
        copied = number % 3 == 0 if step == 3 else number % 2 == 1
        if copied:
            pairs.add((row, row + 1))
        row, number = row + 1 + copied, number + 1
    return pairs


@pytest.mark.parametrize(("make", "step", "default"), [(titles, 3, 0.1), (articles, 2, 0.95)])
def test_what_is_suggested_finds_the_copies(make: type, step: int, default: float) -> None:
    """The suggestion finds nearly all copies and little else, where the default may find none of them."""
    texts = make()
    pairs = truth(texts, step)
    suggestion = dedup.suggest(texts)
    assert suggestion.found
    assert suggestion.estimate is not None
    assert f1(texts, suggestion, pairs) >= 0.97
    plain = dedup.find_duplicates(texts, pairs="all")
    assert 2 * len(plain.pairs) / (len(plain.pairs) + len(pairs)) <= default


def test_the_same_texts_have_the_same_suggestion(tmp_path: Path) -> None:
    """Threads, the order of the texts, their source and exact copies change nothing but the names of the pairs."""
    texts = titles()
    plain = dedup.suggest(texts)
    assert plain == dedup.suggest(texts, threads=3)
    assert plain == dedup.suggest(iter(texts), memory="1GB", threads=2, progress=lambda *_: None)
    turned = dedup.suggest([*texts[::-1], texts[5], texts[7], "", "!"])
    for name in ("shingle", "threshold", "reason", "estimate", "histogram", "texts", "sampled"):
        assert getattr(plain, name) == getattr(turned, name)
    path = tmp_path / "titles.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    for bound in (None, "600MB"):
        again = dedup.suggest(path, memory=bound)
        assert (plain.histogram, plain.options, plain.reason) == (again.histogram, again.options, again.reason)
    assert plain != dedup.suggest(texts[:-60])


def test_blocks_change_nothing() -> None:
    """However the texts are cut into blocks, the suggestion is the same."""
    texts = articles(60)
    plain = dedup.suggest(texts)
    small = read_texts(texts, limits=BlockLimits(3000))
    assert len(list(small.blocks())) > 2
    assert plain == dedup.suggest(small, threads=2)


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
def test_the_histogram_is_that_of_all_pairs(unit: str) -> None:
    """With fewer texts than the sample has, the histogram counts every pair of different units, in both directions."""
    texts = titles(60)
    joined = texts if unit == "document" else ["\n\n".join(texts[i : i + 7]) for i in range(0, len(texts), 7)]
    suggestion = dedup.suggest(joined, unit=unit)
    sets = [frozenset(oracles.shingles(text, "chars:3")) for text in dict.fromkeys(texts)]
    expected = [0] * 20
    for i, one in enumerate(sets):
        for j, other in enumerate(sets):
            if i != j:
                similarity = len(one & other) / len(one | other)
                expected[min(int(similarity * 1000) // 50, 19)] += 1
    rows = [row for row in suggestion.histogram.to_pylist() if row["shingle"] == "chars:3"]
    assert expected == [row["seen"] for row in rows]
    assert suggestion.sampled == suggestion.texts == len(sets)
    assert all(row["unrelated"] >= 0 for row in suggestion.histogram.to_pylist())


def test_samples_are_pairs_of_the_collection() -> None:
    """Each sampled pair has the similarity of `compare`, the ids and the starts of its texts; few are shown."""
    texts = {f"t{i}": text for i, text in enumerate(titles())}
    suggestion = dedup.suggest(texts)
    rows = suggestion.samples.to_pylist()
    assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True)
    for row in rows:
        pair = texts[row["left"]], texts[row["right"]]
        assert pair == (row["left_text"], row["right_text"])
        assert row["similarity"] == dedup.compare(*pair, shingle=suggestion.shingle).jaccard
    near = [abs(row["similarity"] - suggestion.threshold) for row in rows]
    levels = [int(row["similarity"] * 10) for row in rows]
    assert all(levels.count(level) <= 3 + 2 * 3 for level in levels)
    # the pair of a text and its most similar one that is nearest above the threshold is shown
    sets = [frozenset(dedup.shingling.shingles([text], suggestion.shingle)[0].tolist()) for text in texts.values()]
    best = [max(len(a & b) / len(a | b) for b in sets if b is not a) for a in sets]
    above = [value for value in best if value >= suggestion.threshold]
    assert min(above) - suggestion.threshold == min(
        value for value, row in zip(near, rows, strict=True) if row["similarity"] >= suggestion.threshold
    )
    lines = dedup.suggest(["\n".join(texts.values())], unit="line").samples
    assert {"left_line", "right_line"} <= set(lines.column_names)


def test_nothing_stands_apart() -> None:
    """Texts of which none is a copy, or too few, get the default, and are told so."""
    unrelated = [" ".join(Random(i).choices(WORDS, k=60)) for i in range(200)]
    for texts, words in (
        (unrelated, "no pairs of the 200 sampled documents stand clearly apart"),
        (unrelated[:20], "20 different documents are too few"),
    ):
        suggestion = dedup.suggest(texts)
        assert (False, None, "words:5", 0.8) == (
            suggestion.found,
            suggestion.estimate,
            suggestion.shingle,
            suggestion.threshold,
        )
        assert words in suggestion.reason
    short = dedup.suggest([" ".join(WORDS[3 * i : 3 * i + 3]) for i in range(200)])
    assert ("chars:3", False) == (short.shingle, short.found)
    assert "too short for words:5" in short.reason
    assert 0 == dedup.suggest([]).texts == dedup.suggest(["", "!?"]).sampled


def test_memory_is_kept_or_refused() -> None:
    """A bound that is too small is an error that says what is needed."""
    with pytest.raises(dedup.ParameterError, match="memory: expected about .* found 1 MB"):
        dedup.suggest(titles(), memory="1MB")


def test_another_key_and_seed() -> None:
    """A secret key changes no more than another sample does."""
    texts = articles()
    pairs = truth(texts, 2)
    for options in ({"seed": 2}, {"hash_key": b"0123456789abcdef" * 2}):
        assert f1(texts, dedup.suggest(texts, **options), pairs) >= 0.97  # type: ignore[arg-type]


def test_the_command(tmp_path: Path) -> None:
    """The command prints the histogram, pairs, and a command that can be run; as JSON all fields."""
    path = tmp_path / "some titles.jsonl"
    path.write_text("".join(json.dumps({"body": text}) + "\n" for text in titles()), encoding="utf-8")
    done = CliRunner().invoke(main, ["suggest", str(path), "--column", "body"])
    assert 0 == done.exit_code, done.output
    assert "<- threshold" in done.stdout
    assert re.search(r"\npartners of (\d+) of \1 texts; a pair of two of them counts twice\n", done.stdout)
    assert "just above the threshold:" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"dedup find '{path}' --shingle ")
    assert last.endswith(" --column body")
    told = CliRunner().invoke(main, ["suggest", str(path), "--column", "body", "--json"])
    fields = json.loads(told.stdout)
    assert last == fields["command"]
    assert fields["shingle"] in last
    found = CliRunner().invoke(main, [*shlex.split(last)[1:], "--json"])
    assert 0 == found.exit_code
    assert len(found.stdout.splitlines()) > 150


def test_the_command_reads_the_same_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns, encodings and the choice of files are in the command that is printed."""
    monkeypatch.chdir(tmp_path)
    for name in ("new.csv", "old.csv", "drafts/one.csv"):
        rows = [f"{name} Café {i};this is number {i * 7919 % 1000} of {name}" for i in range(40)]
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(["title;body text", *rows]), encoding="cp1252")
    given = ["--column", "title", "--column", "body text", "--delimiter", ";", "--encoding", "cp1252"]
    given += ["--include", "*.csv", "--exclude", "old.csv", "--exclude", "drafts/", "--on-error", "fail"]
    given += ["--max-errors", "1%"]
    done = CliRunner().invoke(main, ["suggest", ".", *given])
    assert done.exit_code == 0
    command = done.stdout.splitlines()[-1]
    assert command.startswith("dedup find . --shingle ")
    found = CliRunner().invoke(main, [*shlex.split(command)[1:], "--json"])
    assert found.exit_code == 0
    assert "40 texts" in found.stderr
    for row in json.loads(CliRunner().invoke(main, ["suggest", ".", *given, "--json"]).stdout)["samples"]:
        assert row["left_text"].startswith("new.csv Café")


def test_several_columns() -> None:
    """They are joined as for a search, of documents and of lines."""
    rows = [{"title": f"a title {i}", "body": f"some words {i * 7919 % 1000} of a text"} for i in range(60)]
    joined = dedup.suggest([f"{row['title']}\n\n{row['body']}" for row in rows])
    assert dedup.suggest(rows, column=["title", "body"]).to_dict() == joined.to_dict()
    lines = dedup.suggest([f"{row['title']}\n\n{row['body']}" for row in rows], unit="line")
    assert dedup.suggest(rows, column=["title", "body"], unit="line").to_dict() == lines.to_dict()
    with pytest.raises(InputError, match='column="none": no such column'):
        dedup.suggest(rows, column=["title", "none"])


def test_a_part_of_a_large_collection_has_the_answer(tmp_path: Path) -> None:
    """A part of it is read, and the suggestion finds the copies in all of it; the same from a file."""
    texts = articles(5000)
    pairs = truth(texts, 2)
    suggestion = dedup.suggest(texts)
    assert suggestion.found
    assert suggestion.texts < 0.6 * len(texts)
    assert f" of the {len(texts):,} documents, of about the same lengths, and have " in suggestion.reason
    assert f1(texts, suggestion, pairs) >= 0.97
    for row in suggestion.samples.to_pylist():
        pair = texts[row["left"]], texts[row["right"]]
        assert row["similarity"] == dedup.compare(*pair, shingle=suggestion.shingle).jaccard
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    for bound in (None, "600MB"):
        again = dedup.suggest(path, memory=bound)
        assert (suggestion.histogram, suggestion.options) == (again.histogram, again.options)


def test_a_share_counts_unrelated_texts_only() -> None:
    """With more unrelated texts for each that was seen, the threshold is not lower, and the estimate not higher."""
    random = np.random.default_rng(1)
    counts = np.zeros((50, BINS + 1), dtype=np.int64)
    for row in counts:
        np.add.at(row, np.minimum(random.exponential(40, 1000).astype(int) + 50, BINS), 1)
        np.add.at(row, random.integers(300, 700, 1), 1)
    for plain, scaled in zip(
        partings(0, Seen(counts, 100.0), 1000), partings(0, Seen(counts, 100.0, 50.0), 1000), strict=True
    ):
        assert scaled.level >= plain.level
        assert scaled.estimate <= plain.estimate


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
def test_texts_too_short_for_the_shingle_are_warned_of(unit: str, tmp_path: Path) -> None:
    """Most texts shorter than three shingles: the summary says so, whatever engine counted them, and what to try."""
    texts = [" ".join(WORDS[i : i + 5 + i % 6]) for i in range(100)]
    size = 5 if unit == "document" else 3
    short = sum(5 + i % 6 < 3 * size for i in range(100))
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    runs = [
        dedup.find_duplicates(texts, unit=unit),
        dedup.find_duplicates(texts, unit=unit, method="lsh", threads=2),
        dedup.find_duplicates(texts, unit=unit, memory="60MB"),
        dedup.find_duplicates(path, unit=unit, memory="400MB"),
    ]
    for run in runs:
        (warning,) = run.summary.warnings
        assert warning.startswith(f"{short} of 100 {unit}s are shorter than three shingles of words:{size}: ")
        assert 'for titles and names try metric="edit" (--metric edit), ' in warning
        assert 'for other texts a shorter shingle, such as shingle="chars:4" (--shingle chars:4), ' in warning
        assert warning.endswith("or ask `suggest`")
        assert "warning: " in str(run)
    for longer in (
        dedup.find_duplicates(texts, unit=unit, shingle="chars:4"),
        dedup.find_duplicates(texts, unit=unit, shingle="words:1"),
        dedup.find_duplicates([text * 4 for text in texts], unit=unit, shingle="words:5"),
        dedup.find_duplicates([*texts[:30], " ".join(WORDS[:40])], unit=unit),
    ):
        assert not [warning for warning in longer.summary.warnings if "shorter than" in warning]


@pytest.mark.parametrize("count", [3, 4, 30])
def test_a_handful_of_titles_is_warned_of(count: int) -> None:
    """All of a few texts are too short, and no pair was found: the summary names the edit distance; else not."""
    titles = [f"{' '.join(WORDS[5 * i : 5 * i + 5])} (volume {i})" for i in range(count)]
    runs = [dedup.find_duplicates(titles), dedup.match(titles[:2], titles[2:])]
    for run in runs:
        assert (count >= 4) == len(run.summary.warnings)
        for warning in run.summary.warnings:
            assert warning.startswith(f"{count} of {count} documents are shorter than three shingles of words:5: ")
            assert 'metric="edit" (--metric edit)' in warning
    for other in (
        dedup.find_duplicates([*titles, titles[0]]),
        dedup.find_duplicates([*titles[1:], " ".join(WORDS[:40])]),
        dedup.find_duplicates(titles, metric="edit"),
        dedup.match(titles, titles[:1]),
    ):
        assert not other.summary.warnings


def test_short_texts_are_counted_by_the_compact_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter of large collections counts the same short texts."""
    texts = [" ".join(WORDS[i : i + 5 + i % 6]) for i in range(100)]
    plain = dedup.find_duplicates(texts).summary
    monkeypatch.setattr("dedup.pipelines.order.pays", lambda *_, **__: True)
    assert plain == dedup.find_duplicates(texts).summary
