"""Reports of several columns: their places, and what is written anew, column by column."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.cli import main
from dedup.results.data.cutting import cut_blocks
from tests import corpus_files
from tests.column_rows import COLUMNS, NAMED, ROWS, SENTENCES, Row, joined

WRITE: dict[str, Callable[[list[Row]], bytes]] = {
    "jsonl": corpus_files.as_lines,
    "json": corpus_files.as_json,
    "csv": corpus_files.as_csv,
    "parquet": lambda rows: corpus_files.as_parquet(rows),
    "arrow": corpus_files.as_arrow,
}
READ: dict[str, Callable[[bytes], list[Row]]] = {
    "jsonl": lambda data: [json.loads(line) for line in data.splitlines()],
    "json": json.loads,
    "csv": lambda data: list(csv.DictReader(io.StringIO(data.decode(), newline=""))),
    "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
    "arrow": lambda data: pa.ipc.open_file(io.BytesIO(data)).read_all().to_pylist(),
}
FORMATS = st.sampled_from(list(WRITE))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Give a function that makes a new folder."""
    return lambda: tmp_path_factory.mktemp("columns")


def written(folder: Path, rows: list[Row], format: str) -> tuple[Path, list[Row]]:
    """Write rows as a file, and give the rows as it has them."""
    if format == "csv":
        rows = [
            {key: str("" if value is None else value).replace("\r", "") for key, value in row.items()} for row in rows
        ]
    path = folder / f"a.{format}"
    path.write_bytes(WRITE[format](rows))
    return path, rows


def shown(result: Any) -> Any:
    """Give what the page of a result shows: the texts and the spans in them."""
    view = result._view()
    rows = np.arange(len(view.number), dtype=np.int64)
    groups = list(view.members(rows, 100)) if len(rows) else []
    members = [[(each.text, sorted(map(tuple, each.spans))) for each in group] for group in groups]
    return members, list(view.starts(rows))


@settings(max_examples=12)
@given(rows=ROWS, names=NAMED, format=FORMATS, unit=st.sampled_from(["paragraph", "line"]), bounded=st.booleans())
def test_units(
    folders: Callable[[], Path], rows: list[Row], names: list[str], format: str, unit: Any, bounded: bool
) -> None:
    """The report has the tables of the search in memory; applied, it cuts what `filter` cuts."""
    folder = folders()
    path, rows = written(folder, rows, format)
    options: dict[str, Any] = {"unit": unit, "threshold": 0.6, "column": names, "id": "n"}
    plain = dedup.find_duplicates(rows, **options)
    found = dedup.find_duplicates(path, **options, memory="1GB" if bounded else None)
    assert found.clusters == plain.clusters
    assert found.pairs == plain.pairs
    assert found.filter(rows) == plain.filter(rows)
    dedup.write_report(folder / "report", found, options={"id": "n"})
    report = dedup.Report.open(folder / "report")
    assert report.clusters == plain.clusters
    assert report.decisions.column_names[:6] == ["file", "record", unit, "column", "start", "end"]
    assert report.review() == found.review()
    assert shown(report) == shown(found)
    applied = dedup.apply_report(report, folder / "clean")
    assert READ[format]((folder / "clean" / path.name).read_bytes()) == plain.filter(rows)
    assert (applied.kept, applied.removed) == (len(rows), 0)


@settings(max_examples=10)
@given(rows=ROWS, others=ROWS, names=NAMED, format=FORMATS, unit=st.sampled_from(["document", "paragraph"]))
def test_match(
    folders: Callable[[], Path], rows: list[Row], others: list[Row], names: list[str], format: str, unit: Any
) -> None:
    """The same for a match, of which each side has its own columns."""
    folder = folders()
    path, rows = written(folder, rows, format)
    (folder / "old").mkdir()
    old, others = written(folder / "old", others, format)
    options: dict[str, Any] = {"unit": unit, "min_words": 5, "threshold": 0.6}
    plain = dedup.match(rows, others, column=names, against_column="text", **options)
    found = dedup.match(path, old, column=names, against_column="text", **options)
    asked = {"left": [], "right": []}
    for mine, theirs in ((found.pairs, plain.pairs), (found.passages, plain.passages)):
        assert mine.drop_columns(list(asked)) == theirs.drop_columns(list(asked))
    dedup.write_report(folder / "report", found)
    report = dedup.Report.open(folder / "report")
    assert (report.options["column"], report.options["against_column"]) == (names, "text")
    assert report.spans == found.passages
    if unit == "document":
        assert shown(report) == shown(found)
    dedup.apply_report(report, folder / "clean")
    new = folder / "clean" / path.name
    assert READ[format](new.read_bytes()) == plain.filter(rows)


