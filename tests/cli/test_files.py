"""The command line over files of every kind: folders, formats, standard input, and what cannot be read."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dedup
from tests import corpora, corpus_files
from tests.cli.test_commands import DONE, FOUND, REJECTED, ROOT, WRONG, call, records

BODY = corpora.body(seed=21, size=4)
RECORDS = [{"text": text, "key": i} for i, text in enumerate([*BODY, BODY[1].upper()])]
BAD = b'{"text": 5, "key": 7}\n{not json\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the same records in several formats, one of them with bad lines."""
    where = tmp_path_factory.mktemp("files")
    for suffix in (".jsonl", ".csv", ".parquet", ".arrow"):
        (where / f"all{suffix}").write_bytes(corpus_files.WRITERS[suffix](RECORDS))
    (where / "all.jsonl.gz").write_bytes(gzip.compress(corpus_files.as_lines(RECORDS)))
    (where / "bad.jsonl").write_bytes(corpus_files.as_lines(RECORDS) + BAD)
    (where / "sub").mkdir()
    (where / "sub" / "b.jsonl").write_bytes(corpus_files.as_lines(RECORDS[1:2]))
    (where / "sub" / "a.txt").write_text(BODY[1], encoding="utf-8")
    return where


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz", "all.csv", "all.parquet", "all.arrow"])
def test_find_in_every_format(folder: Path, name: str) -> None:
    """One document per record, in any format; ids are those of a column, or the file and the number."""
    done = call("find", name, "--id", "key", "--json", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert [("1", True), ("4", False)] == [(str(row["id"]), row["kept"]) for row in records(done)]
    number = "3" if name == "all.csv" else "2"
    assert f"{name}:{number}" == records(call("find", name, "--json", cwd=folder))[0]["id"]


def test_folders(folder: Path) -> None:
    """A folder means its files; repeats and match accept folders too."""
    done = call("find", "sub", "--check", cwd=folder)
    assert FOUND == done.returncode, done.stderr
    assert "keep                 sub/a.txt\nremove exact 1.000   sub/b.jsonl:1\n" in done.stdout
    (repeat,) = records(call("repeats", "sub", "--min-words", "5", "--json", cwd=folder))
    assert ("sub/b.jsonl:1", "sub/a.txt") == (repeat["document"], repeat["source_document"])
    assert "sub/a.txt" in call("repeats", "sub", "--min-words", "5", cwd=folder).stdout
    done = call("match", "sub", "--against", "all.parquet", "--against-id", "key", "--min-words", "5", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert done.stdout.startswith("sub/a.txt\n  1.000 like 1: ")
    assert 5 == json.loads(call("estimate", "all.csv", "--json", cwd=folder).stdout)["texts"]


def test_standard_input(folder: Path) -> None:
    """Standard input is a text, or what --format says."""
    for arguments, data in (
        (["find", "-", "--format", "jsonl", "--json"], corpus_files.as_lines(RECORDS)),
        (["find", "-", "--format", "jsonl.gz", "--json"], gzip.compress(corpus_files.as_lines(RECORDS))),
        (["repeats", "-", "--min-words", "5", "--json"], "\n\n".join([*BODY, BODY[1]]).encode()),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dedup", *arguments], cwd=ROOT, input=data, capture_output=True, check=False
        )
        assert DONE == done.returncode, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert rows
        assert ("-:2" if arguments[0] == "find" else "-") == rows[0]["id" if arguments[0] == "find" else "document"]
    done = call("match", "-", "--against", "-", cwd=folder)
    assert WRONG == done.returncode
    assert '"-" is standard input, which NEW reads already' in done.stderr


def test_what_cannot_be_read(folder: Path) -> None:
    """Each bad record is named with its line; skipped, counted; or the first ends it."""
    named = [
        "dedup: rejected bad.jsonl:6: field 'text': expected a text, found int",
        "dedup: rejected bad.jsonl:7: not JSON: Expecting property name enclosed in double quotes at column 2",
    ]
    for command in ("find", "repeats"):
        done = call(command, "bad.jsonl", "--check", cwd=folder)
        assert REJECTED == done.returncode
        assert named == [line for line in done.stderr.splitlines() if line.startswith("dedup: rejected")]
    done = call("find", "bad.jsonl", "--on-error", "skip", cwd=folder)
    assert DONE == done.returncode
    assert "dedup: skipped 2 files or records that could not be read" in done.stderr
    done = call("find", "bad.jsonl", "--on-error", "fail", cwd=folder)
    assert (WRONG, "") == (done.returncode, done.stdout)
    assert "bad.jsonl:6: field 'text'" in done.stderr
    assert REJECTED == call("find", "bad.jsonl", "--max-errors", "2", cwd=folder).returncode
    assert REJECTED == call("find", "bad.jsonl", "--max-errors", "30%", cwd=folder).returncode
    for limit in ("1", "10%", "0"):
        done = call("find", "bad.jsonl", "--max-errors", limit, cwd=folder)
        assert WRONG == done.returncode
        assert f"--max-errors: expected at most {limit} rejected" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["find", "all.parquet", "--column", "body"],
            "--column \"body\": no such column in all.parquet; found 'text', 'key'",
        ),
        (["find", "all.csv", "--id", "name"], "--id \"name\": no such column in all.csv; found 'text', 'key'"),
        (
            ["repeats", "all.jsonl", "--column", "body"],
            '--column "body": no such column in the first lines of all.jsonl',
        ),
        (["find", "sub", "--format", "xml"], "format: expected one of 'jsonl'"),
        (["find", "sub", "--max-errors", "many"], "--max-errors: expected a count"),
        (["find", "nothing*"], "expected readable texts, found none in 'nothing*' (nothing*: no file matches)"),
        (["find", "all.parquet", "--format", "txt"], "expected texts, found none in all.parquet; 1 was rejected"),
    ],
)
def test_wrong_use(folder: Path, arguments: list[str], message: str) -> None:
    """An exit code of 2, and what was wrong."""
    done = call(*arguments, cwd=folder)
    assert WRONG == done.returncode, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_columns_whose_type_changes(tmp_path: Path) -> None:
    """Ids are of one type; what is kept by may be of integers here, of fractions there, and missing elsewhere."""
    (tmp_path / "a.jsonl").write_text('{"text": "a b c", "id": 7, "n": 7}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "a b c", "id": "7", "n": 7.5}\n')
    (tmp_path / "c.jsonl").write_text('{"text": "a b c", "id": 8, "n": "x"}\n')
    (tmp_path / "p.txt").write_text("a b c")
    for others in (["b.jsonl"], ["p.txt"], ["c.jsonl", "b.jsonl"]):
        done = call("find", "a.jsonl", *others, "--id", "id", cwd=tmp_path)
        assert done.returncode == 2
        assert '--id "id": expected one type, found 7 at a.jsonl:1 and ' in done.stderr
    for others, kept in ((["b.jsonl"], "b.jsonl:1"), (["p.txt"], "a.jsonl:1")):
        done = call("find", "a.jsonl", *others, "--keep", "max:n", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {json.loads(line)["kept_id"] for line in done.stdout.splitlines()} == {kept}
    for others in (["c.jsonl"], ["b.jsonl", "c.jsonl"]):
        done = call("find", "a.jsonl", *others, "--keep", "max:n", cwd=tmp_path)
        assert done.returncode == 2
        assert "keep: expected values of one kind in the column 'n', found" in done.stderr


COMMAND = f"{sys.executable} -m dedup"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell that finds the package wherever it is."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, shell=True, capture_output=True, text=True, check=False, env=environment)


def test_a_help_that_cannot_be_written(tmp_path: Path) -> None:
    """A full disk and a closed output are reported as for any other command, also a current folder that was removed."""
    if Path("/dev/full").exists():
        shown = shell(f"{COMMAND} find --help >/dev/full")
        assert (shown.returncode, "expected to write to standard output" in shown.stderr) == (74, True)
    if os.name == "posix":
        closed = shell(f"{COMMAND} find --help >&-")
        assert (closed.returncode, "Exception" in closed.stderr) == (74, False)
        (tmp_path / "gone").mkdir()
        ended = shell(f"cd {tmp_path}/gone; rmdir {tmp_path}/gone; {COMMAND} find {tmp_path}")
        assert (ended.returncode, "expected a current folder, found that it was removed" in ended.stderr) == (2, True)


def test_plain_text_has_no_column_to_keep_by(tmp_path: Path) -> None:
    """A policy that says nothing of any file is an error, not ignored."""
    (tmp_path / "app.log").write_text("one two three\none two three\n", encoding="utf-8")
    done = call("find", "app.log", "--unit", "line", "--keep", "max:date", cwd=tmp_path)
    assert done.returncode == WRONG
    assert 'keep: expected files with a column "date", found plain text in app.log; name another policy' in done.stderr
    with pytest.raises(dedup.ParameterError, match="keep: expected files with a column"):
        dedup.find_duplicates(dedup.files(tmp_path / "app.log", format="txt"), unit="line", keep="max:date")


def test_the_message_names_a_bound_that_does(tmp_path: Path) -> None:
    """Who gives what a message asks for needs no more than three attempts."""
    for number in range(300):
        words = " ".join(f"w{number}x{i}" for i in range(2000))
        (tmp_path / f"{number}.txt").write_text(words, encoding="utf-8")
    memory, attempts = "50MB", 0
    while (done := call("find", ".", "--memory", memory, "--threads", "2", cwd=tmp_path)).returncode:
        assert done.returncode == WRONG
        memory = re.search(r"expected about ([\d.]+ [MG]B)", done.stderr)[1].replace(" ", "")
        attempts += 1
        assert attempts <= 3, done.stderr
    assert attempts >= 1
