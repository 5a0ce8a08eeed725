"""`ignore` and `tokens`: what does not count, and what does, in every search; places are those of the original text."""

from __future__ import annotations

import json
import pickle
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import minhash, shingling
from dedup.cli import main
from dedup.pipelines.find import find_in
from dedup.pipelines.find_files import find_in_files
from dedup.reading import IGNORE
from tests import corpora, corpus_files, oracles, oracles_reading, strategies, table_rows
from tests.plans import OnDisk, passes

READINGS = [((word,), "words") for word in IGNORE] + [((), "all"), (IGNORE, "all"), (("accents", "numbers"), "words")]

CHANGES = [
    ("e", "é"),
    ("a", "a\u0301"),
    ("o", "&ouml;"),
    ("n", "n-\n"),
    (" ", " <b>"),
    (" ", "</b> "),
    (" ", "<!-- not here --> "),
    (" 1", " 2"),
    (" ", "! "),
    (" ", " + "),
    ("и", "и\u0306"),
    ("ب", "بَ"),
    ("t", "T"),
]


@st.composite
def versions(draw: st.DrawFn, max_texts: int = 6) -> list[str]:
    """Give texts that are copies of one or two up to marks, markup, hyphens, numbers, symbols and words."""
    words = st.one_of(strategies.words("latin", "cyrillic", "arabic"), strategies.words(), st.sampled_from(["12", "7"]))
    bases = [" ".join(draw(st.lists(words, min_size=4, max_size=14))) for _ in range(draw(st.integers(1, 2)))]
    texts = []
    for _ in range(draw(st.integers(2, max_texts))):
        text = draw(st.sampled_from(bases))
        for old, new in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
            text = text.replace(old, new, draw(st.integers(1, 3)))
        texts.append(text)
    return texts


def sets_of(text: str, shingle: str, reading: tuple[tuple[str, ...], str]) -> set[Any]:
    """Give the shingles of a text that is read so."""
    kind, size = shingle.split(":")
    words = oracles_reading.read(text, *reading)
    units: Any = words if kind == "words" else " ".join(words)
    count = int(size)
    return {tuple(units[i : i + count]) for i in range(len(units) - count + 1)} or ({tuple(units)} - {()})


@given(
    versions(),
    st.sampled_from([0.3, 0.8, 1.0]),
    st.sampled_from(["words:1", "words:2", "chars:4"]),
    st.sampled_from(READINGS),
    st.sampled_from(["exact", "lsh"]),
)
def test_the_pairs_of_texts(
    texts: list[str], threshold: float, shingle: str, reading: tuple[tuple[str, ...], str], method: str
) -> None:
    """Those of the shingles of plain Python; the column says what differs of what was not ignored."""
    ignore, kind = reading
    how: dict[str, Any] = {"shingle": shingle, "ignore": list(ignore), "tokens": kind}
    result = dedup.find_duplicates(texts, threshold=threshold, method=method, **how)
    sets = [sets_of(text, shingle, reading) for text in texts]
    wanted = {
        (i, j): oracles.jaccard(sets[i], sets[j])
        for i, j in combinations(range(len(texts)), 2)
        if oracles.jaccard(sets[i], sets[j]) >= threshold
    }
    found = {(row["left"], row["right"]): row["jaccard"] for row in result.pairs.to_pylist()}
    assert found == wanted if method == "exact" else found.items() <= wanted.items()
    for (i, j), word in table_rows.differences(result).items():
        one, other = (oracles_reading.read(texts[at], *reading) for at in (i, j))
        same = "identical" if texts[i] == texts[j] else "format" if one == other else None
        zeros = list(map(oracles.zeros, one)) == list(map(oracles.zeros, other))
        assert (same or ("numbers" if zeros else "words")) == word
    assert (ignore, kind) == (tuple(result.summary.ignore), result.summary.tokens)
    if method == "exact":
        compared = dedup.compare(texts[0], texts[1], **how)
        assert oracles.jaccard(sets[0], sets[1]) == compared.jaccard
        for span in compared.spans:
            sides = texts[0][span.left_start : span.left_end], texts[1][span.right_start : span.right_end]
            if "markup" not in ignore:
                assert [oracles_reading.read(side, *reading) for side in sides] == [
                    oracles_reading.read(sides[0], *reading)
                ] * 2