@settings(max_examples=10)
@given(rows=ROWS, names=NAMED, format=FORMATS)
def test_repeats(folders: Callable[[], Path], rows: list[Row], names: list[str], format: str) -> None:
    """Repeats are cut out of each column by itself, the same ones that are cut out of the joined texts."""
    folder = folders()
    path, rows = written(folder, rows, format)
    plain = dedup.find_repeats(joined(rows, names), min_words=5)
    found = dedup.find_repeats(path, min_words=5, column=names)
    dedup.write_report(folder / "report", found, options={"min_words": 5, "threshold": 0.8})
    report = dedup.Report.open(folder / "report")
    assert report.spans == found.table
    assert shown(report) == shown(found)
    decided = report.decisions.to_pylist()
    expected = [dict(row) for row in rows]
    for number, row in enumerate(expected):
        for name in names:
            own = [each for each in decided if each["record"] == known(format, rows, number) and each["column"] == name]
            if own:
                row[name] = cut_blocks(row[name], [(each["start"], each["end"]) for each in own])
    dedup.apply_report(report, folder / "clean")
    assert READ[format]((folder / "clean" / path.name).read_bytes()) == expected
    texts = joined(rows, names)
    whole = [texts[each["record"] - 1][each["start"] : each["end"]] for each in plain.decision_rows().to_pylist()]
    parts = [rows[place(format, rows, each)][each["column"]][each["start"] : each["end"]] for each in decided]
    assert "".join("".join(whole).split()) == "".join("".join(parts).split())


def known(format: str, rows: list[Row], number: int) -> int:
    """Give the number of the record of a row: of CSV, the line on which it begins."""
    if format != "csv":
        return number + 1
    return 2 + sum(1 + sum(str(value).count("\n") for value in row.values()) for row in rows[:number])


def place(format: str, rows: list[Row], decision: dict[str, Any]) -> int:
    """Give the row of a decision."""
    return next(number for number in range(len(rows)) if known(format, rows, number) == decision["record"])


def test_the_column_of_repeats(tmp_path: Path) -> None:
    """A report that was written from Python names its column, whatever it is called."""
    rows = [{"body": f"{SENTENCES[0]} {SENTENCES[2]}", "text": 1} for _ in range(2)]
    path, _ = written(tmp_path, rows, "jsonl")
    dedup.write_report(tmp_path / "report", dedup.find_repeats(dedup.files(path, column="body"), min_words=10))
    dedup.apply_report(tmp_path / "report", tmp_path / "clean")
    new = READ["jsonl"]((tmp_path / "clean" / path.name).read_bytes())
    assert new == [rows[0], {"body": "", "text": 1}]


PAGES = [
    {"id": "a", "title": f"News. {SENTENCES[0]}", "text": None, "more": f"{SENTENCES[2]} And more."},
    {"id": "b", "title": SENTENCES[3], "text": f"{SENTENCES[0]} {SENTENCES[2]}\n\n{SENTENCES[3]}", "more": ""},
    {"id": "c", "title": SENTENCES[3], "text": "Something else.", "more": None},
]


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file of three pages, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in PAGES), encoding="utf-8")
    return path


