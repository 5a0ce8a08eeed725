"""``dedup index``, as a person or a script calls it: every command, every format, and what an interruption leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import dedup
from dedup.cli import main
from dedup.index import index as indexes
from dedup.index.adding import incoming
from tests import corpus_files

ROOT = Path(dedup.__file__).parent.parent
DONE, FOUND, WRONG, REJECTED, UNWRITABLE = 0, 1, 2, 3, 74

NOTICE = "The swing bridge at the mill will be closed to all traffic from Monday night until Thursday at noon."
OTHER = "The library has been given eleven boxes of sea charts by the widow of a pilot from the old harbour."
OLD = [{"text": NOTICE, "key": 1}, {"text": OTHER, "key": 2}]
NEW = [
    {"text": f"{NOTICE} Really!", "key": 3},
    {"text": "Two ferries were late because of fog, and one did not come at all.", "key": 4},
    {"text": OTHER.upper(), "key": 5},
    {"text": "TWO FERRIES were late, because of fog; and one did not come at all.", "key": 6},
]
"""Only the second one is new."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write files, make an index of the old texts, and go there."""
    monkeypatch.chdir(tmp_path)
    Path("old.jsonl").write_bytes(corpus_files.as_lines(OLD))
    Path("new.jsonl").write_bytes(corpus_files.as_lines(NEW))
    call("create", "seen")
    call("add", "seen", "old.jsonl")
    return tmp_path


def call(*arguments: str, code: int = DONE, **more: Any) -> Result:
    """Run a command in this process, and check its code."""
    done = CliRunner().invoke(main, ["index", *arguments], prog_name="dedup", **more)
    assert code == done.exit_code, (done.stdout, done.stderr)
    return done


def data(*arguments: str, code: int = DONE, **more: Any) -> list[dict[str, Any]]:
    """Run a command with --json, and give what it prints."""
    return [json.loads(line) for line in call(*arguments, "--json", code=code, **more).stdout.splitlines()]


def test_every_command(place: Path) -> None:
    """A day with an index, in text and as JSON."""
    assert (
        "made an index in first: chars:5, threshold 0.7\n"
        == call("create", "first", "--threshold", "0.7", "--shingle", "chars:5").stdout
    )
    (made,) = data("create", "more", "--containment")
    assert ("more", 0.8, "words:5", True) == tuple(
        made[name] for name in ("path", "threshold", "shingle", "containment")
    )
    assert [{"added": 0, "known": 2, "documents": 2}] == data("add", "seen", "old.jsonl")
    assert "4 added; 4 documents\n" == call("add", "more", "new.jsonl", "--id", "key").stdout
    rows = data("query", "seen", "new.jsonl", "--limit", "1")
    assert [("new.jsonl:1", "old.jsonl:1"), ("new.jsonl:3", "old.jsonl:2")] == [(r["left"], r["right"]) for r in rows]
    found = call("query", "seen", "new.jsonl", "--check", "--threshold", "0.95", code=FOUND)
    assert "new.jsonl:3\n  1.000 like old.jsonl:2: 100.0 % of its shingles" in found.stdout
    assert "; they differ in format\n" in found.stdout
    assert "4 texts (0 empty) against 2 (0 empty)" in found.stderr
    assert "no matches found\n" == call("query", "seen", "-", "--check", input='{"text": "a b"}\n').stdout
    assert 4 == len(data("query", "more", "new.jsonl", "--metric", "containment", "--limit", "1"))
    assert [{"removed": 2, "documents": 2}] == data("remove", "more", "3", "--ids-from", "-", input="\n5\n")
    assert "1 removed; 1 document\n" == call("remove", "seen", "old.jsonl:1").stdout
    call("create", "part")
    call("add", "part", "new.jsonl")
    assert "4 added; 5 documents\n" == call("merge", "seen", "part").stdout
    assert [{"documents": 6, "ok": True, "problems": [], "lost": [], "advice": ""}] == data("check", "seen")
    (compacted,) = data("compact", "seen")
    assert 5 == compacted["documents"]
    (numbers,) = data("stats", "seen")
    assert (5, 0, compacted["bytes"]) == tuple(numbers[name] for name in ("documents", "removed", "bytes"))
    assert "words:5" == numbers["options"]["shingle"]
    assert "documents    5\n" in call("stats", "seen").stdout
    assert "in memory    4 documents, in no segment yet\n" in call("stats", "more").stdout


