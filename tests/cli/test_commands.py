"""The command line, as a person or a script calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dedup
from tests import corpora

ROOT = Path(dedup.__file__).parent.parent
DONE, FOUND, WRONG, REJECTED = 0, 1, 2, 3


def call(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python -m dedup`` in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "dedup", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Read the JSON lines on stdout: nothing else may be there."""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a few files: an article with a doubled body, three documents, JSON lines, a bad one."""
    where = tmp_path_factory.mktemp("files")
    paragraphs = corpora.body(seed=11, size=4)
    files: dict[str, str | bytes] = {
        "doubled.txt": corpora.doubled_article().text,
        "plain.txt": "\n".join(paragraphs),
        "copy.txt": "\n\n".join(paragraphs).upper(),
        "other.txt": "\n".join(corpora.body(seed=12, size=2)),
        "empty.txt": "",
        "bad.txt": b"caf\xe9 au lait\n",
        "name with spaces é.txt": "\n".join(paragraphs),
        "lines.jsonl": "".join(
            json.dumps({"id": f"n{i}", "text": text}, ensure_ascii=i % 2 == 0) + "\n"
            for i, text in enumerate([*paragraphs, paragraphs[1].title(), "naïve 北京", ""])
        ),
    }
    for name, content in files.items():
        path = where / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return where


def test_repeats(folder: Path) -> None:
    """A report for people: how much of the article repeats, and where."""
    done = call("repeats", folder / "doubled.txt")
    assert DONE == done.returncode, done.stderr
    article = corpora.doubled_article()
    opening = article.text[slice(*article.first)][:15]
    assert opening in done.stdout or str(article.words) in done.stdout.replace(",", "")


def test_repeats_as_json(folder: Path) -> None:
    """With --json, each repeat is a line with its place in characters."""
    done = call("repeats", folder / "doubled.txt", "--json")
    assert DONE == done.returncode, done.stderr
    article = corpora.doubled_article()
    (found,) = [record for record in records(done) if "source_start" in record]
    assert (*article.second, *article.first) == (
        found["start"],
        found["end"],
        found["source_start"],
        found["source_end"],
    )
    assert (article.words, article.paragraphs) == (found["words"], found["paragraphs"])


def test_repeats_across_files(folder: Path) -> None:
    """Several files are searched together, in the order of their paths: a repeat names the file of its source."""
    done = call("repeats", "plain.txt", "other.txt", "name with spaces é.txt", "--json", cwd=folder)
    assert DONE == done.returncode, done.stderr
    (found,) = [record for record in records(done) if "source_start" in record]
    assert "plain.txt" == found["document"]
    assert "name with spaces é.txt" == found["source_document"]


def test_find(folder: Path) -> None:
    """Each text file is a document; copies are named, others are not."""
    done = call("find", "plain.txt", "other.txt", "copy.txt", "empty.txt", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert "copy.txt" in done.stdout
    as_json = call("find", "plain.txt", "other.txt", "copy.txt", "--json", cwd=folder)
    assert records(as_json)
    assert "plain.txt" in as_json.stdout
    assert "copy.txt" in as_json.stdout


def test_find_in_json_lines(folder: Path) -> None:
    """In a .jsonl file each line is a document."""
    done = call("find", folder / "lines.jsonl", "--id", "id", "--json")
    assert DONE == done.returncode, done.stderr
    assert records(done)
    assert "n1" in done.stdout
    assert "n4" in done.stdout
    clean = call("find", folder / "lines.jsonl", "--column", "id", "--check")
    assert DONE == clean.returncode, clean.stderr


def test_find_paragraphs(folder: Path) -> None:
    """Paragraphs are a unit on the command line too."""
    done = call("find", folder / "doubled.txt", "--unit", "paragraph", "--check")
    assert FOUND == done.returncode, done.stderr


def test_options_reach_the_search(folder: Path) -> None:
    """Threshold, shingle and the policy act as in Python."""
    options = ["--threshold", "0.99", "--shingle", "chars:8", "--keep", "last", "--threads", "1"]
    done = call("find", "plain.txt", "copy.txt", *options, "--json", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert "copy.txt" in done.stdout


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_check(folder: Path, json_too: list[str]) -> None:
    """With --check, duplicates are an exit code of 1; none are 0."""
    files = [folder / name for name in ("plain.txt", "copy.txt", "other.txt")]
    assert FOUND == call("find", *files, "--check", *json_too).returncode
    assert DONE == call("find", *files[1:], "--check", *json_too).returncode
    assert FOUND == call("repeats", folder / "doubled.txt", "--check", *json_too).returncode
    assert DONE == call("repeats", folder / "plain.txt", "--check", *json_too).returncode


def test_compare(folder: Path) -> None:
    """Two files, and how similar they are; the exit code is 0 either way."""
    done = call("compare", folder / "plain.txt", folder / "copy.txt", "--json")
    assert DONE == done.returncode, done.stderr
    assert [1.0] == [record["jaccard"] for record in records(done) if "jaccard" in record]
    for other in ("other.txt", "copy.txt", "empty.txt"):
        assert DONE == call("compare", folder / "plain.txt", folder / other).returncode


@pytest.mark.parametrize(
    "arguments",
    [
        ["find"],
        ["repeats"],
        ["compare", "plain.txt"],
        ["compare", "plain.txt", "missing.txt"],
        ["compare", "plain.txt", "bad.txt"],
        ["find", "missing.txt"],
        ["repeats", "missing.txt"],
        ["find", "bad.txt"],
        ["repeats", "bad.txt"],
        ["find", "plain.txt", "--threshold", "80"],
        ["find", "plain.txt", "--threshold", "high"],
        ["find", "plain.txt", "--keep", "random"],
        ["find", "plain.txt", "--shingle", "sentences:2"],
        ["find", "plain.txt", "--no-such-flag"],
        ["find", "lines.jsonl", "--column", "body"],
        ["no-such-command"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_use(folder: Path, arguments: list[str]) -> None:
    """Wrong use, nothing to read, nothing readable: an exit code of 2, and why on stderr."""
    done = call(*arguments, cwd=folder)
    assert WRONG == done.returncode, done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.strip() or not arguments
    wrong = arguments[-1] if len(arguments) > 1 and arguments != ["compare", "plain.txt"] else ""
    assert wrong in done.stderr


@pytest.mark.parametrize("command", ["find", "repeats"])
def test_rejected_files_are_named(folder: Path, command: str) -> None:
    """A file that is not UTF-8 is named on stderr, the rest is done, and the exit code is 3."""
    files = ["plain.txt", "bad.txt", "copy.txt"]
    done = call(command, *files, "--json", cwd=folder)
    assert REJECTED == done.returncode, done.stderr
    assert "bad.txt" in done.stderr
    assert "rejected plain.txt" not in done.stderr
    assert "copy.txt" in done.stdout
    assert "Traceback" not in done.stderr
    assert REJECTED == call(command, *files, "--json", "--check", cwd=folder).returncode


def test_a_missing_file_among_others(folder: Path) -> None:
    """A file that is not there is named, and never passed over in silence."""
    done = call("find", "plain.txt", "missing.txt", "copy.txt", cwd=folder)
    assert done.returncode in {WRONG, REJECTED}
    assert "missing.txt" in done.stderr


def test_bad_lines_are_rejected(tmp_path: Path) -> None:
    """A line that is not JSON, or has no text, is named by its number, and the rest is done."""
    lines = [
        b'{"text": "one two three"}',
        b"{not json",
        b'{"text": 5}',
        b'{"text": "One two, three"}',
    ]
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    done = call("find", path, "--json")
    assert REJECTED == done.returncode, done.stderr
    assert "some.jsonl" in done.stderr
    for number in ("2", "3"):
        assert number in done.stderr.replace(str(path), "")
    assert records(done)


@pytest.mark.parametrize("arguments", [["--help"], ["find", "--help"], ["repeats", "-h"]])
def test_help_is_quick(arguments: list[str]) -> None:
    """Help loads neither numba nor numpy nor pyarrow."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dedup", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert DONE == done.returncode, done.stderr[-500:]
    assert done.stdout.strip()
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & {"numba", "numpy", "pyarrow", "pandas", "polars"}


