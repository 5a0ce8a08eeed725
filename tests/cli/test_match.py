"""``dedup match`` and what ``dedup compare`` shows, as a person or a script calls them."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.errors import StorageError
from dedup.sources.two_sided import naming

ROOT = Path(dedup.__file__).parent.parent
DONE, FOUND, WRONG, REJECTED = 0, 1, 2, 3

NOTICE = "The swing bridge at the mill will be closed to all traffic from Monday night until Thursday at noon."
OTHER = "The library has been given eleven boxes of sea charts by the widow of a pilot from the old harbour."


def call(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m dedup`` in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    plain = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    return subprocess.run(
        [sys.executable, "-m", "dedup", *map(str, arguments)],
        cwd=cwd,
        env={**plain, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color", **environment},
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
    """Write new texts, old ones, and some that cannot be read."""
    where = tmp_path_factory.mktemp("match")
    files = {
        "new.jsonl": [{"key": 7, "body": f"Notice: {NOTICE}"}, {"key": 8, "body": "Quite another text than that."}],
        "old.jsonl": [{"text": OTHER}, {"text": NOTICE.upper()}],
        "broken.jsonl": [{"text": NOTICE}, {"txt": OTHER}],
    }
    for name, lines in files.items():
        (where / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (where / "columns.jsonl").write_text(json.dumps({"title": "A bridge", "body": NOTICE}), encoding="utf-8")
    (where / "page.txt").write_text(f"{OTHER}\n{NOTICE}\n", encoding="utf-8")
    (where / "bad.txt").write_bytes(b"caf\xe9")
    return where


NEW = ("match", "new.jsonl", "--column", "body", "--id", "key", "--against-column", "text", "--min-words", "10")


@pytest.mark.parametrize("command", [(*NEW, "--against", "old.jsonl"), ("repeats", "page.txt", "page.txt")])
def test_a_bound_on_memory(command: tuple[str, ...], folder: Path) -> None:
    """--memory gives the same lines, or an error that says what would do."""
    free = call(*command, "--json", cwd=folder)
    bounded = call(*command, "--json", "--memory", "500MB", cwd=folder)
    assert (bounded.returncode, bounded.stdout) == (free.returncode, free.stdout)
    small = call(*command, "--memory", "1MB", cwd=folder)
    assert small.returncode == WRONG
    assert "dedup: --memory: expected about" in small.stderr


def test_paragraphs(folder: Path) -> None:
    """With --unit paragraph, pairs are of paragraphs, and say which."""
    done = call("match", "page.txt", "--against", "page.txt", "--unit", "paragraph", cwd=folder)
    assert done.returncode == DONE, done.stderr
    (place,) = re.findall(r"^  (paragraph 1, characters .*): 1.000 like page.txt \1: ", done.stdout, re.MULTILINE)
    assert place == f"paragraph 1, characters {len(OTHER) + 1}-{len(OTHER) + 1 + len(NOTICE)}"
    both = ("match", "columns.jsonl", "--against", "page.txt", "--column", "title", "--column", "body")
    done = call(*both, "--against-column", "text", "--unit", "paragraph", cwd=folder)
    assert f"  paragraph 1, characters 0-{len(NOTICE)} of body: 1.000 like page.txt {place}: " in done.stdout
    lines = records(call("match", "page.txt", "--against", "page.txt", "--unit", "paragraph", "--json", cwd=folder))
    assert [(0, 0), (1, 1)] == [(line["left_paragraph"], line["right_paragraph"]) for line in lines]


def test_the_similarity_is_that_of_the_metric(folder: Path) -> None:
    """With --metric containment, a pair shows by what it reached the threshold, and says so."""
    (folder / "long.txt").write_text(f"{NOTICE} {OTHER}", encoding="utf-8")
    (folder / "short.txt").write_text(NOTICE, encoding="utf-8")
    done = call("match", "long.txt", "--against", "short.txt", "--metric", "containment", cwd=folder)
    assert re.search(
        r"^  1\.000 like short\.txt \(containment\): \d\d\.\d % of its shingles", done.stdout, re.MULTILINE
    )
    done = call("match", "long.txt", "--against", "short.txt", "--threshold", "0.3", cwd=folder)
    assert re.search(r"^  0\.\d\d\d like short\.txt: ", done.stdout, re.MULTILINE)


def test_json_lines(folder: Path) -> None:
    """A line for each pair and each passage, with the columns of the tables; the summary is on stderr."""
    done = call(*NEW, "--against", "old.jsonl", "--json", cwd=folder)
    assert done.returncode == DONE, done.stderr
    pair, passage = records(done)
    assert (pair["kind"], pair["left"], pair["right"], pair["right_in_left"]) == ("pair", 7, "old.jsonl:2", 1.0)
    assert (passage["kind"], passage["left"], passage["words"]) == ("passage", 7, 19)
    assert f"Notice: {NOTICE}"[passage["left_start"] : passage["left_end"]] == NOTICE
    assert NOTICE.upper()[passage["right_start"] : passage["right_end"]] == NOTICE.upper()
    assert "1 pair (1 in words), 1 text matched" in done.stderr


def test_report_and_check(folder: Path) -> None:
    """For people: each text that matches, and where first, by path; with --check a code that says so."""
    done = call(*NEW, "--against", "page.txt", "--against", "old.jsonl", "--check", cwd=folder)
    assert done.returncode == FOUND
    assert done.stdout.startswith(
        "7\n  0.938 like old.jsonl:2: 93.8 % of its shingles are there, 100.0 % of those are here; "
        "they differ in words\n"
    )
    assert "  19 words, line 1, characters 8-108, also in old.jsonl:2 characters 0-100\n" in done.stdout
    assert "8" not in done.stdout.splitlines()
    done = call(
        "match", "page.txt", "--against", "old.jsonl", "--metric", "containment", "--shingle", "words:3", cwd=folder
    )
    assert "1.000 like old.jsonl:1 (containment):" in done.stdout
    assert "1.000 like old.jsonl:2 (containment):" in done.stdout
    few = [*NEW[: NEW.index("--min-words")], "--min-words", "30", *NEW[NEW.index("--min-words") + 2 :]]
    done = call(*few, "--against", "bad.txt", "--against", "old.jsonl", "--threshold", "1", cwd=folder)
    assert (done.returncode, done.stdout) == (REJECTED, "no matches found\n")
    assert "rejected bad.txt: not UTF-8" in done.stderr


def test_a_report_of_another_command(folder: Path, tmp_path: Path) -> None:
    """The folder of a report is named with the command that wrote it, not with an option that only one of them has."""
    names = [str(folder / name) for name in ("page.txt", "old.jsonl")]
    commands = {
        "match": ["match", names[0], "--against", names[1]],
        "find": ["find", *names],
        "repeats": ["repeats", *names],
    }
    for name, command in commands.items():
        assert call(*command, "--output", name, cwd=tmp_path).returncode == DONE
    for name, command in commands.items():
        for there in commands:
            done = call(*command, "--output", there, cwd=tmp_path)
            if there == name:
                assert "already contains the report of this search" in done.stderr
                continue
            assert (done.returncode, done.stdout) == (WRONG, "")
            assert f"found in {there} the report of a `dedup {there}`; choose another name" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["match", "page.txt"], "--against"),
        (["match", "--against", "page.txt"], "NEW"),
        (["match", "missing.txt", "--against", "page.txt"], "NEW: expected readable texts, found none"),
        (["match", "page.txt", "--against", "missing.txt"], "--against: expected readable texts, found none"),
        (["match", "page.txt", "--against", "old.jsonl", "--against-column", "body"], '--against: column "body"'),
        (["match", "page.txt", "--against", "old.jsonl", "--column", "body"], 'NEW: column "body"'),
        (["match", "page.txt", "--against", "old.jsonl", "--threshold", "80"], "threshold"),
        (["match", "page.txt", "--against", "old.jsonl", "--metric", "cosine"], "metric: expected 'jaccard'"),
        (["match", "page.txt", "--against", "old.jsonl", "--min-words", "0"], "--min-words"),
        (["match", "page.txt", "--against", "new.jsonl", "--against-column", "body", "--against-id", "no"], 'id "no"'),
    ],
)
def test_wrong_use(folder: Path, arguments: list[str], message: str) -> None:
    """An exit code of 2, and what was wrong on which side."""
    done = call(*arguments, cwd=folder)
    assert done.returncode == WRONG, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_some_lines_rejected(folder: Path) -> None:
    """What can be read is searched, what cannot is named, and the code says so."""
    done = call("match", "page.txt", "--against", "broken.jsonl", "--min-words", "10", "--check", cwd=folder)
    assert done.returncode == REJECTED
    assert "rejected broken.jsonl:2: no field 'text'" in done.stderr
    assert "19 words, line 2" in done.stdout


def test_compare_marks_what_is_shared(folder: Path) -> None:
    """In brackets without a terminal, or if no colour is wanted; coloured on a terminal."""
    (folder / "a.txt").write_text(f"Before. {NOTICE}", encoding="utf-8")
    (folder / "b.txt").write_text(f"{NOTICE} After.", encoding="utf-8")
    plain = call("compare", "a.txt", "b.txt", cwd=folder)
    bare = NOTICE.removesuffix(".")
    assert f"--- a.txt\n  Before. [[1: {bare}]].\n\n--- b.txt\n  [[1: {bare}]]. After.\n" in plain.stdout
    assert "    1: 19 words, characters 8-107 and 0-99\n" in plain.stdout
    assert "\x1b" not in plain.stdout
    assert call("compare", "a.txt", "b.txt", cwd=folder, FORCE_COLOR="1", NO_COLOR="1").stdout == plain.stdout
    coloured = call("compare", "a.txt", "b.txt", cwd=folder, FORCE_COLOR="1").stdout
    assert "\x1b[" in coloured
    assert "[[" not in coloured


def test_compare_shows_long_texts_in_part(folder: Path) -> None:
    """The surroundings of what is shared; all of it with --full."""
    filler = " ".join(f"w{n}" for n in range(2000))
    (folder / "long.txt").write_text(f"{filler} {NOTICE} {filler}", encoding="utf-8")
    (folder / "short.txt").write_text(NOTICE, encoding="utf-8")
    short = call("compare", "long.txt", "short.txt", cwd=folder).stdout
    whole = call("compare", "long.txt", "short.txt", "--full", cwd=folder).stdout
    assert len(short) < 2000 < len(filler) < len(whole)
    assert "characters ...]" in short
    assert "characters ...]" not in whole
    assert "[[1: The swing bridge" in short


@pytest.mark.parametrize("option", [["--format", "xls"], ["--max-errors", "few"]])
def test_options_of_both_sides_name_none(option: list[str], tmp_path: Path) -> None:
    """What holds for all files is not said of one side."""
    done = call("match", "new.txt", "--against", "old.txt", *option, cwd=tmp_path)
    assert done.returncode == WRONG
    assert "NEW" not in done.stderr
    assert f"{option[0]}: expected" in done.stderr


def test_a_side_whose_input_cannot_be_kept() -> None:
    """The message that names the side keeps the number of the system's error, which decides the exit code."""
    with pytest.raises(StorageError, match="NEW: expected to keep") as caught, naming("NEW"):
        error = StorageError("expected to keep standard input, found: no space")
        error.errno = errno.ENOSPC
        raise error
    assert caught.value.errno == errno.ENOSPC
