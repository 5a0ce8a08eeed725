"""Every command over a matrix of bad inputs, options, outputs and reports: the exit code, and a message that helps.

What is bad ends a command with code 2 (74 where the disk refuses), never with 1, and with one line on stderr that says
what was wanted, what was found, where, and what to do; nothing is written then, neither to stdout nor to a folder. What
is bad in part ends it with 3, and each part is named. It is `tests.test_bad_inputs` for the command line.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from dedup.cli import main
from dedup.index.index import Index
from dedup.report.sealing import read_sealed, write_sealed
from dedup.storage.writer_lock import WRITER_LOCK
from tests import corpora, corpus_files

DONE, FOUND, WRONG, REJECTED, UNWRITABLE = 0, 1, 2, 3, 74

BODY = corpora.body(seed=21, size=4)
RECORDS = [{"text": text, "key": i, "same": 1} for i, text in enumerate([*BODY, BODY[1].upper()])]
NUMBERS = random.Random(1)
MANY = [{"text": " ".join(str(NUMBERS.random()) for _ in range(100))} for _ in range(100)]

SLOTS: dict[str, Callable[[str], list[str]]] = {
    "find": lambda path: ["find", path],
    "repeats": lambda path: ["repeats", path],
    "match NEW": lambda path: ["match", path, "--against", "good.txt"],
    "match --against": lambda path: ["match", "good.txt", "--against", path],
    "estimate": lambda path: ["estimate", path],
    "suggest": lambda path: ["suggest", path],
    "index query": lambda path: ["index", "query", "seen.index", path],
    "clean": lambda path: ["clean", path, "--dry-run"],
    "clean --repeats": lambda path: ["clean", path, "--repeats", "--dry-run"],
}
"""Where a command takes files of texts."""

CHANGING: dict[str, Callable[[str], list[str]]] = {
    "index add": lambda path: ["index", "add", "new", path],
    "index filter-new": lambda path: ["index", "filter-new", "new", path],
}
"""Where a command takes files of texts, and changes the index in the folder `new`."""

COMPARED: dict[str, Callable[[str], list[str]]] = {
    "compare A": lambda path: ["compare", path, "good.txt"],
    "compare B": lambda path: ["compare", "good.txt", path],
}
"""Where a command takes one text."""

GOOD = {
    "find": ["find", "good.jsonl"],
    "repeats": ["repeats", "good.jsonl"],
    "match": ["match", "good.jsonl", "--against", "good.csv"],
    "estimate": ["estimate", "good.jsonl"],
    "suggest": ["suggest", "good.jsonl"],
    "compare": ["compare", "good.txt", "good.jsonl"],
    "apply": ["apply", "report", "--output", "new"],
    "clean": ["clean", "good.jsonl", "--output", "new"],
    "show": ["show", "report", "--html", "page.html"],
    "review": ["review", "report"],
    "index create": ["index", "create", "new"],
    "index add": ["index", "add", "seen.index", "good.jsonl"],
    "index query": ["index", "query", "seen.index", "good.jsonl"],
    "index filter-new": ["index", "filter-new", "seen.index", "good.jsonl"],
    "index remove": ["index", "remove", "seen.index", "good.csv:2"],
    "index merge": ["index", "merge", "seen.index", "other.index"],
    "index check": ["index", "check", "seen.index"],
    "index compact": ["index", "compact", "seen.index"],
    "index stats": ["index", "stats", "seen.index"],
}
"""A call of each command with which nothing is wrong."""

WRITING = {name: arguments for name, arguments in GOOD.items() if name in ("find", "repeats", "match")}
WRITING["apply"] = ["apply", "report"]
"""The commands that write a folder, without its name."""

AS_JSON = ("repeats", "estimate", "suggest")
"""Commands that are also asked for JSON here."""

WANTED = re.compile(
    r"expected|no such column|stream (ends|cannot)|UTF-8|(is|lies in|contains) the (input|report|work directory)"
)
HELP = re.compile(
    r"; (name|choose|write|mend|say|make|give|put|begin|start|search|rename|leave|take|wait|remove|to read|the texts"
    r"|the decision about)|; found ('|none$)"
    r"|expected (0 <|one of|a (whole )?number|bytes, or|a count|'|\"words:n|a path|unique ids|an int or|a pattern"
    r"|the name of an encoding)"
    r"|; did you mean|--help lists"
)
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")


class Bad(NamedTuple):
    """A bad input: its path, what is said of it, and what `compare` says, None if it is a text like any other."""

    path: str
    says: str
    compared: str | None = None


NONE = r"expected readable texts, found none in '{}'"
EMPTY = "expected texts, found none in {}; name files that hold texts"
BLANK = r"expected texts, found nothing but .* {}; name files that hold texts"
HOLDS = r"{}: expected texts, found what may be {}; (give its format with|write its texts? )"
UNREAD = r"found none in '{0}' \(1 file not read: 1 {1} \({0}/x{1}\)\); to read these files, name them"
BYTES = (
    "{}: not UTF-8: byte 0x.. at offset \\d+; (it looks like cp1252; )?give (the encoding of the file with )?encoding="
)
NO_COLUMN = r"column \"text\": no such column in (the first lines of )?{}; found 'body'"
TABLE = r"1 was rejected, the first: {}:1: cannot be read: .*; mend what was rejected"
TWICE = r"column \"text\": expected one column named 'text' in {}, found 2 \(columns 1 and 2\); rename one"


def both(path: str, says: str, *more: str) -> Bad:
    """Give an input of which all commands say the same."""
    says = says.format(re.escape(path), *more)
    return Bad(path, says, says)


def searched(path: str, says: str, *more: str) -> Bad:
    """Give an input that is wrong in a search, and a text for `compare`."""
    return Bad(path, says.format(re.escape(path), *more))


NAMED = {
    "xml": ("XML with the root element <a>", b"<?xml version='1.0'?><a>b</a>"),
    "rtf": ("RTF", b"{\\rtf1 a}"),
    "tag": ("a piece of HTML", b"<div>a</div>"),
    "xml.gz": ("XML with the root element <a>", gzip.compress(b"<?xml version='1.0'?><a>b</a>", mtime=0)),
}

INPUTS = {
    "a missing file": both("missing.txt", NONE + r" \(missing.txt: No such file or directory\); name files"),
    "a missing file of records": both("missing.jsonl.gz", NONE + r" .*No such file or directory\); name files"),
    "a missing folder": both("missing/", NONE + r" .*; name files"),
    "a path inside a file": both("good.txt/inner.txt", NONE + r" .*Not a directory\); name files"),
    "a pattern of nothing": both("no*.txt", NONE + r" \(no\*.txt: no file matches\); name files"),
    "no name": both("", NONE + r" \('': No such file or directory\); name files"),
    "a name that is too long": both("x" * 300, NONE + r" .*File name too long\); name files"),
    "a missing file whose name is not UTF-8": both("gone\udcff.txt", r"found none in 'gone\\xff.txt' .*; name files"),
    "a link to nothing": both("dangling.txt", NONE + r" .*No such file or directory\); name files"),
    "a link to itself": both("loop.txt", NONE + r" .*Too many levels of symbolic links\); name files"),
    "an empty folder": both("empty_folder", NONE + "; name files"),
    "a folder of hidden files": both("hidden", NONE + "; name files"),
    "a pipe in a folder": both("piped", NONE + r" \(piped/p.jsonl: expected a file, found a pipe; it is not read\)"),
    "/dev/null": both("/dev/null", NONE + r" \(/dev/null: expected a file, found a device; it is not read\)"),
    "a folder of two": Bad(
        "two_bad", r"2 were rejected, the first: two_bad/a.txt: not UTF-8", "expected one file, found 2"
    ),
    "an empty text": searched("empty.txt", BLANK),
    "an empty file without a suffix": searched("empty", BLANK),
    "a text of white space": searched("blank.txt", BLANK),
    "an empty .jsonl": searched("empty.jsonl", EMPTY),
    "an empty .csv": searched("empty.csv", EMPTY),
    "an empty .jsonl.gz": searched("empty.jsonl.gz", EMPTY),
    "an empty .parquet": searched("empty.parquet", TABLE),
    "an empty .arrow": searched("empty.arrow", TABLE),
    "a header alone": searched("header.csv", EMPTY),
    "records of white space": searched("blank.jsonl", BLANK),
    "a text that is not UTF-8": both("latin.txt", BYTES),
    "a name that is not UTF-8": both("caf\udce9.txt", BYTES.format(r"caf\\xe9.txt")),
    "carriage returns alone": searched(
        "returns.csv", "{}: expected lines that end with a line feed, .*; write it anew"
    ),
    "a header of 200 KiB": searched("header200.csv", r'column "text": no such column in {}; found \'text,x+$'),
    "no column of the name": searched("body.csv", NO_COLUMN),
    "no field of the name": searched("body.jsonl", NO_COLUMN),
    "no column of the name in .parquet": Bad(
        "body.parquet", NO_COLUMN.format("body.parquet"), "body.parquet: not UTF-8"
    ),
    "two columns of one name": searched("twice.csv", TWICE),
    "two columns of one name in .parquet": Bad("twice.parquet", TWICE.format("twice.parquet"), "not UTF-8"),
    "numbers for texts": Bad("numbers.parquet", r'column "text": expected texts, found int64', "not UTF-8"),
    "nothing but bad lines": searched(
        "all_bad.jsonl", "3 were rejected, the first: {}:1: field 'text': expected a text"
    ),
    "garbage in .parquet": searched("garbage.parquet", TABLE),
    "garbage in .arrow": searched("garbage.arrow", TABLE),
    "garbage in .feather": searched("garbage.feather", TABLE),
    "half a .parquet": Bad("cut.parquet", TABLE.format("cut.parquet"), BYTES.format("cut.parquet")),
    "half an .arrow": Bad("cut.arrow", TABLE.format("cut.arrow"), BYTES.format("cut.arrow")),
    **{
        f"garbage in .{suffix}": both(f"garbage.jsonl.{suffix}", "{}.*the [a-z0-9]+ stream cannot be read on")
        for suffix in ("gz", "zst", "bz2", "xz")
    },
    **{
        f"the beginning of .{suffix}": both(f"begun.jsonl.{suffix}", "{}.*the [a-z0-9]+ stream ends too early")
        for suffix in ("gz", "zst", "bz2", "xz")
    },
    **{f".{suffix} by name": searched(f"named.{suffix}", HOLDS, what) for suffix, (what, _) in NAMED.items()},
    **{f".{suffix} in a folder": both(f"in_{suffix}", UNREAD, f".{suffix}") for suffix in [*NAMED, "docx"]},
    "a JSON object over lines": searched("object.json", r'column "text": no such column in the first records of {}'),
    "a JSON array of numbers": searched("numbers.json", "{}:1: expected a JSON object, found int"),
    "text in .json": searched("words.json", "{}: expected a JSON array or JSON objects, found 's' at offset 0"),
}

PARTLY = {
    "bad lines": Bad("bad.jsonl", "rejected bad.jsonl:6: field 'text': expected a text, found int"),
    "a bad file among others": Bad(
        "mixed", "rejected mixed/bad.txt: not UTF-8: byte 0xe9", "expected one file, found 2"
    ),
    "a pipe among others": Bad("pipe_too", "rejected pipe_too/p.jsonl: expected a file, found a pipe; it is not read"),
    "half a .gz": both("cut.jsonl.gz", "cut.jsonl.gz.*: the gzip stream ends too early"),
    "half an .xz": both("cut.jsonl.xz", "cut.jsonl.xz.*: the xz stream ends too early"),
    "half a .zst": both("cut.csv.zst", "cut.csv.zst.*: the zstd stream ends too early"),
    "half a .txt.gz": both("cut.txt.gz", "cut.txt.gz: the gzip stream ends too early"),
    "a row of other cells": Bad("cells.csv", "rejected cells.csv:7: .*"),
}
"""What can be read in part."""


def write_inputs(where: Path) -> None:
    """Write the good files, the bad ones, and what is bad in part."""

    def put(name: str, data: bytes | str = b"") -> None:
        path = where / os.fsdecode(os.fsencode(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    lines, many = corpus_files.as_lines(RECORDS), corpus_files.as_lines(MANY)
    table, arrow = corpus_files.as_parquet(RECORDS), corpus_files.as_arrow(RECORDS)
    put("good.txt", "\n\n".join(BODY))
    put("good.jsonl", lines)
    put("good.csv", corpus_files.as_csv(RECORDS))
    put("good.parquet", table)
    put("good.arrow", arrow)
    for name in ("empty.txt", "empty", "empty.jsonl", "empty.csv", "empty.jsonl.gz", "empty.parquet", "empty.arrow"):
        put(name)
    put("blank.txt", " \n\n")
    put("blank.jsonl", '{"text": " "}\n{"text": ""}\n')
    put("header.csv", "text,key\n")
    for name in ("latin.txt", "caf\udce9.txt", "mixed/bad.txt", "two_bad/a.txt", "two_bad/b.txt"):
        put(name, b"caf\xe9 au lait")
    put("mixed/good.txt", BODY[0])
    put("hidden/.a.txt", BODY[0])
    put("returns.csv", "text,key\ra b c,1\rd e f,2\r")
    put("header200.csv", '"text,' + "x" * (200 << 10) + "\na b c,1\n")
    put("body.csv", "body,key\na b,1\n")
    put("body.jsonl", '{"body": "a b"}\n{"body": "c d"}\n')
    put("body.parquet", corpus_files.as_parquet([{"body": "a b"}]))
    put("twice.csv", "text,text\na b c,d e f\n")
    pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), where / "twice.parquet")
    pq.write_table(pa.table({"text": [1, 2]}), where / "numbers.parquet")
    put("all_bad.jsonl", '{"text": 5}\n{not json\n[1]\n')
    for suffix in ("parquet", "arrow", "feather"):
        put(f"garbage.{suffix}", b"garbage here" * 9)
    put("cut.parquet", table[: len(table) // 2])
    put("cut.arrow", arrow[: len(arrow) // 2])
    for suffix in (".gz", ".zst", ".bz2", ".xz"):
        packed = corpus_files.PACKERS[suffix](many)
        put(f"garbage.jsonl{suffix}", b"no such thing at all")
        put(f"begun.jsonl{suffix}", packed[:12])
        put(f"cut.jsonl{suffix}", packed[: len(packed) // 2])
        put(f"cut.txt{suffix}", packed[: len(packed) // 2])
    texts = b"text,key\n" + b"".join(
        f"{text} {i},{i}\n".encode() for i, text in enumerate([BODY[0].replace(",", "")] * 2000)
    )
    packed = b"".join(corpus_files.PACKERS[".zst"](texts[at : at + 40_000]) for at in range(0, len(texts), 40_000))
    put("cut.csv.zst", packed[: len(packed) * 3 // 4])
    for suffix, (_, data) in NAMED.items():
        put(f"named.{suffix}", data)
        put(f"in_{suffix}/x.{suffix}", data)
    put("in_docx/x.docx", "# A title\n")
    put("object.json", '{\n "body": "a b c"\n}\n')
    put("numbers.json", "[1, 2]")
    put("words.json", "some words")
    put("bad.jsonl", lines + b'{"text": 5, "key": 7}\n{not json\n')
    put("cells.csv", corpus_files.as_csv(RECORDS) + b"one,two,three,four,five\n")
    (where / "dangling.txt").symlink_to("nowhere")
    (where / "loop.txt").symlink_to("loop.txt")
    (where / "empty_folder").mkdir()
    for name in ("piped", "pipe_too"):
        (where / name).mkdir()
        os.mkfifo(where / name / "p.jsonl")
    put("pipe_too/good.txt", BODY[0])
    put("ids.jsonl", '{"text": "a b", "id": 1}\n{"text": "c d", "id": 1}\n{"text": "e f", "id": null}\n')
    put("null.csv", "text,id\na b,\nc d,\n")
    put("empty_key")
    put("short_key", b"short\n")
    put("full/other.txt", "years of work")
    (where / "link_full").symlink_to("full")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write all inputs, and a report of each kind."""
    where = tmp_path_factory.mktemp("bad")
    write_inputs(where)
    before = Path.cwd()
    os.chdir(where)
    try:
        Path("corpus").mkdir()
        shutil.copy("good.jsonl", "corpus/good.jsonl")
        for arguments in (
            ["find", "corpus", "--output", "report"],
            ["match", "corpus", "--against", "good.txt", "--output", "of_match"],
            ["repeats", "corpus", "--output", "of_repeats"],
            ["index", "create", "seen.index"],
            ["index", "add", "seen.index", "good.csv"],
            ["index", "create", "other.index"],
            ["index", "create", "low.index", "--threshold", "0.5"],
            ["index", "add", "low.index", "good.parquet"],
        ):
            assert DONE == call(arguments).exit_code
    finally:
        os.chdir(before)
    return where


