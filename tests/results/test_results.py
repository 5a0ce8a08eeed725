"""What all results have in common: length, truth, equality, copies and pickles, and what they say of themselves."""

from __future__ import annotations

import copy
import gc
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.errors import InputError
from dedup.report.write import write_run_report

FOOTER = "Sign up for our newsletter and never miss a story again."
TEXTS = [
    f"Something else happened on that day.\n\n{FOOTER}",
    f"Another thing entirely.\n\n{FOOTER}",
    f"Something else happened on that day, it is said.\n\n{FOOTER}",
    f"something else happened on THAT day.\n\n{FOOTER}",
    "nobody came",
]
NAMES = list("abcde")


def lines(folder: Path, texts: list[str]) -> Path:
    """Write a file of JSON lines."""
    path = folder / "x.jsonl"
    path.write_text("".join(json.dumps({"n": n, "text": t}) + "\n" for n, t in zip(NAMES, texts, strict=False)))
    return path


def parquet(folder: Path, texts: list[str]) -> Path:
    """Write a Parquet file."""
    pq.write_table(pa.table({"n": NAMES[: len(texts)], "text": texts}), folder / "x.parquet")
    return folder / "x.parquet"


def plain(folder: Path, texts: list[str]) -> Path:
    """Write a folder of plain texts."""
    for name, text in zip(NAMES, texts, strict=False):
        (folder / f"{name}.txt").write_text(text, newline="")
    return folder


def standard_input(folder: Path, texts: list[str]) -> Any:
    """Give texts that come in by standard input."""
    before, sys.stdin = sys.stdin, SimpleNamespace(buffer=io.BytesIO(lines(folder, texts).read_bytes()))
    try:
        return dedup.files("-", format="jsonl")
    finally:
        sys.stdin = before


Source = Callable[[Path, list[str]], tuple[Any, dict[str, Any]]]

SOURCES: dict[str, Source] = {
    "list": lambda _, texts: (texts, {}),
    "list with ids": lambda _, texts: (texts, {"ids": NAMES[: len(texts)]}),
    "dict": lambda _, texts: (dict(zip(NAMES, texts, strict=False)), {}),
    "pandas": lambda _, texts: (pd.DataFrame({"n": NAMES[: len(texts)], "text": texts}), {"id": "n"}),
    "polars": lambda _, texts: (pl.DataFrame({"n": NAMES[: len(texts)], "text": texts}), {"id": "n"}),
    "arrow": lambda _, texts: (pa.table({"n": NAMES[: len(texts)], "text": texts}), {"id": "n"}),
    "column": lambda _, texts: (pa.chunked_array([["x" * 999], texts]).slice(1), {}),
    "views": lambda _, texts: (pa.array(texts, pa.string_view()), {}),
    "jsonl": lambda folder, texts: (dedup.files(lines(folder, texts)), {"id": "n"}),
    "jsonl by places": lambda folder, texts: (lines(folder, texts), {}),
    "parquet": lambda folder, texts: (dedup.files(parquet(folder, texts), id="n"), {}),
    "txt": lambda folder, texts: (plain(folder, texts), {}),
    "standard input": lambda folder, texts: (standard_input(folder, texts), {"id": "n"}),
}

SEARCHES: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "documents": lambda texts, options: dedup.find_duplicates(texts, threshold=0.6, shingle="words:2", **options),
    "paragraphs": lambda texts, options: dedup.find_duplicates(texts, unit="paragraph", **options),
    "lsh": lambda texts, options: dedup.find_duplicates(texts, method="lsh", threshold=0.6, **options),
    "nothing": lambda texts, options: dedup.find_duplicates(texts, shingle="words:500", threshold=1.0, **options),
    "repeats": lambda texts, options: dedup.find_repeats(texts, min_words=5, **options),
    "matches": lambda texts, options: dedup.match(texts, [FOOTER, TEXTS[0]], min_words=5, **options),
    "matched paragraphs": lambda texts, options: dedup.match(
        texts, [FOOTER], unit="paragraph", min_words=None, **options
    ),
    "reversed": lambda texts, options: reversed_match(texts, **options),
}


