"""Nothing is silently read as something else: what is sure is read, what is not is named with the option to give."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dedup
from dedup.errors import InputError, ParameterError
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.formats.sniffing import HEAD, advice
from dedup.sources.files.listing import Listing
from tests import corpora, corpus_files
from tests.cli.test_commands import DONE, REJECTED, ROOT, WRONG, call, records
from tests.corpus_files import PACKERS, WRITERS, read_all

BODY = corpora.body(seed=31, size=3)
RECORDS = [{"text": text, "key": str(i)} for i, text in enumerate([*BODY, BODY[1]])]
TEXTS = [record["text"] for record in RECORDS]

SURE: dict[str, bytes] = {
    **{suffix: write(RECORDS) for suffix, write in WRITERS.items()},
    "json lines after a mark": b"\xef\xbb\xbf\n" + corpus_files.as_lines(RECORDS),
    "long lines": corpus_files.as_lines([{"text": text + " x" * HEAD, "key": "k"} for text in TEXTS]),
    "one object": json.dumps(RECORDS[0]).encode(),
    "array": json.dumps(RECORDS).encode(),
    "array of texts": json.dumps(TEXTS).encode(),
    "array, long": json.dumps([{"text": text + " x" * HEAD, "key": "k"} for text in TEXTS]).encode(),
    "objects over lines": b"\n".join(json.dumps(record, indent=2).encode() for record in RECORDS),
    **{kind: corpus_files.encode(kind, RECORDS) for kind in SEPARATED},
}

ONE_TEXT: dict[str, bytes] = {
    "prose": "\n\n".join(BODY).encode(),
    "a word": b"text",
    "commas": b"To whom it may concern, hello\nI write to you, again\nwith kind regards, me\n",
    "brackets": b"[1] Smith, a book.\n[2] Jones, another book.\n",
    "braces": b"{\\bf bold} and {{ template }} text\n",
    "less than": b"<3 this is a text <not a tag\n",
    "log": b"[2024-01-01] one thing\n[2024-01-02] another\n",
    "nothing": b"",
    "UTF-16": "To whom it may concern".encode("utf-16"),
    "UTF-32": "To whom it may concern".encode("utf-32"),
}

UNSURE: dict[str, tuple[bytes, str]] = {
    "one column": (b"text\none\ntwo\n", "comma-separated text with one column, or plain text"),
    "XML": (b'<?xml version="1.0"?>\n<doc><p>one</p></doc>', "XML with the root element <doc>"),
    "a comment": (b"<!-- <a> --> <!--", "XML or HTML"),
    "a tag": (b"<div class='x'>\n<p>one</p></div>", "a piece of HTML"),
    "RTF": (b"{\\rtf1 a}", "RTF"),
    "PDF": (b"%PDF-1.7\n", "PDF"),
    "archive": (b"PK\x03\x04rest", "a ZIP archive (or a document of an office program)"),
    "NUL": (b"a\0b", "bytes that are not text"),
}

NAMES = {
    ".xml": "XML",
    ".tar": "TAR",
}

DOCUMENTS = {
    "a.docx": (b"PK\x03\x04rest", "a Word document; write its text to a file first, for example with pandoc"),
    "a.xlsx": (b"PK\x03\x04rest", "a spreadsheet; save it as CSV"),
    "a.pdf": (b"%PDF-1.7\n", "PDF; write its text to a file first, for example with pdftotext"),
    "b.doc": (b"some text", "a Word document; write its text to a file first"),
    "a.db": (b"SQLite format 3\x00", "an SQLite database; search its rows from Python"),
    "a.zip": (b"PK\x03\x04rest", "a ZIP archive; unpack it, and name its files"),
}


def write(folder: Path, name: str, data: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", SURE)
def test_what_is_sure_is_read(name: str, packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under any name, compressed or not, packed under a name that says so or not, and from standard input."""
    data = PACKERS[packing](SURE[name])
    expected = 1 if name == "one object" else len(TEXTS)
    suffix = ".data" if name in {".csv", *SEPARATED} else ".json"  # the name speaks against comma-separated text
    for path in (write(tmp_path, f"a{suffix}{packing}", data), write(tmp_path, "noname", data)):
        rows, rejects = read_all(path)
        assert (expected, []) == (len(rows), rejects)
        assert all((row.text or "").startswith(text) for row, text in zip(rows, TEXTS, strict=False))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert expected == len(read_all(Path("-"))[0])


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", UNSURE)
def test_what_is_not_sure_is_named(name: str, packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is rejected with what it may be and the option to give, and never one text."""
    data, what = UNSURE[name]
    path = write(tmp_path, f"a.some{packing}", PACKERS[packing](data))
    sound = write(tmp_path, "b.txt", b"a text")
    (reject,) = Listing([path, sound]).rejects
    assert str(path) == reject.file
    assert f"expected texts, found what may be {what}; {advice(what)}" in reject.reason
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    with pytest.raises(InputError, match="expected readable texts, found none in '-'") as error:
        Listing(["-"])
    assert what in str(error.value)
    if not what.startswith(("PDF", "a ZIP", "bytes")):
        assert [data.decode()] == [row.text for row in read_batches_of(path, format="txt")]


def read_batches_of(path: Path, **options: Any) -> list[corpus_files.Read]:
    """Read one file with options of its listing."""
    from dedup.sources.files.reader import read_batches

    return [row for batch in read_batches(Listing([path], **options)) for row in corpus_files.rows_of(batch)]


@pytest.mark.parametrize("name", ONE_TEXT)
def test_plain_text_is_one_text(name: str, tmp_path: Path) -> None:
    """Text that only looks a little like something else is one text."""
    for suffix in ("", ".md", ".log"):
        path = write(tmp_path, f"a{suffix}", ONE_TEXT[name])
        assert [("txt", None)] == [(entry.format, entry.compression) for entry in Listing([path])]


@pytest.mark.parametrize("suffix", NAMES)
def test_names_that_are_not_plain_text(suffix: str, tmp_path: Path) -> None:
    """A name that says what is not read counts, whatever the file begins with."""
    path = write(tmp_path, f"a{suffix}", b"some words\nand more")
    with pytest.raises(InputError, match=f"found what may be .*{NAMES[suffix]}"):
        Listing([path])
    assert ["some words\nand more"] == [row.text for row in read_batches_of(path, format="txt")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_of_programs(name: str, tmp_path: Path) -> None:
    """They are named as what they are, with what to do."""
    data, says = DOCUMENTS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=re.escape(says)):
        Listing([tmp_path / name])


def folder_of_all(folder: Path) -> Path:
    """Make a folder of what can be read, what cannot, and what is not a file."""
    for name in ("a.docx", "b.DOCX", "c.xml", "d.log.gz", "e.xlsx", "Makefile", ".hidden.docx"):
        write(folder, name, b"one two three")
    write(folder, "x.jsonl", corpus_files.as_lines(RECORDS))
    (folder / "dir.jsonl").mkdir()
    write(folder / "dir.jsonl", "part.txt", TEXTS[0].encode())
    (folder / "dir.jsonl" / "other.docx").write_text("words", encoding="utf-8")
    os.mkfifo(folder / "pipe.jsonl")
    os.mkfifo(folder / "pipe.bin")
    os.symlink("nowhere.txt", folder / "broken.txt")
    os.symlink("loop.txt", folder / "loop.txt")
    os.symlink("..", folder / "up")
    return folder


def test_a_folder_says_what_it_does_not_read(tmp_path: Path) -> None:
    """Counted by suffix, some named; pipes and broken links are rejects; nothing hangs."""
    listing = Listing([folder_of_all(tmp_path)])
    assert ["part.txt", "x.jsonl"] == [Path(entry.path).name for entry in listing]
    kinds = {".docx": 3, ".log.gz": 1, ".xml": 1, ".xlsx": 1, ".bin": 1, "without a suffix": 1, "links to folders": 1}
    assert {"files": 9, "kinds": kinds} == {key: listing.unread.to_dict()[key] for key in ("files", "kinds")}
    found = str(listing.unread)
    assert "9 files not read: 3 .docx, 1 .bin, 1 .log.gz, 1 .xlsx, 1 .xml, 2 of other kinds (" in found
    assert [str(tmp_path / "Makefile"), str(tmp_path / "a.docx")] == listing.unread.examples[:2]
    reasons = {Path(reject.file).name: reject.reason for reject in listing.rejects}
    assert {"pipe.jsonl", "broken.txt", "loop.txt"} == set(reasons)
    assert "expected a file, found a pipe" in reasons["pipe.jsonl"]
    (tmp_path / "only").mkdir()
    write(tmp_path / "only", "a.docx", b"x")
    with pytest.raises(InputError, match=r"1 file not read: 1 \.docx \(.*a\.docx\)"):
        Listing([tmp_path / "only"])


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    """On standard error by every command, in run.json, and as a warning in Python."""
    (tmp_path / "d").mkdir()
    folder = folder_of_all(tmp_path / "d")
    for arguments in (
        ["find", "d", "--output", "report"],
        ["find", "d", "--json"],
        ["repeats", "d"],
        ["estimate", "d"],
        ["match", "d/x.jsonl", "--against", "d"],
    ):
        done = call(*arguments, cwd=tmp_path)
        assert REJECTED == done.returncode, done.stderr
        assert "dedup: 9 files not read: 3 .docx" in done.stderr
        assert "--format" in done.stderr
    ran = json.loads((tmp_path / "report" / "run.json").read_text(encoding="utf-8"))
    assert 9 == ran["unread"][0]["files"]
    files = dedup.files(folder)
    assert 9 == files.unread["files"]
    assert "9 files not read" in repr(files)
    with pytest.warns(UserWarning) as caught:
        dedup.find_duplicates(files)
    assert ["rejected", "not read"] == [re.findall("rejected|not read", str(each.message))[0] for each in caught]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dedup.find_duplicates(dedup.files(folder, on_error="skip"))


def test_unreadable_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be looked into is a reject with its name."""
    write(tmp_path, "a.txt", b"a text")
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = Listing([tmp_path])
    assert [(str(tmp_path / "closed"), "the folder cannot be read: Permission denied")] == [
        (reject.file, reject.reason) for reject in listing.rejects
    ]


def test_work_folders_are_not_a_corpus(tmp_path: Path) -> None:
    """What a run keeps is neither read nor counted."""
    write(tmp_path, "a.txt", b"a text")
    (tmp_path / "report.work").mkdir()
    for name in ("manifest.json", "lock", "rows-00000.dedup", "x.txt"):
        write(tmp_path / "report.work", name, b"")
    listing = Listing([tmp_path])
    assert (["a.txt"], 0) == ([Path(entry.path).name for entry in listing], len(listing.unread))


def test_patterns_follow_links_once(tmp_path: Path) -> None:
    """Loops of links, even two that cross, end; a folder that a pattern matches is searched."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    for name in ("one", "two", "three"):
        os.symlink("..", deep / name)
        os.symlink(".", tmp_path / "a" / name)
    write(deep, "x.jsonl", corpus_files.as_lines(RECORDS))
    (tmp_path / "dir.jsonl").mkdir()
    write(tmp_path / "dir.jsonl", "y.txt", b"a text")
    write(tmp_path / "dir.jsonl", "y.log", b"a text")
    for pattern in ("**/*.jsonl", "**/b/*.jsonl", "*/**/x.jsonl", "**/**/x*"):
        names = [Path(entry.path).name for entry in Listing([tmp_path / pattern])]
        assert "x.jsonl" in names
        assert len(names) == len(set(names))
    listing = Listing([tmp_path / "**" / "*.jsonl"])
    assert ["x.jsonl", "y.txt"] == sorted(Path(entry.path).name for entry in listing)
    assert 1 == len(listing.unread)
    assert ["x.jsonl", "y.log", "y.txt"] == sorted(Path(entry.path).name for entry in Listing([tmp_path / "**"]))


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """They are read and shown with their bytes written out, and a report of them can be applied."""
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"caf\xe9.txt")).write_text(BODY[0], encoding="utf-8")
    except OSError:
        pytest.skip("the file system takes no such names")
    write(folder, "b.jsonl", corpus_files.as_lines(RECORDS))
    done = call("find", "in", "--output", "report", "--json", cwd=tmp_path)
    assert DONE == done.returncode, done.stderr
    assert {"in/b.jsonl:1", "in/caf\\xe9.txt"} <= {row["id"] for row in records(done)}
    assert DONE == call("repeats", "in", "--min-words", "5", cwd=tmp_path).returncode
    done = call("apply", "report", "--output", "out", cwd=tmp_path)
    assert DONE == done.returncode, done.stderr
    (tmp_path / "in" / os.fsdecode(b"\xff.jsonl")).write_bytes(corpus_files.as_lines(RECORDS[:1]) + b"{bad")
    listing = Listing([folder])
    rejects = read_all(folder)[1]
    assert [str(folder / "\\xff.jsonl")] == [e.path for e in listing if "xff" in e.path]
    assert 1 == len(rejects)
    write(folder, "\\xff.jsonl", corpus_files.as_lines(RECORDS[:1]))
    assert ["another file is shown by the same name; rename one of them"] == [
        reject.reason for reject in Listing([folder]).rejects
    ]
    with pytest.warns(UserWarning, match="rejected"):
        assert dedup.find_duplicates(folder).summary.texts > 0


@pytest.mark.parametrize("name", ["a\0b.txt", "\ud800.txt", "x" * 5000])
def test_names_that_no_file_has(name: str, tmp_path: Path) -> None:
    """They are rejects; the others are read."""
    write(tmp_path, "a.txt", b"a text")
    listing = Listing([name, tmp_path / "a.txt"])
    assert (1, 1) == (len(listing), len(listing.rejects))
    assert "\0" not in listing.rejects[0].file


def test_pipes_named_outright(tmp_path: Path) -> None:
    """They are read as streams, more than once; so is standard input by its other names."""
    data = corpus_files.as_lines(RECORDS)
    write(tmp_path, "x.jsonl", data)
    python = f"{sys.executable} -m dedup"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in (
        f"{python} find <(cat x.jsonl) --json",
        f"cat x.jsonl | {python} find /dev/stdin --json",
        f"cat x.jsonl | {python} find - --json --keep longest",
        f"gzip -c x.jsonl | {python} find - --json",
        f"gzip -c x.jsonl | {python} find - --format jsonl --json",
        f"cat x.jsonl | {python} find /dev/stdin - --json",
        f"{python} find /dev/stdin --json < x.jsonl",
    ):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert DONE == done.returncode, (line, done.stderr)
        assert [2, 4] == [int(json.loads(row)["id"].rpartition(":")[2]) for row in done.stdout.splitlines()]
    os.mkfifo(tmp_path / "named.jsonl")
    writer = threading.Thread(target=(tmp_path / "named.jsonl").write_bytes, args=(data,))
    writer.start()
    assert len(TEXTS) == len(read_all(tmp_path / "named.jsonl")[0])
    writer.join()


def test_not_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices and sockets are named; so is a standard input that is closed."""
    sound = write(tmp_path, "a.txt", b"a text")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)
        server.bind("s.txt")
        for path, kind in (("/dev/null", "a device"), ("s.txt", "a socket")):
            (reject,) = Listing([path, sound]).rejects
            assert f"expected a file, found {kind}; it is not read" == reject.reason
    monkeypatch.setattr(sys, "stdin", None)
    (reject,) = Listing(["-", sound]).rejects
    assert ("-", "standard input is closed") == (reject.file, reject.reason)