def run(*args: str) -> str:
    """Run a command, and give what it prints."""
    done = CliRunner().invoke(main, list(args), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


NAMED_COLUMNS = ("--id", "id", "--column", "title", "--column", "text", "--column", "more")


def test_the_shell(pages: Path) -> None:
    """Every search takes several columns, prints places in them, and knows its own report again."""
    found = dedup.find_duplicates(pages, unit="paragraph", column=COLUMNS, id="id")
    asked = ("find", "pages.jsonl", "--unit", "paragraph", *NAMED_COLUMNS)
    rows = [json.loads(line) for line in run(*asked, "--json").splitlines()]
    assert rows == found.clusters.to_pylist()
    assert "remove exact 1.000   b paragraph 2, characters 129-185 of text" in run(*asked)
    for _ in range(2):
        run(*asked, "--output", "found")
    assert json.loads(Path("found/report.json").read_text())["options"]["column"] == COLUMNS
    repeats = dedup.find_repeats(pages, min_words=10, column=COLUMNS, id="id")
    asked = ("repeats", "pages.jsonl", "--min-words", "10", *NAMED_COLUMNS)
    assert [json.loads(line) for line in run(*asked, "--json").splitlines()] == repeats.table.to_pylist()
    said = run(*asked)
    assert "  b line 1, characters 0-127 of text\n  repeats a characters 6 of title to 64 of more\n" in said
    assert "  c line 1, characters 0-56 of title\n  repeats b line 1, characters 0-56 of title\n" in said
    for _ in range(2):
        run(*asked, "--output", "again")
    matches = dedup.match(pages, pages, min_words=10, column=COLUMNS, against_column=["title", "text"], id="id")
    asked = ("match", "pages.jsonl", "--against", "pages.jsonl", "--min-words", "10", *NAMED_COLUMNS)
    asked = (*asked, "--against-column", "title", "--against-column", "text", "--against-id", "id")
    rows = [json.loads(line) for line in run(*asked, "--json").splitlines()]
    found_passages = [{key: value for key, value in row.items() if key != "kind"} for row in rows if "words" in row]
    assert [row["left_column"] for row in found_passages] == matches.passages["left_column"].to_pylist()
    said = run(*asked)
    assert "characters 6 of title to 64 of more, also in b characters 0-127 of text" in said
    for _ in range(2):
        run(*asked, "--output", "matched")
    options = json.loads(Path("matched/report.json").read_text())["options"]
    assert (options["column"], options["against_column"]) == (COLUMNS, ["title", "text"])


def test_a_plain_text(tmp_path: Path) -> None:
    """A text without columns counts as the first one, in a report and in what is written anew."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(f"{SENTENCES[0]}\n\n{SENTENCES[3]}\n\n{SENTENCES[0]}\n", encoding="utf-8")
    rows = [{"title": SENTENCES[3], "text": SENTENCES[2]}]
    (tmp_path / "in" / "b.jsonl").write_bytes(corpus_files.as_lines(rows))
    with pytest.warns(UserWarning, match="does not apply to 1 plain text file"):
        found = dedup.find_duplicates(dedup.files(tmp_path / "in", column=["title", "text"]), unit="paragraph")
    assert set(found.clusters["column"].to_pylist()) == {"title"}
    dedup.write_report(tmp_path / "report", found)
    dedup.apply_report(tmp_path / "report", tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8") == f"{SENTENCES[0]}\n\n{SENTENCES[3]}\n"
    assert READ["jsonl"]((tmp_path / "out" / "b.jsonl").read_bytes()) == [{"title": "", "text": SENTENCES[2]}]


def test_clean(pages: Path) -> None:
    """The file is written anew, each column cut by itself; all else keeps its bytes."""
    run("clean", "pages.jsonl", "--unit", "paragraph", *NAMED_COLUMNS, "--output", "units.jsonl")
    expected = [dict(row) for row in PAGES]
    expected[1]["text"] = f"{SENTENCES[0]} {SENTENCES[2]}"
    expected[2]["title"] = ""
    assert [json.loads(line) for line in Path("units.jsonl").read_text().splitlines()] == expected
    assert Path("units.jsonl").read_bytes().splitlines()[0] == pages.read_bytes().splitlines()[0]
    run("clean", "pages.jsonl", "--repeats", "--min-words", "10", *NAMED_COLUMNS, "--output", "repeats.jsonl")
    expected[1]["text"] = ""
    assert [json.loads(line) for line in Path("repeats.jsonl").read_text().splitlines()] == expected