def bodies() -> list[str]:
    """Give texts whose paragraphs are the same but for what can be ignored; a comment reaches over paragraphs."""
    texts = []
    for number in range(24):
        lines = [" ".join(corpora.body(seed, 3)) for seed in range(number % 5, number % 5 + 4)]
        lines[0] = lines[0].replace("e", "é" if number % 2 else "e\u0301").replace("a", "&auml;", number % 3)
        lines[1] = f"<p class='{number}'>{lines[1]}</p> {number % 4} of {2000 + number % 3}"
        lines[2] = lines[2].replace(" ", " - ", 2) if number % 2 else f"<!-- {lines[2]}\n\n{lines[3]} -->" + lines[2]
        lines[3] = lines[3][:40] + ("-\n" if lines[3][39].isalpha() and lines[3][40].isalpha() else "") + lines[3][40:]
        texts.append("\n\n".join(lines))
    return texts


def alike(one: dedup.Duplicates, other: dedup.Duplicates) -> None:
    """Compare the tables but for ids, and the numbers of two results."""
    for table in ("pairs", "clusters"):
        these, those = (getattr(result, table).to_pydict() for result in (one, other))
        for name in these:
            if name not in ("left", "right", "id", "kept_id"):
                assert these[name] == those[name], name
    for name in ("differences", "numbers_only", "ignore", "tokens", "removed", "empty"):
        assert getattr(one.summary, name) == getattr(other.summary, name), name


@pytest.mark.parametrize("reading", [READINGS[1], READINGS[5], READINGS[4]])
@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
def test_every_engine_gives_the_same(reading: tuple[tuple[str, ...], str], unit: str, tmp_path: Path) -> None:
    """In memory, in passes, from files without a bound and with one, from a work directory, in blocks."""
    texts = bodies()
    corpus = corpus_files.json_lines(tmp_path, [texts[:12], texts[12:]])
    options: dict[str, Any] = {"threshold": 0.7, "ignore": reading[0], "tokens": reading[1], "unit": unit, "threads": 1}
    plain = dedup.find_duplicates(texts, ids=[f"{i}" for i in range(len(texts))], **options)
    assert plain.summary.removed > 0
    paths = [file.path for file in corpus.listing]
    for memory in (None, "1GB"):
        alike(plain, dedup.find_duplicates(dedup.files(paths), memory=memory, **options))
    alike(plain, find_in(texts, memory="1GB", planned=passes(table_bytes=1 << 12), **options))
    for how in ({}, {"at_once": False, "block_shingles": 0}):
        planned = partial(OnDisk, shard_bytes=1 << 12, **how)
        alike(plain, find_in_files(paths, memory="1GB", planned=planned, **options).duplicates)


def test_paragraphs_are_cut_from_the_rewritten_text() -> None:
    """What is ignored may begin in one paragraph and end in another; places are those of the original."""
    text = (
        "One two three <!-- four\n\nfive six --> seven eight\n\n<script>\n\nif (one) two\n\n</script>\n\nOne two threé."
    )
    found = dedup.find_duplicates(text, unit="paragraph", ignore=["markup", "accents"])
    assert ["One two three <!-- four", "One two threé."] == [
        text[row["start"] : row["end"]] for row in found.clusters.to_pylist()
    ]
    assert 6 == found.summary.paragraphs
    lines = dedup.find_duplicates(
        "an exam-\nple of it\nple of it\nexam-", unit="line", ignore="hyphenation", threshold=1.0
    )
    assert [(1, 2)] == [(row["left_line"], row["right_line"]) for row in lines.pairs.to_pylist()]