def test_new_texts_are_printed(place: Path) -> None:
    """With their ids; what was printed is in the index."""
    assert "new.jsonl:2: Two ferries were late" in call("filter-new", "seen", "new.jsonl").stdout
    assert [] == data("filter-new", "seen", "new.jsonl")
    shutil.rmtree("seen")
    call("create", "seen")
    rows = data("filter-new", "seen", "-", "--id", "key", "--column", "body", input='{"key": 7, "body": "a b"}\n')
    assert [{"id": 7, "text": "a b"}] == rows
    assert [{"left": "-:1", "right": 7}] == [
        {name: row[name] for name in ("left", "right")}
        for row in data("query", "seen", "-", input='{"text": "A b!"}\n')
    ]


@pytest.mark.parametrize("name", ["day.jsonl", "day.csv.gz", "day.parquet", "day.arrow", "day.jsonl.zst"])
def test_new_records_are_written(name: str, place: Path) -> None:
    """In the format of their file, with their other fields."""
    make = {".jsonl": corpus_files.as_lines, ".csv": corpus_files.as_csv, ".parquet": corpus_files.as_parquet}
    suffixes = Path(name).suffixes
    content = make.get(suffixes[0], corpus_files.as_arrow)(NEW)
    Path(name).write_bytes(corpus_files.PACKERS[suffixes[1]](content) if suffixes[1:] else content)
    done = call("filter-new", "seen", name, "--output", "new")
    assert "1 of 4 texts are new, written to new; 3 documents\n" == done.stderr
    assert [name] == os.listdir("new")
    rows = dedup.find_duplicates(dedup.files(f"new/{name}", id="key")).kept.to_pylist()
    assert [4] == [int(row) for row in rows]
    if name.endswith("parquet"):
        assert [NEW[1]] == pq.read_table(f"new/{name}").to_pylist()


def test_new_plain_texts_are_written(place: Path) -> None:
    """A file a text, and only those that are new; what cannot be read is named."""
    Path("day").mkdir()
    for row in NEW:
        Path("day", f"{row['key']}.txt").write_text(row["text"])
    Path("day", "bad.txt").write_bytes(b"caf\xe9")
    (counts,) = data("filter-new", "seen", "day", "--output", "new", code=REJECTED)
    assert {"files": 1, "kept": 1, "removed": 3, "rejected": 1} == {name: counts[name] for name in list(counts)[:4]}
    assert ["4.txt"] == os.listdir("new")


