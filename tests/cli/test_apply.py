"""`dedup find --output`, look, `dedup apply`: as a person does it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dedup.cli import main
from dedup.report.read import Report
from tests import corpora, corpus_files

DONE, FOUND, WRONG, REJECTED = 0, 1, 2, 3


def call(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a corpus of two formats, and go there."""
    texts = corpora.families(count=6, size=4)
    rows = [{"n": i, "text": text, "score": (i * 7) % 5} for i, text in enumerate(texts)]
    corpus_files.write(
        tmp_path / "corpus", "a.jsonl.gz", corpus_files.pack(corpus_files.encode("jsonl", rows[:14]), "gzip")
    )
    corpus_files.write(tmp_path / "corpus", "deep/b.parquet", corpus_files.encode("parquet", rows[14:]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("keep", ["first", "max:score", "min:score"])
def test_find_and_apply(keep: str, folder: Path) -> None:
    """The report, the files that it keeps, and nothing to be found in them."""
    done = call("find", "corpus", "--output", "report", "--keep", keep)
    assert DONE == done.exit_code, done.output
    report = Report.open("report")
    assert report.options["keep"] == keep
    done = call("apply", "report", "--output", "clean")
    removed = report.summary["removed"]
    assert f"{24 - removed} records written to 2 files; {removed} removed, 0 rejected\n" == done.stdout
    assert DONE == done.exit_code
    assert removed > 10
    assert ["a.jsonl.gz", "deep"] == sorted(os.listdir("clean"))
    again = call("find", "clean", "--check", "--json")
    assert ("", DONE) == (again.stdout, again.exit_code)
    for row in report.clusters.to_pylist():
        cluster = [each for each in report.clusters.to_pylist() if each["cluster"] == row["cluster"]]
        assert 1 == sum(each["kept"] for each in cluster)


def test_the_policy_of_a_column(folder: Path) -> None:
    """Nobody who was removed had a better score than the one that is kept for them."""
    call("find", "corpus", "--output", "report", "--keep", "max:score", "--id", "n")
    scores = {i: (i * 7) % 5 for i in range(24)}
    rows = Report.open("report").clusters.to_pylist()
    assert all((scores[row["kept_id"]], -row["kept_id"]) >= (scores[row["id"]], -row["id"]) for row in rows)
    assert {row["id"] for row in rows} <= set(range(24))


def test_annotate_and_json(folder: Path) -> None:
    """All records, and what was written as JSON."""
    call("find", "corpus", "--output", "report")
    done = call("apply", "report", "--output", "marked", "--annotate", "--json")
    counts = {"files": 2, "kept": 24, "removed": 0, "rejected": 0, "cut": 0, "also_kept": 0, "also_removed": 0}
    assert counts == json.loads(done.stdout)
    lines = corpus_files.unpack((folder / "marked" / "a.jsonl.gz").read_bytes(), "gzip").splitlines()
    kept = [json.loads(line)["dedup_kept"] for line in lines]
    assert 14 == len(kept)
    assert 0 < sum(kept) < 14


def test_rejects_end_in_code_3(folder: Path) -> None:
    """As they did in the search."""
    corpus_files.write(folder / "corpus", "c.jsonl", b'{"text": "some words"}\nnot json\n')
    assert REJECTED == call("find", "corpus", "--output", "report").exit_code
    done = call("apply", "report", "--output", "clean")
    assert REJECTED == done.exit_code
    assert "1 rejected" in done.stdout
    assert b'{"text": "some words"}\n' == (folder / "clean" / "c.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "--output", "report/x"], "lies in the report"),
        (["report", "--output", "corpus"], "contains the input"),
        (["report", "--output", "corpus/clean"], "lies in the input folder"),
        (["report", "--output", "link/clean"], "lies in the input folder"),
        (["nothing", "--output", "clean"], "report.json: expected a part of a report, found none"),
        (["corpus", "--output", "clean"], "report.json: expected a part of a report, found none"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, folder: Path) -> None:
    """Code 2, one line that says why, and no file anywhere."""
    call("find", "corpus", "--output", "report")
    (folder / "link").symlink_to(folder / "corpus")
    before = sorted(folder.rglob("*"))
    done = call("apply", *arguments)
    assert WRONG == done.exit_code
    assert message in done.stderr
    assert before == sorted(folder.rglob("*"))


def test_changed_inputs(folder: Path) -> None:
    """Named, with what was expected and what was found."""
    call("find", "corpus", "--output", "report")
    os.utime(folder / "corpus" / "a.jsonl.gz", ns=(5, 5))
    done = call("apply", "report", "--output", "clean")
    assert WRONG == done.exit_code
    assert "a.jsonl.gz: expected the file that was searched" in done.stderr


def test_standard_input_cannot_be_applied(folder: Path) -> None:
    """It cannot be read again."""
    data = '{"text": "a b c d e f"}\n{"text": "A b c d e f"}\n'
    runner = CliRunner()
    done = runner.invoke(main, ["find", "-", "--format", "jsonl", "--output", "report"], input=data)
    assert DONE == done.exit_code, done.output
    done = call("apply", "report", "--output", "clean")
    assert WRONG == done.exit_code
    assert "standard input, which cannot be read again" in done.stderr


def test_reports_of_repeats_and_matches(folder: Path) -> None:
    """Both write a report; that of a match can be applied to NEW."""
    repeated = corpora.doubled_article(4).text
    corpus_files.write(folder / "other", "x.txt", repeated.encode())
    done = call("repeats", "other", "--output", "repeats", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == Report.open("repeats").spans.to_pylist()
    assert len(rows) > 0

    done = call("match", "corpus/a.jsonl.gz", "--against", "corpus/deep", "--output", "match", "--json")
    report = Report.open("match")
    pairs: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in pairs if row["kind"] == "pair"] == [{"kind": "pair", **r} for r in report.pairs.to_pylist()]
    assert "match" == report.kind
    done = call("apply", "match", "--output", "clean")
    assert DONE == done.exit_code
    assert ["a.jsonl.gz"] == os.listdir("clean")
    matched = report.summary["matched"]
    assert f"{14 - matched} records written to 1 file; {matched} removed, 0 rejected\n" == done.stdout
    again = call("match", "clean", "--against", "corpus/deep", "--min-words", "10000", "--json")
    assert "" == again.stdout
    assert matched > 0
    taken = call("repeats", "other", "--output", "match")
    assert WRONG == taken.exit_code
    assert "expected a new or an empty folder" in taken.stderr