@pytest.mark.parametrize("memory", [None, "200MB"])
def test_passages_and_repeats_keep_their_places(memory: str | None) -> None:
    """A passage that differs in what is ignored is found, with the characters of the original on both sides."""
    body = " ".join(corpora.body(3, 12))
    marked = body.replace("e", "é").replace("a", "a\u0301").replace(" of ", " <i>of</i> ").replace(" the ", " the-\n ")
    marked = marked.replace("o", "&#111;", 9)
    plain = body.replace(" the ", " the-\n ")
    how: dict[str, Any] = {"ignore": ["accents", "markup"], "memory": memory, "min_words": 40}
    left, right = [f"<p>Before &amp; after.</p> {marked} The end."], ["Other words.", f"Begin here: {plain} Never."]
    (row,) = dedup.match(left, right, **how).passages.to_pylist()
    for side, text in (("left", left[0]), ("right", right[1])):
        part = text[row[f"{side}_start"] : row[f"{side}_end"]]
        assert oracles_reading.read(part, how["ignore"]) == oracles_reading.read(plain, how["ignore"])
    for threshold in (1.0, 0.8):
        texts = [right[1], left[0]]
        (repeat,) = dedup.find_repeats(texts, threshold=threshold, **how)
        part = left[0][repeat.start : repeat.end]
        assert oracles_reading.read(part, how["ignore"]) == oracles_reading.read(plain, how["ignore"])
    assert [] == list(dedup.find_repeats([right[1], left[0]], threshold=1.0, min_words=40, memory=memory))