def test_records_that_cannot_be_read_are_not_written(place: Path) -> None:
    """They are no texts, so they are neither seen nor new."""
    Path("bad.jsonl").write_bytes(b'{"text": 5}\n' + corpus_files.as_lines(NEW) + b"{no\n")
    done = call("filter-new", "seen", "bad.jsonl", "--output", "new", code=REJECTED)
    assert 2 == done.stderr.count("dedup: rejected bad.jsonl:")
    assert [NEW[1]] == [json.loads(line) for line in Path("new/bad.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_the_same_batch_again(method: str, place: Path) -> None:
    """A command that runs each day and is given a batch twice: nothing is new, and an empty text is no error."""
    call("create", "daily", "--method", method)
    rows = [{"id": f"k{row['key']}", "text": row["text"]} for row in NEW]
    Path("day.jsonl").write_bytes(
        corpus_files.as_lines([*rows, {"id": "blank", "text": ""}, {"id": "marks", "text": "?"}])
    )
    command = ("filter-new", "daily", "day.jsonl", "--id", "id")
    assert [row["id"] for row in data(*command)][-2:] == ["blank", "marks"]
    count = data("stats", "daily")[0]["documents"]
    done = call(*command)
    assert done.stdout == ""
    assert f"0 of {len(NEW) + 2} texts are new; {count} documents\n" in done.stderr
    call(*command, "--output", "new")
    assert Path("new/day.jsonl").read_bytes() == b""
    Path("day.jsonl").write_bytes(corpus_files.as_lines([*rows, {"id": "blank", "text": "it has a text now"}]))
    done = call(*command, code=WRONG)
    assert f"expected new ids, found 'blank' at day.jsonl:{len(NEW) + 1}, which is in the index already" in done.stderr
    done = call("add", "daily", "day.jsonl", "--id", "id", code=WRONG)
    assert f"expected new ids, found 'blank' at day.jsonl:{len(NEW) + 1}, which is in the index already" in done.stderr


def test_a_day_without_texts(place: Path) -> None:
    """An input that is there and has no text is an empty batch; one that is not there is an error."""
    for text in ("", "\n"):
        Path("day.jsonl").write_text(text)
        for more in ([], ["--id", "id"]):
            for command in ("filter-new", "add"):
                done = call(command, "seen", "day.jsonl", *more)
                assert done.stderr.count("\n") <= 4
            assert "0 of 0 texts are new; 2 documents\n" in call("filter-new", "seen", "-", *more, input="").stderr
    call("filter-new", "seen", "day.jsonl", "--output", "new")
    assert Path("new/day.jsonl").read_text().strip() == ""
    assert (
        "expected readable texts, found none in 'nowhere.jsonl'"
        in call("add", "seen", "nowhere.jsonl", code=WRONG).stderr
    )
    Path("empty").mkdir()
    for command in (["index", "add", "seen"], ["index", "filter-new", "seen"], ["index", "query", "seen"], ["find"]):
        done = CliRunner().invoke(main, [*command, "empty"])
        assert (WRONG, 1) == (done.exit_code, done.stderr.count("expected readable texts, found none in 'empty'"))
    Path("day.jsonl").write_text("no record\n")
    assert "was rejected" in call("filter-new", "seen", "day.jsonl", code=WRONG).stderr
    Path("day.jsonl").write_text("")
    assert "expected texts, found none in day.jsonl" in CliRunner().invoke(main, ["find", "day.jsonl"]).stderr
    assert "expected texts, found none in -" in CliRunner().invoke(main, ["find", "-"], input="").stderr


def test_an_index_that_grows_says_why(place: Path) -> None:
    """`compact` of an index from which nothing was removed: the newest documents get postings on disk."""
    assert re.search(
        r"2 documents; [\d,]+ bytes before, [\d,]+ bytes now: 2 had no postings on disk\n",
        call("compact", "seen").stdout,
    )
    assert re.search(r"2 documents; ([\d,]+) bytes before, \1 bytes now\n", call("compact", "seen").stdout)


def test_damage_is_named(place: Path) -> None:
    """By `check`, with code 3; a query that needs what is damaged fails, and names the command that says more."""
    path = next(Path("seen").glob("rows-*"))
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    advised = "the index is damaged; dedup index check (dedup.Index.check_files) names all that is damaged"
    assert advised in call("query", "seen", "new.jsonl", code=WRONG).stderr  # newest documents are read at once
    restore = "restore the index from a copy of its folder, or make it anew from the texts\n"
    done = call("check", "seen", code=REJECTED)
    assert f"2 documents, damaged:\n  the row of document number 0 is damaged\n{restore}" == done.stdout
    content[20] ^= 1
    path.write_bytes(content)
    manifest = Path("seen/manifest.json")
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-5])
    done = call("check", "seen", code=REJECTED)
    assert done.stdout.startswith("damaged:\n  expected an undamaged manifest in seen, found a damaged one")
    assert done.stdout.endswith(restore)
    manifest.unlink()
    assert "found the other files without it" in call("check", "seen", code=REJECTED).stdout
    manifest.write_bytes(whole)
    assert "expected an index in nowhere, found none" in call("check", "nowhere", code=WRONG).stderr
    call("compact", "seen")
    path = next(Path("seen").glob("rows-*"))
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    done = call("check", "seen", code=REJECTED)
    assert "2 documents, damaged:\n  the row of document number 0 is damaged\n" in done.stdout
    (found,) = data("check", "seen", code=REJECTED)
    assert (False, [None]) == (found["ok"], found["lost"][:1])
    assert "the index is damaged" in call("query", "seen", "old.jsonl", code=WRONG).stderr