@pytest.mark.parametrize(
    "command",
    [["find"], ["find", "--output", "out"], ["repeats"], ["match", "--against", "a.jsonl"], ["estimate"], ["compare"]],
    ids=" ".join,
)
def test_a_command_does_not_import_pandas(tmp_path: Path, command: list[str]) -> None:
    """pyarrow would import pandas where it is installed; that takes longer than all the rest of a small search."""
    (tmp_path / "pandas.py").write_text("raise SystemExit('pandas was imported')")
    (tmp_path / "a.jsonl").write_text('{"text": "one two three four five six"}\n' * 2)
    (tmp_path / "b.txt").write_text("one two three four five six")
    inputs = ["b.txt", "b.txt"] if command == ["compare"] else ["a.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "dedup", *command, *inputs],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert DONE == done.returncode, done.stderr[-500:]


def test_output_can_be_cut_off(folder: Path) -> None:
    """A reader that stops early (``| head``) is not an error, and gives no traceback."""
    command = [sys.executable, "-m", "dedup", "repeats", str(folder / "doubled.txt"), "--json"]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_the_real_article(data: Path) -> None:
    """The article that the project starts from, from the shell."""
    done = call("repeats", data / "doubled_article.txt", "--json")
    assert DONE == done.returncode, done.stderr
    (found,) = [record for record in records(done) if "source_start" in record]
    places = [found[name] for name in ("source_start", "source_end", "start", "end")]
    assert [41, 4384, 4385, 8728] == places
    assert (15, 1.0) == (found["paragraphs"], found["similarity"])