def test_a_column_of_plain_text(tmp_path: Path) -> None:
    """A column that was asked for is never ignored where a file is taken as plain text."""
    write(tmp_path, "a.txt", BODY[0].encode())
    write(tmp_path, "b.md", BODY[1].encode())
    for arguments in (["find", "a.txt"], ["find", "b.md"], ["repeats", "a.txt"], ["estimate", "a.txt"]):
        done = call(*arguments, "--column", "body", cwd=tmp_path)
        assert WRONG == done.returncode
        assert re.search(r'--column "body": expected files with columns, found plain text in \w\.\w+;', done.stderr)
    with pytest.raises(ParameterError, match="expected files with columns, found plain text"):
        dedup.find_duplicates(tmp_path / "a.txt", column="body")
    write(tmp_path, "c.jsonl", corpus_files.as_lines([{"body": text} for text in BODY]))
    done = call("find", "a.txt", "c.jsonl", "--column", "body", cwd=tmp_path)
    assert DONE == done.returncode
    assert 'column="body" does not apply to 1 plain text file, which has no columns (a.txt)' in done.stderr
    with pytest.warns(UserWarning, match="does not apply to 1 plain text file"):
        dedup.find_duplicates(dedup.files(tmp_path / "a.txt", tmp_path / "c.jsonl", column="body"))


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"id;text\n1;one, two\n2;three\n", "csv-semicolon"),
        (b"\xef\xbb\xbfid;text\r\n1;one, two\r\n", "csv-semicolon"),
        (b"id; text\n1; one\n", "csv-semicolon"),
        (b"id\ttext\n1\tone;two\n", "tsv"),
        (b"id|text\n", "csv-bar"),
        (b"id,text;more\n1,one\n", "csv"),
        (b"id,text\n1,one\n2,two,three\n", "csv"),  # a bad record: it is rejected, and the others are read
        (b"text\none; two\nthree\n", "csv"),
        (b'"a;b";text\n1;one\n', "csv-semicolon"),
        (b"id;text\n1;one\n2\n3;a;b\n", "csv-semicolon"),  # bad records: they are rejected
        (b"", "csv"),
    ],
)
def test_the_separator_of_a_csv_file(data: bytes, format: str, tmp_path: Path) -> None:
    """It is detected, and said if it is no comma; a format that is given is obeyed."""
    for packing, pack in PACKERS.items():
        listing = Listing([write(tmp_path, f"a.csv{packing}", pack(data))])
        assert [format] == [entry.format for entry in listing]
        assert ("" if format == "csv" else "cells are separated by ") == listing.separators()[:23]
        (entry,) = Listing([tmp_path / f"a.csv{packing}"], format="csv")
        assert "csv" == entry.format


def test_markdown_is_text(tmp_path: Path) -> None:
    """Its suffix says so, in folders too."""
    write(tmp_path, "a.md", b"# A title\n")
    write(tmp_path, "b.markdown", b"* a list\n")
    assert ["# A title\n", "* a list\n"] == [row.text for row in read_all(tmp_path)[0]]