def test_an_add_that_was_stopped_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after a commit, it has what was committed, and the same command adds the rest, once each."""
    with Path("many.jsonl").open("w") as file:
        file.writelines(json.dumps({"text": " ".join(f"w{i}x{k}" for k in range(200))}) + "\n" for i in range(3000))
    code = (
        "import os, sys\n"
        "from dedup.index import writer\n"
        "from dedup.index.adding import incoming\n"
        "from dedup.cli import main\n"
        "incoming.RESUMED_HASHES = 100_000\n"
        "commit, times = writer.Writer.commit, []\n"
        "def dying(self):\n"
        "    commit(self)\n"
        "    times.append(1)\n"
        "    if len(times) == 2: os.kill(os.getpid(), 9)\n"
        "writer.Writer.commit = dying\n"
        "main(['index', 'add', 'seen', 'many.jsonl', 'old.jsonl'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert -signal.SIGKILL == done.returncode, done.stderr
    with dedup.Index.open("seen") as index:
        there = len(index)
        assert 1000 < there < 3000
        assert index.check().ok
    (counts,) = data("add", "seen", "many.jsonl", "old.jsonl")
    assert {"added": 3002 - there, "known": there, "documents": 3002} == counts
    with dedup.Index.open("seen") as index:
        pairs = index.query(Path("many.jsonl")).pairs
        assert pairs["left"].to_pylist() == pairs["right"].to_pylist()
        assert 3000 == pairs.num_rows


@pytest.mark.parametrize("committed", [False, True])
def test_an_add_that_is_interrupted_says_what_stays(
    committed: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed before Ctrl-C, which the same command goes on from, or nothing."""
    if committed:
        monkeypatch.setattr(incoming, "RESUMED_HASHES", 1)

    def stopping(*given: Any) -> Any:
        yield from hashed(*given)
        raise KeyboardInterrupt

    hashed = incoming.hashed
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "hashed", stopping)
        done = call("add", "seen", "new.jsonl", code=128 + signal.SIGINT)
    stays = "what was committed stays in the index: run the same command again to add the rest"
    assert f"dedup: interrupted; {stays if committed else 'the index is as it was'}\n" == done.stderr
    assert (4 if committed else 0) == data("add", "seen", "new.jsonl")[0]["known"]


def test_a_filter_that_was_stopped_changed_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new texts could not be written or printed, they are not in the index: they would be lost."""

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(indexes, "apply_rows", broken)
        call("filter-new", "seen", "new.jsonl", "--output", "new", code=UNWRITABLE)
    script = f"{sys.executable} -m dedup index filter-new seen new.jsonl > /dev/full"
    if Path("/dev/full").exists():
        done = subprocess.run(
            script, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
        )
        assert UNWRITABLE == done.returncode, done.stderr
    assert 2 == len(dedup.Index.open("seen"))
    assert "1 of 4 texts are new" in call("filter-new", "seen", "new.jsonl").stderr


def test_files_in_python(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`filter_new` gives a dict of what is new, or writes files; after a failure nothing can be committed."""
    with dedup.Index.open("seen", write=True) as index:
        assert {"new.jsonl:2": NEW[1]["text"]} == index.filter_new(Path("new.jsonl"))
        assert {} == index.filter_new(dedup.files("new.jsonl"))
        with pytest.raises(dedup.errors.ParameterError, match="output: expected files to write anew, found list"):
            index.filter_new(["x"], output="new")
        with pytest.raises(dedup.errors.ParameterError, match="output: seen/inside lies in the index seen"):
            index.filter_new(Path("new.jsonl"), output="seen/inside")
    Path("newer.jsonl").write_bytes(corpus_files.as_lines([{"text": "entirely other words"}]))
    with dedup.Index.open("seen", write=True) as index:
        monkeypatch.setattr(indexes, "apply_rows", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index.filter_new(Path("newer.jsonl"), output="new")
        with pytest.raises(dedup.errors.StorageError, match="interrupted"):
            index.commit()
    assert 3 == len(dedup.Index.open("seen"))


def test_the_help_of_the_group(place: Path) -> None:
    """It names the commands, and what their exit codes mean."""
    said = call("--help").stdout
    assert "..." not in said.partition("Commands:")[2]
    assert "Print or write the texts of files that were not seen before, and add them to the index in PATH." in (
        " ".join(said.split())
    )
    assert "filter-new" in said
    assert "Exit codes:\n  0    done\n  1    something was found" in said