@pytest.fixture
def place(written: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Go to the folder of the inputs; nothing may have changed there in the end."""
    monkeypatch.chdir(written)
    monkeypatch.delenv("DEDUP_HASH_KEY", raising=False)
    before = tree(written)
    yield written
    shutil.rmtree(written / "new", ignore_errors=True)
    assert before == tree(written)


def tree(where: Path) -> list[tuple[str, int, int]]:
    """List all files and folders below a folder, with their sizes and times."""
    found = []
    for folder, folders, files in os.walk(where):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            if name == WRITER_LOCK:  # it names the last writer
                continue
            status = os.lstat(path)
            found.append((path, status.st_size, 0 if name in folders else status.st_mtime_ns))
    return sorted(found)


def call(arguments: list[str], **more: Any) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments, prog_name="dedup", **more)


def said(arguments: list[str], says: str, *, code: int = WRONG, **more: Any) -> str:
    """Run a command that must fail; give its message, once that has been looked at."""
    done = call(arguments, **more)
    assert code == done.exit_code, (done.exit_code, done.stderr)
    assert isinstance(done.exception, SystemExit), done.exception
    assert "" == done.stdout
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert lines, "nothing was said"
    assert not [line for line in lines if STEERING.search(line)]
    assert [] == [line for line in lines if line and not line.startswith("dedup: ")]
    message = lines[-1]
    assert len(message.split()) > 3, message
    assert len(message) < 1100, message
    assert WANTED.search(message), message
    assert HELP.search(message), message
    assert re.search(says, message), message
    assert not re.search(r"bug in dedup|Error:? ?\(|object at 0x|NoneType|PosixPath", message), message
    return message


# ------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("kind", INPUTS)
def test_bad_inputs(kind: str, slot: str, place: Path) -> None:
    """A search of what cannot be read, or holds no texts: with and without a report, and as JSON."""
    bad = INPUTS[kind]
    arguments = SLOTS[slot](bad.path)
    message = said(arguments, bad.says)
    if slot.startswith("match"):
        assert message.startswith(f"dedup: {slot.removeprefix('match ')}: ")
    if arguments[0] in AS_JSON:
        said([*arguments, "--json"], bad.says)
    if arguments[0] in WRITING:
        said([*arguments, "--check", "--output", "new"], bad.says)
    assert not (place / "new").exists()


@pytest.mark.parametrize("slot", COMPARED)
@pytest.mark.parametrize("kind", INPUTS)
def test_bad_texts_to_compare(kind: str, slot: str, place: Path) -> None:
    """`compare` takes a file as one text, whatever its name, if that is UTF-8."""
    bad = INPUTS[kind]
    if bad.compared is not None:
        said(COMPARED[slot](bad.path), bad.compared)
        return
    done = call([*COMPARED[slot](bad.path), "--json"])
    assert (DONE, "") == (done.exit_code, done.stderr)
    assert 0 == json.loads(done.stdout)["jaccard"]


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("kind", PARTLY)
def test_inputs_that_are_bad_in_part(kind: str, slot: str, place: Path) -> None:
    """What can be read is searched, what cannot is named, and the code is 3, whatever was found; or all stops there."""
    bad = PARTLY[kind]
    arguments = SLOTS[slot](bad.path)
    written = ["--check", "--output", "new"] if arguments[0] in WRITING else []
    done = call([*arguments, *written])
    assert REJECTED == done.exit_code, done.stderr
    assert re.search(f"^dedup: rejected .*{bad.says.removeprefix('rejected ')}", done.stderr, re.MULTILINE), done.stderr
    assert "Traceback" not in done.stderr
    assert (place / "new").exists() == (arguments[0] in WRITING)
    shutil.rmtree(place / "new", ignore_errors=True)
    said([*arguments, "--on-error", "fail", *written], bad.says.removeprefix("rejected "))
    said([*arguments, "--max-errors", "0", *written], "--max-errors: expected at most 0 rejected")


@pytest.mark.parametrize("slot", COMPARED)
@pytest.mark.parametrize("kind", PARTLY)
def test_texts_to_compare_that_are_bad_in_part(kind: str, slot: str, place: Path) -> None:
    """Half a text is none to compare."""
    bad = PARTLY[kind]
    if bad.compared is not None:
        message = said(COMPARED[slot](bad.path), bad.compared)
        assert "was read" not in message
    else:
        assert DONE == call(COMPARED[slot](bad.path)).exit_code


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("file", ["good.jsonl", "good.csv", "good.parquet", "good.arrow", "good.txt"])
@pytest.mark.parametrize("column", ['a"b', "", "no column", "a\nb\x1b[1m", "TEXT"])
def test_unknown_columns(column: str, file: str, slot: str, place: Path) -> None:
    """A column that is nowhere is named as it was given, with those that are there."""
    option = "--against-column" if slot == "match --against" else "--column"
    plain = "expected files with columns, found plain text" if file == "good.txt" else f"no such column in .*{file}"
    shown = {'a"b': r'a\\"b', "a\nb\x1b[1m": r"a\\nb\\u001b\[1m"}.get(column, column)
    arguments = SLOTS[slot](file)
    if slot == "match NEW":
        arguments = ["match", file, "--against", "good.jsonl", "--against-column", "text"]
    said([*arguments, option, column], f'column "{shown}": {plain}')


@pytest.mark.parametrize("slot", CHANGING)
@pytest.mark.parametrize("kind", [*INPUTS, *PARTLY])
def test_bad_inputs_of_an_index(kind: str, slot: str, place: Path) -> None:
    """Nothing of what cannot be read gets into an index, and all of what can be; what cannot is named."""
    bad = INPUTS.get(kind) or PARTLY[kind]
    arguments = CHANGING[slot](bad.path)
    for more in ([], ["--json"]):
        assert DONE == call(["index", "create", "new"]).exit_code
        if kind in INPUTS and bad.says.startswith(EMPTY.partition(" {}")[0]):  # a batch without a record
            assert DONE == call([*arguments, *more]).exit_code
            assert 0 == len(Index.open("new"))
        elif kind in INPUTS:
            said([*arguments, *more], bad.says)
            assert 0 == len(Index.open("new"))
        else:
            done = call([*arguments, *more])
            assert REJECTED == done.exit_code, done.stderr
            assert re.search(f"^dedup: rejected .*{bad.says.removeprefix('rejected ')}", done.stderr, re.MULTILINE)
            assert 0 < len(Index.open("new"))
        shutil.rmtree("new")


@pytest.mark.parametrize("command", ["find", "repeats", "match"])
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("ids.jsonl", 'id "id": expected .*ids.jsonl'),
        ("good.jsonl", 'id "id": no such column in the first lines of good.jsonl; found'),
        ("good.parquet", 'id "id": no such column in good.parquet; found'),
    ],
)
def test_bad_ids(file: str, says: str, command: str, place: Path) -> None:
    """Ids are ints or texts, each once."""
    more = ["--against", "good.csv"] if command == "match" else []
    said([command, file, *more, "--id", "id", "--output", "new"], says)


@pytest.mark.parametrize("command", ["find", "repeats", "match"])
def test_ids_that_occur_twice(command: str, place: Path) -> None:
    """Both places are named."""
    more = ["--against", "good.csv"] if command == "match" else []
    said([command, "good.jsonl", *more, "--id", "same"], 'id "same": expected unique ids, found 1 at good.jsonl:1')


# ------------------------------------------------------------------------------------------------------ options

NO_NUMBER = "{}: expected a (whole )?number, found '"
SHINGLE = r'shingle: expected "words:n" or "chars:n" with n from 1 to 1000, such as "words:5", found'
MEMORY = r'memory: expected bytes, or a text such as "4GB" or "500MB", found'
KEEP = "keep: expected one of 'first', 'last', 'longest', 'shortest', 'none', 'max:COLUMN', 'min:COLUMN'"
FORMAT = "format: expected one of 'jsonl', 'ndjson', 'json', 'csv', 'tsv', 'tab', 'txt', 'md', 'markdown', 'html'"
HUGE = str(1 << 63)

OPTIONS: dict[str, list[tuple[str, str]]] = {
    "--threshold": [
        *((value, "threshold: expected 0 < threshold <= 1, found ") for value in ("0", "-0.5", "1.5", "nan", "inf")),
        ("80", r"threshold: .*found 80.0 \(did you mean 0.8\?\)"),
        ("text", NO_NUMBER.format("--threshold")),
        ("", NO_NUMBER.format("--threshold")),
    ],
    "--passage-threshold": [
        *((value, "--passage-threshold: expected 0 < threshold <= 1, found ") for value in ("0", "1.5", "nan")),
        ("text", NO_NUMBER.format("--passage-threshold")),
    ],
    "--shingle": [(value, SHINGLE) for value in ("words:0", "chars:-1", "foo", "words:", "words:1e9", "chars:1.5", "")],
    "--clusters": [("0", "clusters: expected a whole number from 1 on"), ("x", NO_NUMBER.format("--clusters"))],
    "--megabytes": [("0", "megabytes: expected a number above 0"), ("x", NO_NUMBER.format("--megabytes"))],
    "--port": [
        *((value, "port: expected a whole number from 0 to 65535") for value in ("-1", "65536")),
        ("http", NO_NUMBER.format("--port")),
    ],
    "--threads": [
        ("0", "threads: expected a whole number from 1 on"),
        ("-1", "threads: expected a whole number from 1 on"),
        (HUGE, "threads: expected a whole number from 1 to 4096"),
        ("x", NO_NUMBER.format("--threads")),
        ("1.5", NO_NUMBER.format("--threads")),
    ],
    "--memory": [
        *((value, MEMORY) for value in ("0", "-1", "1XB", "", "lots", "1e3")),
        ("4", "memory: expected about .* or more .*, found 4 bytes; give more"),
    ],
    "--unit": [
        (value, "--unit: expected 'document', 'paragraph' or 'line', found '") for value in ("bogus", "", "Line")
    ],
    "--method": [(value, "--method: expected ('auto', |)'exact' or 'lsh', found") for value in ("bogus", "")],
    "--metric": [
        (value, "--metric: expected 'jaccard'(,| or) 'containment'(| or 'edit'), found") for value in ("bogus", "")
    ],
    "--recall": [
        *((value, "recall: expected 0 < recall < 1, found") for value in ("0", "1", "1.5", "nan", "-1")),
        ("x", NO_NUMBER.format("--recall")),
    ],
    "--keep": [
        *((value, KEEP) for value in ("max:", "min:", "bogus", "", "max", "First")),
        ("max:nocolumn", "keep: \"nocolumn\": no such column in the first lines of good.jsonl; found 'text', 'key'"),
    ],
    "--limit": [
        *((value, "--limit: expected a whole number from 1 on, found") for value in ("0", "-1")),
        ("x", NO_NUMBER.format("--limit")),
    ],
    "--passages": [
        ("0", "passages: expected a whole number from 1"),
        ("-1", "passages: expected a whole number from 1"),
        ("many", NO_NUMBER.format("--passages")),
    ],
    "--store": [(value, "store: expected 'hashes' or 'text', found") for value in ("bogus", "")],
    "--order": [(value, "--order: expected 'best' or 'first', found") for value in ("bogus", "")],
    "--ids-from": [
        ("missing.txt", "--ids-from: expected a file of ids, found 'missing.txt': No such file.*; name another"),
        ("empty_folder", "--ids-from: expected a file of ids, found 'empty_folder': Is a directory"),
        ("latin.txt", "--ids-from: expected ids in UTF-8, found other bytes in 'latin.txt'; write"),
        ("", "--ids-from: expected a file of ids, found ''"),
    ],
    "--seed": [("-1", "seed: expected a whole number from 0 to"), ("x", NO_NUMBER.format("--seed"))],
    **{
        f"--{option}": [
            (
                "nocolumn",
                f"{option}: \"nocolumn\": no such column in the first lines of good.jsonl; found 'text', 'key'",
            ),
            ("", f'{option}: "": no such column in the first lines of good.jsonl'),
        ]
        for option in ("within", "across")
    },
    "--min-documents": [
        *((value, "--min-documents: expected a whole number from 1 on, found") for value in ("0", "-1")),
        ("x", NO_NUMBER.format("--min-documents")),
    ],
    "--distinct": [
        (value, "--distinct: expected 'numbers' or 'symbols', found")
        for value in ("words", "", "numbers,symbols", "Numbers")
    ],
    "--ignore": [
        (value, "--ignore: expected 'accents', 'markup', 'hyphenation' or 'numbers', found")
        for value in ("words", "", "accents,markup", "Accents")
    ],
    "--tokens": [(value, "--tokens: expected 'words' or 'all', found") for value in ("bogus", "", "All")],
    "--pairs": [(value, "--pairs: expected 'auto' or 'all', found") for value in ("bogus", "")],
    "--min-words": [
        *((value, "--min-words: expected a whole number from 1 on") for value in ("0", "-1")),
        (HUGE, f"--min-words: expected a whole number from 1 to .*, found {HUGE}"),
        ("x", NO_NUMBER.format("--min-words")),
    ],
    "--max-errors": [
        (value, "--max-errors: expected a count from 0 on or a share") for value in ("-1", "many", "", "101%")
    ],
    "--on-error": [(value, "--on-error: expected 'quarantine', 'skip' or 'fail', found") for value in ("bogus", "")],
    "--format": [(value, FORMAT) for value in ("xml", "", "jsonlines", "jsonl.rar")],
    "--encoding": [(value, 'encoding: expected the name of an encoding such as "utf-8"') for value in ("nonsense", "")],
    "--include": [(value, 'include: expected a pattern such as "\\*.md"') for value in ("", "/")],
    "--exclude": [(value, 'exclude: expected a pattern such as "\\*.md"') for value in ("", "/")],
    "--files-from": [
        (value, "--files-from: expected a file of names, found .*; name a file")
        for value in ("gone", "", "empty_folder")
    ],
    "--delimiter": [
        ("-", "--delimiter: expected a comma, tab, semicolon or bar, or one of these words, found"),
        ("", "--delimiter: expected a comma, tab, semicolon or bar, or one of these words, found"),
    ],
    "--column": [("nocolumn", 'column "nocolumn": no such column in')],
    "--id": [(value, f'id "{value}": no such column in') for value in ("nocolumn", "")],
    "--against-column": [(value, f'column "{value}": no such column in good.csv') for value in ("nocolumn", "")],
    "--against-id": [(value, f'id "{value}": no such column in good.csv') for value in ("nocolumn", "")],
    "--hash-key-file": [
        ("missing_key", "--hash-key-file: expected a file with the key, found 'missing_key': No such file"),
        ("empty_folder", "--hash-key-file: expected a file with the key, found 'empty_folder': Is a directory"),
        ("", "--hash-key-file: expected a file with the key, found ''"),
        ("empty_key", "--hash-key-file: expected at least 16 bytes in 'empty_key', found 0; write"),
        ("short_key", "--hash-key-file: expected at least 16 bytes in 'short_key', found 5; write"),
    ],
}
ELSEWHERE = {"--output", "--work-dir", "--against", "--html", "--overrides", "--report"}
"""Options that have their own tests below."""


def commands() -> dict[str, click.Command]:
    """Give all commands; those of a group are named with the group."""
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {each}".strip(): one for each, one in inner.items()}
    return found


def options_of(command: str) -> set[str]:
    """Give the options of a command that take a value, without those that it only refuses."""
    options = commands()[command].params
    known = (each for each in options if isinstance(each, click.Option) and not each.is_flag)
    return {each.opts[0] for each in known if not each.hidden}


CASES = [
    pytest.param(command, option, value, says, id=f"{command} {option} {value!r}")
    for command in GOOD
    for option, values in OPTIONS.items()
    for value, says in values
    if option in options_of(command)
]


def test_the_matrix_is_whole() -> None:
    """Every command has its row, and every option that takes a value its column."""
    assert set(commands()) == {*GOOD, "warmup", "completion", "man"}  # which take no texts
    assert "SHELL: expected 'bash', 'zsh' or 'fish', found 'sh'" in call(["completion", "sh"]).stderr
    assert "expected no more arguments of dedup warmup, found 'now'" in call(["warmup", "now"]).stderr
    for command in commands():
        assert options_of(command) <= {*OPTIONS, *ELSEWHERE}
    assert len(CASES) + len(INPUTS) * 7 > 300


@pytest.mark.parametrize(("command", "option", "value", "says"), CASES)
def test_bad_options(command: str, option: str, value: str, says: str, place: Path) -> None:
    """Each option of each command refuses what means nothing, and says what it takes; nothing is written."""
    more = ["--repeats"] if (command, option) == ("clean", "--min-words") else []
    said([*GOOD[command], *more, option, value], says)
    if command in ("find", "repeats", "match"):
        said([*GOOD[command], "--output", "new", "--check", option, value], says)
    assert not (place / "new").exists()


@pytest.mark.parametrize("command", GOOD)
@pytest.mark.parametrize("option", ["--seed=-1", f"--seed={HUGE}", "--no-such", "--threshhold=0.8", "-x"])
def test_options_that_are_none(option: str, command: str, place: Path) -> None:
    """An option that no command has is named."""
    name, _, value = option.partition("=")
    if name in options_of(command):
        said([*GOOD[command], option], f"seed: expected a whole number from 0 to 4294967295, found {value}")
        return
    said([*GOOD[command], option], f"{name}: expected an option of dedup {command}, found none of this name; ")


@pytest.mark.parametrize("command", GOOD)
def test_options_without_a_value(command: str, place: Path) -> None:
    """The option is named."""
    for option in sorted(options_of(command)):
        said([*GOOD[command], option], f"{option}: expected a value, found none; give one")


@pytest.mark.parametrize("command", GOOD)
def test_commands_without_arguments(command: str, place: Path) -> None:
    """What is missing is named."""
    said(
        command.split(),
        r"(\.\.\.|[A-Z]): expected a name, found none; write dedup|--[a-z]+: expected it to be given, found none; give",
    )


@pytest.mark.parametrize("command", [name for name in GOOD if name not in ("apply", "show", "review")])
def test_a_key_that_is_too_short(command: str, place: Path) -> None:
    """The variable is named, the key is not shown."""
    message = said(
        GOOD[command], "DEDUP_HASH_KEY: expected at least 16 bytes, found 7", env={"DEDUP_HASH_KEY": "secret!"}
    )
    assert "secret!" not in message


@pytest.mark.parametrize("option", ["within", "across"])
def test_a_match_has_no_labels(option: str, place: Path) -> None:
    """It is said what to do instead."""
    said([*GOOD["match"], f"--{option}", "key"], f"--{option}: expected no column in a match, found 'key'; search")


@pytest.mark.parametrize("command", ["repeats", "match"])
def test_more_words_than_any_text_has(command: str, place: Path) -> None:
    """Nothing is so long, so nothing is found, and no room is taken for it."""
    for words in (1 << 31, 10**12, (1 << 63) - 1):
        done = call([*GOOD[command], "--min-words", str(words), "--json"])
        assert DONE == done.exit_code, done.stderr
        assert "passage" not in done.stdout
        assert command == "match" or not done.stdout


# ------------------------------------------------------------------------------------------------------ outputs

OUTPUTS: dict[str, tuple[str, str]] = {
    "a file": ("empty.txt", "output: expected a folder, found the file .*empty.txt; choose another name"),
    "inside a file": ("empty.txt/new", "output: expected a folder, found the file .*empty.txt; choose another name"),
    "a folder with files": ("full", "output: expected a new or an empty folder, found files in .*full; choose"),
    "a link to a folder with files": ("link_full", "output: expected a new or an empty folder, found files in .*full"),
    "a device": ("/dev/null", "output: expected a folder, found the file /dev/null; choose another name"),
    "no name": ("", "output: expected a path .*, found str ''"),
    "a name that is too long": (
        "x" * 300,
        "output: expected the name of a folder, found 'x+: File name too long; choose",
    ),
    "the folder of all inputs": (".", "output: . contains the (input|report)"),
    "the root": ("/", "output: / contains the (input|report)"),
    "an input": ("good.jsonl", "output: .*good.jsonl.*; choose another (folder|name)"),
    "inside an input": ("good.jsonl/new", "output: .*good.jsonl.*; choose (a folder outside of it|another name)"),
    "a link to itself": ("loop.txt", "output: expected the name of a folder, found 'loop.txt': Too many levels"),
    "a report of another search": ("of_match", "output: expected a new or an empty folder.* found .*of_match"),
    "another report": ("of_repeats", "output: expected a new or an empty folder.* found .*of_repeats"),
    "the report itself": ("report", "output: (expected a new or an empty folder|report is the report report)"),
}


@pytest.mark.parametrize("command", [*WRITING, "index filter-new"])
@pytest.mark.parametrize("kind", OUTPUTS)
def test_bad_outputs(kind: str, command: str, place: Path) -> None:
    """A folder that cannot be written, or must not be, is refused before anything is searched."""
    output, says = OUTPUTS[kind]
    arguments = WRITING.get(command) or GOOD[command]
    said([*arguments, "--output", output], says)
    more = {"apply": ["--annotate"], "index filter-new": []}.get(command, ["--check"])
    said([*arguments, "--output", output, *more, "--json"], says)


@pytest.mark.parametrize("command", WRITING)
def test_a_disk_that_refuses(command: str, place: Path) -> None:
    """Code 74, and the folder is named."""
    if not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    says = "expected to write /proc/new, found: .*; choose a place that can be written to"
    said([*WRITING[command], "--output", "/proc/new"], says, code=UNWRITABLE)


def test_outputs_that_are_only_odd(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in a missing one is made, and the folder that one is in, if it is empty, is taken."""
    for name, arguments in WRITING.items():
        done = call([*arguments, "--output", "new/deep/er"])
        assert DONE == done.exit_code, done.stderr
        shutil.rmtree("new")
        here = tmp_path / name
        here.mkdir()
        monkeypatch.chdir(here)
        files = [str(place / each) if (place / each).exists() else each for each in arguments[1:]]
        done = call([arguments[0], *files, "--output", "."])
        assert DONE == done.exit_code, done.stderr
        monkeypatch.chdir(place)
        assert len(list(here.iterdir())) > 0


WORK = {
    "a file": ("empty.txt", "--work-dir: expected a folder, found the file .*empty.txt; choose another name"),
    "inside a file": (
        "empty.txt/new",
        "--work-dir: expected a folder, found the file .*empty.txt; choose another name",
    ),
    "a folder with files": ("full", "expected an empty folder or a work directory of dedup at full, found 'other.txt'"),
    "a report": ("report", "expected an empty folder or a work directory of dedup at report, found .*; name a folder"),
    "an input": ("good.jsonl", "--work-dir: good.jsonl is the input good.jsonl; choose another name"),
    "inside an input": ("good.jsonl/new", "--work-dir: good.jsonl/new lies in the input good.jsonl; choose a folder"),
    "the folder of all inputs": (".", "--work-dir: . contains the input good.jsonl; choose a folder outside of it"),
    "a device": ("/dev/null", "--work-dir: expected a folder, found the file /dev/null; choose another name"),
    "no name": ("", "--work-dir: expected a path .*, found str ''"),
    "a name that is too long": ("x" * 300, "--work-dir: expected the name of a folder, found 'x+: File name too long"),
}


@pytest.mark.parametrize("more", [[], ["--output", "new"], ["--fresh"], ["--memory", "200MB", "--check"]], ids=" ".join)
@pytest.mark.parametrize("kind", WORK)
def test_bad_work_directories(kind: str, more: list[str], place: Path) -> None:
    """Nothing of the user's is taken for a work directory, or removed."""
    work, says = WORK[kind]
    said(["find", "good.jsonl", "--work-dir", work, *more], says)


def test_outputs_and_work_directories(place: Path) -> None:
    """Neither lies in the other."""
    for output, work, says in (
        ("new", "new", "output: new is the work directory new; choose another name"),
        ("new/report", "new", "output: new/report lies in the work directory new; choose a folder outside of it"),
        ("new", "new/work", "output: new contains the work directory new/work; choose a folder outside of it"),
    ):
        said(["find", "good.jsonl", "--output", output, "--work-dir", work], says)


# ------------------------------------------------------------------------------------------------------ reports


def resealed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Give what changes a report and seals it anew, as another program could."""

    def mend(folder: Path) -> None:
        body = read_sealed(folder / "report.json")
        change(body)
        write_sealed(folder / "report.json", body)

    return mend


def write(name: str, data: bytes) -> Callable[[Path], None]:
    """Give what writes other bytes into a file of a report."""
    return lambda folder: (folder / name).write_bytes(data) and None


def remove(name: str) -> Callable[[Path], None]:
    """Give what removes a file of a report."""
    return lambda folder: (folder / name).unlink()


def flipped(folder: Path) -> None:
    """Change one bit of a table."""
    path = folder / "decisions.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def a_folder(folder: Path) -> None:
    """Put a folder where a file was."""
    (folder / "report.json").unlink()
    (folder / "report.json").mkdir()


OTHER = "damaged/report.json: expected what dedup wrote there, found something else; make the report again"
NO_PART = "damaged/{}: expected a part of a? ?(the )?report, found none.*; (name the folder|make the report again)"
FIELDS = "damaged: expected a report, found one with other fields .*; make the report again"

DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no report.json": (remove("report.json"), NO_PART.format("report.json")),
    "an empty report.json": (write("report.json", b""), OTHER),
    "another report.json": (write("report.json", b"{}"), OTHER),
    "a list": (write("report.json", b"[]"), OTHER),
    "no JSON": (write("report.json", b"\xff\xfe\0"), OTHER),
    "a folder": (a_folder, NO_PART.format("report.json")),
    "no run.json": (remove("run.json"), NO_PART.format("run.json")),
    "another run.json": (write("run.json", b"[]"), OTHER.replace("report.json", "run.json", 1)),
    "no table": (remove("decisions.parquet"), NO_PART.format("decisions.parquet")),
    "half a table": (write("decisions.parquet", b"PAR1"), "damaged/decisions.parquet: expected bytes .*, found 4"),
    "another bit": (flipped, "damaged/decisions.parquet: expected xxh3_128 .*; make the report again"),
    "another summary": (write("summary.json", b"{}"), "damaged/summary.json: expected bytes .*; make the report again"),
    "another version": (
        resealed(lambda body: body.update(version=99)),
        "damaged: expected a 'dedup report' of version",
    ),
    "another format": (resealed(lambda body: body.update(format="x")), "damaged: expected a 'dedup report' of version"),
    "another kind": (resealed(lambda body: body.update(kind="x")), FIELDS),
    "no kind": (resealed(lambda body: body.pop("kind")), FIELDS),
    "no inputs": (resealed(lambda body: body.pop("inputs")), FIELDS),
    "a number for inputs": (resealed(lambda body: body.update(inputs=5)), FIELDS),
    "an empty list of inputs": (resealed(lambda body: body.update(inputs=[])), FIELDS),
    "inputs of no side": (resealed(lambda body: body["inputs"][0].update(side="x")), FIELDS),
    "an unknown format": (resealed(lambda body: body["inputs"][0].update(format="x")), FIELDS),
    "an unknown compression": (resealed(lambda body: body["inputs"][0].update(compression="x")), FIELDS),
    "a size that is none": (resealed(lambda body: body["inputs"][0].update(size="x")), FIELDS),
    "a path that is none": (resealed(lambda body: body["inputs"][0].update(path=5)), FIELDS),
    "no options": (resealed(lambda body: body.pop("options")), FIELDS),
    "options that are none": (resealed(lambda body: body.update(options=None)), FIELDS),
    "no files": (resealed(lambda body: body.update(files=[])), FIELDS),
    "one file less": (resealed(lambda body: body["files"].pop(1)), FIELDS),
    "the files of others": (
        resealed(lambda body: body.update(files=[{"name": "../good.jsonl"}])),
        "damaged: expected the names of its own files in the report, found '../good.jsonl'",
    ),
}


@pytest.mark.parametrize("more", [[], ["--annotate", "--json"]], ids=["kept", "annotated"])
@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_reports(kind: str, more: list[str], place: Path) -> None:
    """Nothing is applied of a report that is not as it was written."""
    damage, says = DAMAGES[kind]
    shutil.copytree("report", "damaged")
    try:
        damage(Path("damaged"))
        said(["apply", "damaged", "--output", "new", *more], says)
    finally:
        shutil.rmtree("damaged")


@pytest.mark.parametrize("more", [[], ["--annotate"], ["--overwrite", "--json"]], ids=["kept", "annotated", "anew"])
@pytest.mark.parametrize(
    ("report", "says"),
    [
        (
            "good.jsonl",
            "good.jsonl/report.json: expected a part of a report, found none: Not a directory; name the folder",
        ),
        (
            "missing",
            "missing/report.json: expected a part of a report, found none: No such file or directory; name the",
        ),
        ("empty_folder", "empty_folder/report.json: expected a part of a report, found none: .*; name the folder"),
        ("corpus", "corpus/report.json: expected a part of a report, found none: .*; name the folder"),
        (
            "/dev/null",
            "/dev/null/report.json: expected a part of a report, found none: Not a directory; name the folder",
        ),
        ("", "report: expected a path .*, found str ''"),
        ("x" * 300, "report.json: expected a part of a report, found none: File name too long; name the folder"),
    ],
    ids=["a file", "missing", "an empty folder", "a corpus", "a device", "no name", "long"],
)
def test_reports_that_are_none(report: str, says: str, more: list[str], place: Path) -> None:
    """A folder that is not a report, or a report that cannot be applied, is named."""
    said(["apply", report, "--output", "new", *more], says)


def test_options_of_apply(place: Path) -> None:
    """Neither an output of others nor reports of paragraphs can be worked on."""
    said(
        ["apply", "report", "--output", "full", "--overwrite"],
        "output: expected a folder of an earlier apply .*; choose",
    )
    assert DONE == call(["find", "corpus", "--unit", "paragraph", "--output", "new"]).exit_code
    try:
        said(
            ["apply", "new", "--output", "newer", "--annotate"],
            "annotate: expected a report of documents, found .*para",
        )
    finally:
        shutil.rmtree("new")


CHANGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "other texts": (
        lambda path: path.write_bytes(b'{"text": "x"}\n'),
        r"\(.* bytes, .*\), found 14 bytes.*; search it",
    ),
    "another time": (lambda path: os.utime(path, ns=(5, 5)), "found .*changed at 5 ns; search it again"),
    "gone": (lambda path: path.unlink(), "found none: No such file or directory; put it back, or search again"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "found .*; search it again"),
    "empty": (lambda path: path.write_bytes(b""), "found 0 bytes.*; search it again"),
}


@pytest.mark.parametrize("command", ["find", "match"])
@pytest.mark.parametrize("kind", CHANGED)
def test_inputs_that_changed(
    kind: str, command: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report says what was searched: nothing else is written by it."""
    change, says = CHANGED[kind]
    shutil.copy("good.jsonl", tmp_path)
    shutil.copy("good.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert DONE == call([*GOOD[command], "--output", "report"]).exit_code
    change(Path("good.jsonl"))
    for more in ([], ["--json"]):
        said(["apply", "report", "--output", "new", *more], f"good.jsonl: expected the file that was searched.*{says}")
    assert not Path("new").exists()


# --------------------------------------------------------------------------------------------------- no permission

mortal = pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read and write everything")


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write files, and let nobody read some of them."""
    write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert DONE == call(["find", "good.jsonl", "--output", "report"]).exit_code
    shut = [tmp_path / "latin.txt", tmp_path / "mixed", tmp_path / "full", tmp_path / "short_key"]
    for path in shut:
        path.chmod(0)
    yield tmp_path
    for path in shut:
        path.chmod(0o700)


@mortal
@pytest.mark.parametrize("slot", [*SLOTS, *COMPARED])
@pytest.mark.parametrize("path", ["latin.txt", "mixed"])
def test_unreadable_inputs(path: str, slot: str, locked: Path) -> None:
    """A file and a folder that may not be read."""
    said({**SLOTS, **COMPARED}[slot](path), rf"{path}.*Permission denied")


@mortal
@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("output", ["full", "full/new"])
def test_unwritable_outputs(output: str, command: str, locked: Path) -> None:
    """A folder that may not be written, or looked into."""
    says = f"expected to (write|look into) {output}, found: Permission denied; choose a place that can be written to"
    said([*WRITING[command], "--output", output], says, code=UNWRITABLE)


@mortal
@pytest.mark.parametrize("command", [name for name in GOOD if name not in ("apply", "show", "review")])
def test_unreadable_keys(command: str, locked: Path) -> None:
    """The option and the file are named."""
    said([*GOOD[command], "--hash-key-file", "short_key"], "--hash-key-file: .*'short_key': Permission denied; name")


@mortal
def test_unwritable_work_directories(locked: Path) -> None:
    """The folder is named."""
    says = "expected to use full(/new)? as work directory, found: Permission denied; choose a place"
    for work in ("full", "full/new"):
        said(["find", "good.jsonl", "--work-dir", work], says, code=UNWRITABLE)


def test_pages_that_cannot_be_written(place: Path) -> None:
    """Code 74; an earlier page stays as it is; a report that is none is named."""
    said(["show", "report", "--html", "nowhere/page.html"], "path: expected a folder that exists, found no nowhere")
    said(["show", "full", "--html", "page.html"], "full/report.json")
    (place / "page.html").write_text("mine")
    said(["show", "report", "--html", "page.html", "--clusters", "0"], "clusters")
    assert "mine" == (place / "page.html").read_text()
    (place / "page.html").unlink()


def test_overrides_that_are_none(place: Path) -> None:
    """A file that is not there, and one of other lines."""
    apply = [*GOOD["apply"], "--overrides"]
    said([*apply, "none.jsonl"], "none.jsonl: expected a file of overrides")
    said([*apply, "good.jsonl"], "good.jsonl:1: expected an object with")


# -------------------------------------------------------------------------------------------------- indexes

NO_INDEX = {
    "missing": "expected an index in missing, found none; make one with .*, or check the path",
    "good.jsonl": "expected an index in good.jsonl, found something else",
    "empty_folder": "expected an index in empty_folder, found none",
    "report": "expected an index in report, found none",
    "/dev/null": "expected an index in /dev/null, found something else",
    "": "path: expected a path .*, found str ''",
    "x" * 300: "expected an index in x+, found none: File name too long; make",
}


@pytest.mark.parametrize("path", NO_INDEX)
@pytest.mark.parametrize("command", [name for name in GOOD if name.startswith("index ") and name != "index create"])
def test_paths_that_are_no_index(command: str, path: str, place: Path) -> None:
    """A mistyped path is never an empty index; nothing is made there."""
    arguments = list(GOOD[command])
    arguments[2] = path
    said(arguments, NO_INDEX[path])
    said([*arguments, "--json"], NO_INDEX[path])


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("good.jsonl", "expected nothing at good.jsonl, found a file; name another folder"),
        ("seen.index", "expected nothing at seen.index, found an index; name another folder"),
        ("full", "expected nothing at full, found a folder with 'other.txt' in it; name another"),
        ("", "path: expected a path .*, found str ''"),
    ],
)
def test_an_index_where_something_is(path: str, says: str, place: Path) -> None:
    """Nothing is overwritten."""
    said(["index", "create", path], says)


WRONG_USES = {
    "another key": (
        ["index", "query", "seen.index", "good.jsonl", "--hash-key-file", "good.txt"],
        "hash_key: expected the key of fingerprint public, with which the index in seen.index was made",
    ),
    "a lower threshold": (
        ["index", "query", "seen.index", "good.jsonl", "--threshold", "0.5"],
        "threshold: expected at least 0.8, for which the index in seen.index was made, found 0.5; make",
    ),
    "containment": (
        ["index", "query", "seen.index", "good.jsonl", "--metric", "containment"],
        "metric: expected an index made with containment=True .*make another one",
    ),
    "bands and containment": (
        ["index", "create", "new", "--method", "lsh", "--containment"],
        'method: expected "exact" with containment, .*found "lsh"; leave one of them out',
    ),
    "passages of hashes": (
        ["index", "create", "new", "--passages", "50"],
        "passages: expected store=\"text\" .*found store='hashes'; give both, or no passages",
    ),
    "passages of no words": (
        ["index", "create", "new", "--store", "text", "--passages", "0"],
        "--passages: expected a whole number from 1 to .*, found 0",
    ),
    "an unknown id": (
        ["index", "remove", "seen.index", "good.csv:2", "nobody"],
        "expected ids of documents of the index, found 'nobody', which is not there; name others",
    ),
    "the same id twice": (
        ["index", "remove", "seen.index", "good.csv:2", "good.csv:2"],
        "ids: expected unique ids, found 'good.csv:2' at row 0 and at row 1",
    ),
    "no id": (
        ["index", "remove", "seen.index"],
        "ID...: expected ids, found none; name some, or a file of ids with --ids-from",
    ),
    "other options": (
        ["index", "merge", "seen.index", "low.index"],
        "threshold: expected 0.8 as in seen.index, found 0.5 in low.index; make",
    ),
    "itself": (["index", "merge", "seen.index", "seen.index"], "other: expected another index, found this one"),
    "none to merge": (["index", "merge", "seen.index", "missing"], "expected an index in missing, found none"),
    "ids of another type": (
        ["index", "add", "seen.index", "good.jsonl", "--id", "key"],
        "ids: expected ids that are str, as the documents of the index have, found ids that are integers; name",
    ),
    "an output of standard input": (
        ["index", "filter-new", "seen.index", "-", "--output", "new"],
        "output: expected files, found standard input or a pipe, which has no name for a new file; leave",
    ),
    "a command that is none": (["index", "find", "seen.index"], "expected a command of dedup index, found 'find'"),
}


@pytest.mark.parametrize("kind", WRONG_USES)
def test_wrong_uses_of_an_index(kind: str, place: Path) -> None:
    """What an index cannot do is said, and it is as it was."""
    arguments, says = WRONG_USES[kind]
    said(arguments, says, input='{"text": "a b c"}\n')


def test_the_same_id_with_another_text(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, unless the old text is to be replaced; the same text is left out."""
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"text": "one two three"}\n')
    assert DONE == call(["index", "create", "i"]).exit_code
    assert DONE == call(["index", "add", "i", "a.jsonl"]).exit_code
    assert {"added": 0, "known": 1, "documents": 1} == json.loads(
        call(["index", "add", "i", "a.jsonl", "--json"]).stdout
    )
    Path("a.jsonl").write_text('{"text": "four five six"}\n')
    for verb, advice in (
        ("add", "; its text is another one; give replace=True"),
        ("filter-new", "; remove that text, or"),
    ):
        said(
            ["index", verb, "i", "a.jsonl"],
            f"ids: expected new ids, found 'a.jsonl:1', which is in the index .*{advice}",
        )
    assert DONE == call(["index", "add", "i", "a.jsonl", "--replace"]).exit_code


def test_an_index_that_another_one_writes(place: Path) -> None:
    """The other one is named; readers do not mind."""
    with Index.open("seen.index", write=True):
        for command in ("add", "filter-new", "remove", "merge", "compact"):
            said(GOOD[f"index {command}"], f"expected seen.index to be free for writing, .*process {os.getpid()} on .*")
        assert DONE == call(GOOD["index query"]).exit_code
        assert DONE == call(GOOD["index check"]).exit_code