def test_a_long_text_is_cut_after_it_was_rewritten() -> None:
    """A comment, a tag or a script may be longer than the pieces in which a long text is read."""
    body = " ".join(corpora.body(3, 40))
    long = body * (1 + 1_500_000 // len(body))
    first, last = f"<p>{body}</p>", f"<p>{body.replace('e', 'é')}</p>"
    text = f"{first}\n<!-- {long} -->\n{last}"
    (repeat,) = dedup.find_repeats(text, ignore=["markup", "accents"], threshold=1.0)
    assert (last, first) == (
        text[repeat.start : repeat.end],
        text[repeat.source_start : repeat.source_end],
    )


def test_symbols_are_tokens() -> None:
    """C, C++ and C# are one text, unless symbols are tokens."""
    texts = ["C", "C++", "C#", "c ++", "😀", "😀", "x = y", "x ≠ y", "x =\u0338 y"]
    assert [1, 2, 3, 7, 8] == dedup.find_duplicates(texts).removed.to_pylist()[:5]
    assert [3, 5, 8] == dedup.find_duplicates(texts, tokens="all").removed.to_pylist()
    assert 0 == dedup.find_duplicates(texts, tokens="all").summary.empty


def test_sets_and_signatures() -> None:
    """Shingle sets are made of what is not ignored, and so are signatures."""
    one, other = "café 12 naïve", "cafe 34 naive"
    sets = shingling.shingles([one, other], "words:2", ignore=["accents", "numbers"])
    assert 1.0 == sets.jaccard(0, 1)
    made = minhash.signatures(sets)
    assert 1.0 == minhash.estimate(made[0], made[1])
    assert 0.0 == shingling.shingles([one, other], "words:2", ignore="accents").jaccard(0, 1)


def test_numbers_are_ignored_or_distinct() -> None:
    """Both at once mean nothing."""
    for call in (
        partial(dedup.find_duplicates, ["a"]),
        partial(dedup.match, ["a"], ["b"]),
        partial(dedup.estimate, ["a"]),
    ):
        with pytest.raises(dedup.ParameterError, match='ignore: expected "numbers" in ignore or in distinct'):
            call(ignore="numbers", distinct="numbers")
    texts = ["one 1 two", "one 2 two", "one 2 two!"]
    assert 2 == dedup.find_duplicates(texts, ignore="numbers", distinct="symbols").summary.removed + 1


def test_results_say_what_was_ignored() -> None:
    """The summary, in words too; a suggestion, whose options and command have it; and pickles."""
    texts = [f"café {i} " + " ".join(corpora.body(i, 4)) for i in range(40)]
    found = dedup.find_duplicates(texts, ignore={"numbers", "accents"}, tokens="all")
    assert "ignored: accents, numbers; symbols are tokens" in repr(found.summary)
    assert ["accents", "numbers"] == list(found.summary.to_dict()["ignore"])
    assert pickle.loads(pickle.dumps(found)).summary == found.summary
    matched = dedup.match(texts[:2], texts, ignore="accents")
    assert ("accents",) == matched.summary.ignore
    assert "ignored: accents" in repr(matched.summary)
    plain = dedup.find_duplicates(texts)
    assert ((), "words") == (plain.summary.ignore, plain.summary.tokens)
    assert "ignored" not in repr(plain.summary)
    suggestion = dedup.suggest(texts, ignore="accents", tokens="all")
    assert {"ignore": ["accents"], "tokens": "all"}.items() <= suggestion.options.items()
    assert "dedup find INPUT --ignore accents --tokens all --shingle" in suggestion.command
    assert dedup.find_duplicates(texts, **suggestion.options).summary.tokens == "all"
    repeats = dedup.find_repeats(["one two three four five"] * 2, min_words=3, ignore="accents")
    assert repeats == pickle.loads(pickle.dumps(repeats))


def test_the_page_marks_what_is_shared() -> None:
    """Texts that share words only if accents are ignored are shown with what they share."""
    body = " ".join(corpora.body(5, 6))
    found = dedup.find_duplicates([body, body.replace("e", "é")], ignore="accents")
    assert "Jaccard 1.000" in found._repr_html_() or found.summary.removed == 1


def test_the_shell(tmp_path: Path) -> None:
    """Reports carry what was ignored; the same search is recognised, another one is not."""
    body = " ".join(corpora.body(7, 8))
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in (body, body.replace("e", "é"))))
    runner = CliRunner()

    def ran(*words: str, code: int = 0) -> str:
        result = runner.invoke(main, list(words))
        assert code == result.exit_code, result.output
        return result.stdout

    out = str(tmp_path / "report")
    ran("find", str(path), "--ignore", "accents", "--tokens", "all", "--output", out, "--json")
    options = json.loads((tmp_path / "report" / "report.json").read_text())["options"]
    assert (["accents"], "all") == (options["ignore"], options["tokens"])
    ran("find", str(path), "--ignore", "accents", "--tokens", "all", "--output", out, "--json")
    ran("find", str(path), "--output", out, "--json", code=2)
    assert 2 == len(ran("find", str(path), "--ignore", "accents", "--json").splitlines())
    assert "" == ran("find", str(path), "--json")
    for command in (("repeats",), ("match", "--against", str(path)), ("estimate",), ("suggest",)):
        ran(*command, str(path), "--ignore", "accents", "--ignore", "markup", "--tokens", "all", "--json")
    ran("repeats", str(path), "--ignore", "accents", "--output", str(tmp_path / "repeats"))
    ran("match", str(path), "--against", str(path), "--ignore", "accents", "--output", str(tmp_path / "match"))
    for name in ("repeats", "match"):
        options = json.loads((tmp_path / name / "report.json").read_text())["options"]
        assert (["accents"], "words") == (options["ignore"], options["tokens"])
        assert (
            0 == runner.invoke(main, ["show", str(tmp_path / name), "--html", str(tmp_path / f"{name}.html")]).exit_code
        )
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text(body)
    other.write_text(body.replace("e", "é"))
    assert 1.0 == json.loads(ran("compare", str(one), str(other), "--ignore", "accents", "--json"))["jaccard"]


def test_an_index_keeps_what_is_ignored(tmp_path: Path) -> None:
    """It is in the manifest, and holds for all texts that are added or looked up."""
    body = " ".join(corpora.body(11, 6))
    marked = body.replace("e", "é").replace(" ", " <i>", 3)
    with dedup.Index.create(tmp_path / "index", ignore=["markup", "accents"], tokens="all") as index:
        index.add([body])
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        assert {"ignore": ["accents", "markup"], "tokens": "all"}.items() <= index.options.items()
        found = index.query([marked])
        assert [1.0] == found.pairs.column("jaccard").to_pylist()
        assert (("accents", "markup"), "all") == (found.summary.ignore, found.summary.tokens)
        assert [] == index.filter_new([marked])
    plain = dedup.Index.create(tmp_path / "plain")
    with pytest.raises(dedup.ParameterError, match="ignore"):
        plain.merge(tmp_path / "index")
    plain.close()