def reversed_match(texts: Any, threads: int | None = None, **options: Any) -> dedup.Matches:
    """Match with the texts on the other side."""
    against = {f"against_{name}": value for name, value in options.items()}
    return dedup.match([FOOTER, TEXTS[0]], texts, min_words=5, threads=threads, **against)


def told(result: Any) -> dict[str, Any]:
    """Give all that the public methods of a result say."""
    found: dict[str, Any] = {"repr": repr(result), "len": len(result), "bool": bool(result)}
    if isinstance(result, dedup.Duplicates):
        for name in ("pairs", "clusters", "kept", "removed", "repeated"):
            found[name] = getattr(result, name).to_pylist()
        found |= {"components": result.components().to_pylist(), "summary": result.summary}
        found["filtered"] = result.filter(TEXTS)
        found["rethreshold"] = result.rethreshold(0.95 if result.summary.threshold < 1 else 1.0).clusters.to_pylist()
    elif isinstance(result, dedup.Repeats):
        found |= {"all": list(result), "table": result.table.to_pylist(), "documents": result.documents.to_pylist()}
        found |= {"coverage": result.coverage, "first": result[:1], "without": result.without_repeats(5)}
    else:
        for name in ("pairs", "matched"):
            found[name] = getattr(result, name).to_pylist()
        found |= {"summary": result.summary, "options": result.options, "rows": result.decision_rows().to_pylist()}
        texts = [result.texts[row] for row in range(len(result.texts))]
        found["filtered"] = result.filter(texts)
        if result.options["min_words"] is not None:
            found |= {"passages": result.passages.to_pylist(), "cut": result.cut(texts)}
    return found


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("source", SOURCES)
def test_copies_and_pickles(source: str, search: str, tmp_path: Path) -> None:
    """A copy, a deep copy and what comes out of a pickle are equal to the result and say the same."""
    texts, options = SOURCES[source](tmp_path, TEXTS)
    result = SEARCHES[search](texts, options)
    fresh = pickle.dumps(result)  # before anything was asked for
    expected = told(result)
    for again in (pickle.loads(fresh), copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert again is not result
        assert type(result) is type(again)
        assert result == again
        assert again == result
        assert not result != again  # noqa: SIM202  (the operator is what is tested)
        assert expected == told(again)
        assert getattr(result, "timings", None) == getattr(again, "timings", None)
    with pytest.raises(TypeError, match="unhashable"):
        hash(result)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("source", SOURCES)
def test_equal(source: str, search: str, tmp_path: Path) -> None:
    """The form of the texts, threads, and memory do not count; ids, options, and what was found do."""
    texts, options = SOURCES[source](tmp_path, TEXTS)
    result = SEARCHES[search](texts, options)
    named = result.texts if hasattr(result, "texts") else None
    named = result.other_texts if search == "reversed" else named
    ids = result._evidence.texts.ids if named is None else named.ids
    same = SEARCHES[search](list(TEXTS), {} if ids is None else {"ids": list(ids)})
    assert result == same
    assert same == SEARCHES[search](list(TEXTS), {"threads": 2, **({} if ids is None else {"ids": list(ids)})})
    other = [*TEXTS[:3], TEXTS[4], TEXTS[4]]
    if search != "nothing":
        assert result != SEARCHES[search](other, {} if ids is None else {"ids": list(ids)})
    assert result != SEARCHES[search](TEXTS, {"ids": list("vwxyz")})
    assert result != "something else"
    assert result != None  # noqa: E711  (the operator is what is tested)
    for each in SEARCHES:
        if each != search:
            assert SEARCHES[each](TEXTS, {}) != result


def test_equal_under_a_bound() -> None:
    """A search in several passes gives an equal result."""
    texts = [*TEXTS, *(" ".join(f"w{i}" for i in range(n, n + 60)) for n in range(0, 240_000, 60))]
    few, others = texts[:1000], [*texts[:20], *(text.upper() for text in TEXTS)]
    assert dedup.estimate(texts, threads=1, memory="70MB").passes > 1
    assert dedup.find_duplicates(texts) == dedup.find_duplicates(texts, threads=1, memory="70MB")
    assert dedup.match(few, others, min_words=None) == dedup.match(few, others, min_words=None, memory="33MB")
    assert dedup.find_repeats(few) == dedup.find_repeats(few, memory="33MB")


def test_length_and_truth() -> None:
    """Repeats, clusters, pairs; all are true but for no repeats."""
    found = dedup.find_duplicates(TEXTS)
    assert len(found) == found.summary.clusters == len(set(found.clusters["cluster"].to_pylist())) == 1
    nothing = dedup.find_duplicates(["one text", "and another"])
    assert (len(nothing), bool(nothing)) == (0, True)
    matches = dedup.match([*TEXTS, *TEXTS], TEXTS)
    assert len(matches) == matches.pairs.num_rows == 2 * (1 + 1 + 4 + 1)
    assert (len(dedup.match(["one text"], ["and another"])), bool(dedup.match(["one text"], ["other"]))) == (0, True)
    assert bool(dedup.find_repeats(TEXTS, min_words=5))
    assert not dedup.find_repeats(["one text"])
    for none in (dedup.compare("a", "b"), dedup.estimate(["a"])):
        assert not hasattr(none, "__len__")
        assert none


def test_the_head_of_a_summary() -> None:
    """What is empty are texts, of which paragraphs are a part; the edit distance has no shingle that was asked for."""
    texts = ["", "one two three four\n\nfive six seven eight", "five six seven eight"]
    told = str(dedup.find_duplicates(texts, unit="paragraph").summary)
    assert "3 texts (1 empty), 3 paragraphs, words:3, jaccard 0.8, exact" == told.splitlines()[0]
    assert "for example: 2 paragraph 0 like 1 paragraph 1, 1.000: " in told
    first = str(dedup.find_duplicates(texts, metric="edit").summary).splitlines()[0]
    assert "3 texts (1 empty), edit 0.8, exact" == first
    first = str(dedup.match(texts, texts[:1], metric="edit").summary).splitlines()[0]
    assert "3 texts (1 empty) against 1 (1 empty), edit 0.8, exact" == first


def test_what_has_no_tables(tmp_path: Path) -> None:
    """Comparisons and estimates are equal but for the seconds, are copied, and speak to people."""
    comparison, plan = dedup.compare("the cat sat on the mat", "a cat sat on the mat"), dedup.estimate(TEXTS)
    for one, again in ((comparison, dedup.compare("the cat sat on the mat", "a cat sat on the mat")),
                       (plan, dedup.estimate(TEXTS))):  # fmt: skip
        assert one == again == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)
    assert repr(comparison) == (
        "Comparison: 1 of 2 and 2 shingles shared, jaccard 0.333, left in right 0.500, right in left 0.500, 1 span"
    )
    assert repr(plan) == str(plan)
    assert comparison != dedup.compare("the cat sat on the mat", "a cat sat")
    lines(tmp_path, TEXTS)
    for name in ("one", "two"):
        write_run_report(tmp_path / name, dedup.find_duplicates(tmp_path / "x.jsonl"), run={"seconds": name})
    dedup.write_report(tmp_path / "three", dedup.find_duplicates(tmp_path / "x.jsonl", threshold=0.7))
    one, two, three = (dedup.Report.open(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two != three
    assert one == pickle.loads(pickle.dumps(one)) == copy.copy(one) == copy.deepcopy(one)
    assert one.clusters.equals(pickle.loads(pickle.dumps(one)).clusters)
    assert repr(one) == f"Report of find in {tmp_path / 'one'}: 1 file with 5 records"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


# --------------------------------------------------------------- pickles


def test_a_pickle_holds_what_it_needs() -> None:
    """Neither other columns, nor what a slice was cut from, nor what can be made again."""
    frame = pd.DataFrame({"text": TEXTS, "other": ["x" * 100_000] * 5})
    assert len(pickle.dumps(dedup.find_duplicates(frame, keep="max:other"))) < 20_000
    long = ["y" * 1000] * 1000
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        column = pa.chunked_array([pa.array([*long, *TEXTS], kind), pa.array(long, kind)]).slice(1000, 5)
        result = dedup.find_duplicates(column)
        assert len(pickle.dumps(result)) < 20_000
        assert pickle.loads(pickle.dumps(result)).repeated.equals(result.repeated)
    many = dedup.find_duplicates(["some words that stand here many times"] * 1000, pairs="all")
    assert many.pairs.num_rows == 499_500
    assert len(pickle.dumps(many)) < 200_000


READ = """
import pickle, sys
result = pickle.loads(open(sys.argv[1], "rb").read())
print(result)
print(result.filter({texts!r}) if hasattr(result, "filter") else result.without_repeats(5))
print(result.repeated.to_pylist() if hasattr(result, "repeated") else "")
"""


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("source", ["list", "pandas", "jsonl", "parquet", "txt"])
def test_another_process_in_another_folder(
    source: str, search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pickled is read by a process that has nothing else, and files are where they were."""
    (tmp_path / "in").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    texts, options = SOURCES[source](Path("in"), TEXTS)
    result = SEARCHES[search](texts, options)
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(result))
    given = [FOOTER, TEXTS[0]] if search == "reversed" else TEXTS
    left = result.filter(given) if hasattr(result, "filter") else result.without_repeats(5)
    done = subprocess.run(
        [sys.executable, "-c", READ.format(texts=given), tmp_path / "x.pickle"],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    repeated = result.repeated.to_pylist() if hasattr(result, "repeated") else ""
    assert f"{result}\n{left}\n{repeated}\n" == done.stdout


def test_a_report_of_a_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that is written in another folder is about the files that were searched, not about others there."""
    for name in ("in", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "in")
    lines(Path(), TEXTS)
    result = dedup.find_duplicates(dedup.files("x.jsonl"))
    data = pickle.dumps(result)
    dedup.write_report(tmp_path / "one", result)
    monkeypatch.chdir(tmp_path / "elsewhere")
    lines(Path(), TEXTS[:2])
    dedup.write_report(tmp_path / "two", pickle.loads(data))
    assert dedup.Report.open(tmp_path / "one") == dedup.Report.open(tmp_path / "two")
    assert 4 == dedup.apply_report(tmp_path / "two", tmp_path / "out").kept


@pytest.mark.parametrize("what", ["gone", "changed"])
def test_files_that_are_not_what_they_were(what: str, tmp_path: Path) -> None:
    """What needs texts says that they are missing, or changed; the rest still works, and nothing is stale."""
    path = lines(tmp_path, TEXTS)
    found, repeats = dedup.find_duplicates(path), dedup.find_repeats(path, min_words=5)
    matches = dedup.match(path, [FOOTER], min_words=5)
    pickles = [pickle.dumps(each) for each in (found, repeats, matches)]
    if what == "gone":
        path.unlink()
    else:
        path.write_text(path.read_text() + "\n")
    found, repeats, matches = map(pickle.loads, pickles)
    assert found.summary.removed == 1
    assert found.kept.to_pylist()[:1] == [f"{path}:1"]
    assert repr(found).startswith("Duplicates\n5 texts")
    assert repr(repeats).startswith("Repeats: 3 repeats in 5 texts")
    assert len(list(repeats)) == len(repeats) == repeats.table.num_rows
    assert repr(matches).startswith("Matches\n")
    uses: list[Callable[[], Any]] = [
        lambda: found.filter(TEXTS),
        lambda: found.repeated,
        repeats.without_repeats,
        lambda: matches.cut(TEXTS),
    ]
    for use in uses:
        with pytest.raises(InputError, match="found it changed|expected the file that was listed"):
            use()


def test_standard_input_is_gone(tmp_path: Path) -> None:
    """Standard input can be read again while a result that read it is there; then what needs it says so."""
    texts, options = SOURCES["standard input"](tmp_path, TEXTS)
    result = dedup.find_duplicates(texts, **options)
    data, twin = pickle.dumps(result), copy.deepcopy(result)
    del texts, result
    assert pickle.loads(data).filter(TEXTS) == twin.filter(TEXTS)
    del twin
    gc.collect()
    again = pickle.loads(data)
    assert "5 texts" in repr(again)
    with pytest.raises(InputError, match="^filter: -: expected the texts that were searched, found that they can no"):
        again.filter(TEXTS)
