"""Files that nobody should have written: odd names of columns, other encodings, other line ends."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.errors import InputError
from dedup.sources.files.batch import Wanted
from tests import corpora, corpus_files
from tests.cli.test_commands import DONE, REJECTED, WRONG, call
from tests.corpus_files import PACKERS, WRITERS, read_all

BODY = corpora.body(seed=41, size=3)

ODD_NAMES = {
    "quote": 'a"b',
    "two quotes": '""',
    "backslash": "a\\b",
    "line feed": "a\nb",
    "tab": "a\tb",
    "nothing": "",
    "space": " ",
    "comma": "a,b",
    "another script": "текст 北京 😀",
    "NUL": "a\0b",
    "dot": "a.b",
    "escape": "\x1b[31m",
    "option": "--column",
}


def write(folder: Path, name: str, data: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def write_twice(path: Path, names: list[str], rows: list[list[str]]) -> None:
    """Write a table in the format of its suffix; names may occur twice."""
    if path.suffix == ".csv":
        path.write_text("\n".join(",".join(cells) for cells in [names, *rows]) + "\n", encoding="utf-8")
        return
    data = pa.Table.from_arrays([pa.array(cells) for cells in zip(*rows, strict=True)], names=names)
    if path.suffix == ".parquet":
        pq.write_table(data, path)
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(str(path), data.schema) as writer:
            writer.write_table(data)
    else:
        with pa.ipc.new_stream(str(path), data.schema) as writer:
            writer.write_table(data)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".arrow", ".feather"])
def test_doubled_columns(kind: str, tmp_path: Path) -> None:
    """Of two columns with one name neither is taken: the error has both places; others may be doubled."""
    path = tmp_path / f"a{kind}"
    write_twice(path, ["text", "n", "text", "n", "text"], [["a b", "1", "c d", "2", "e f"]] * 2)
    with pytest.raises(InputError) as error:
        read_all(path)
    assert f"column=\"text\": expected one column named 'text' in {path}, found 3 (columns 1, 3 and 5); rename one" == (
        str(error.value)
    )
    write_twice(path, ["text", "n", "m", "n", "x"], [["a b", "1", "c d", "2", "e f"]] * 2)
    assert ["a b", "a b"] == [row.text for row in read_all(path)[0]]
    for option, words in ({"id": "n"}, 'id="n": expected one'), ({"extra": ["n"]}, '"n": expected one'):
        with pytest.raises(InputError, match=words):
            read_all(path, **option)
    done = call("find", path.name, "--column", "n", cwd=tmp_path)
    assert (WRONG, "") == (done.returncode, done.stdout)
    assert "found 2 (columns 2 and 4); rename one" in done.stderr


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("kind", WRITERS)
def test_odd_names_of_columns(kind: str, name: str, tmp_path: Path) -> None:
    """A column may have any name; one that is not there is an error that says so."""
    column = ODD_NAMES[name]
    records = [{"x": "1", column: text, "key" + column: f"k{i}"} for i, text in enumerate(["a b", "c d", "a b"])]
    if kind == ".csv" and "\0" in column:
        pytest.skip("Python's csv does not write it")
    path = write(tmp_path, f"a{kind}", WRITERS[kind](records))
    rows, rejects = read_all(path, column=column, id="key" + column, extra=["x"])
    assert ([("a b", "k0"), ("c d", "k1"), ("a b", "k2")], []) == ([(row.text, row.id) for row in rows], rejects)
    for wrong in (column + "zz", column + '"zz'):
        with pytest.raises(InputError, match="no such column in"):
            read_all(path, column=wrong)


@pytest.mark.parametrize("column", ['a"b', "a\\b", "", "a\nb", "\ud800", "北"])
@pytest.mark.parametrize("kind", WRITERS)
def test_odd_names_that_are_not_there(kind: str, column: str, tmp_path: Path) -> None:
    """On the command line too: an exit code of 2 and a message."""
    write(tmp_path, f"a{kind}", WRITERS[kind]([{"text": "a b", "n": "1"}]))
    with pytest.raises(InputError, match="no such column in"):
        read_all(tmp_path / f"a{kind}", column=column)
    if column in ('a"b', "", "北"):
        for option in ("--column", "--id"):
            done = call("find", f"a{kind}", option, column, cwd=tmp_path)
            assert WRONG == done.returncode
            assert "no such column in" in done.stderr
            assert "Traceback" not in done.stderr


def test_fields_in_odd_lines(tmp_path: Path) -> None:
    """The slow way of reading JSON lines gives the same messages for bad lines as the fast one."""
    lines = b'{"a\\"b": "one"}\n{"a\\"b": 5}\n{bad\n{"x": 1}\n{"a\\"b": null}\n{"a\\"b": "x\\ud800"}\n'
    rows, rejects = read_all(write(tmp_path, "a.jsonl", lines), column='a"b')
    assert [(1, "one"), (5, None), (6, "x\ud800")] == [(row.number, row.text) for row in rows]
    plain = lines.replace(b'a\\"b', b"text")
    _, expected = read_all(write(tmp_path, "b.jsonl", plain))
    assert [(line, reason.replace("'text'", "'a\"b'")) for line, _, reason in expected] == [
        (line, reason) for line, _, reason in rejects
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be-mark", "utf-32"])
@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".txt"])
def test_encodings_with_a_mark(kind: str, encoding: str, tmp_path: Path) -> None:
    """They are read as they are, beside files in UTF-8."""
    text = '"text"\n"one two"\n' if kind != ".jsonl" else '{"text": "one two"}\n{"text": "one"}\n'
    data = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-mark" else text.encode(encoding)
    write(tmp_path, f"a{kind}", data)
    write(tmp_path, "b.txt", BODY[0].encode())
    done = call("find", ".", cwd=tmp_path)
    assert DONE == done.returncode, done.stderr
    assert ["one two" if kind != ".txt" else text] == [row.text for row in read_all(tmp_path / f"a{kind}")[0]][:1]


@pytest.mark.parametrize("packing", PACKERS)
def test_lone_carriage_returns(packing: str, tmp_path: Path) -> None:
    """Lines of comma-separated text that end with nothing else are one reject; in a quoted name they are a name."""
    path = write(tmp_path, f"a.csv{packing}", PACKERS[packing](b"id,text\r1,one two\r2,three\r"))
    rows, ((line, offset, reason),) = read_all(path)
    assert ([], None, 0) == (rows, line, offset)
    assert "found a carriage return without a line feed" in reason
    assert "write it anew with line feeds" in reason
    path = write(tmp_path, f"b.csv{packing}", PACKERS[packing](b'"i\rd",text\r\n1,one two\r\n'))
    assert ["one two"] == [row.text for row in read_all(path, id="i\rd")[0]]
    write(tmp_path, "c.txt", BODY[0].encode())
    assert REJECTED == call("find", f"a.csv{packing}", "c.txt", cwd=tmp_path).returncode


def test_long_headers(tmp_path: Path) -> None:
    """A header may be longer than what Python's reader takes, be it one name or many."""
    for names in ([*("x" * 30 + str(i) for i in range(10_000)), "text"], ["y" * 300_000, "text"]):
        data = ",".join(names) + "\n" + "," * (len(names) - 1) + "one two\n"
        assert ["one two"] == [row.text for row in read_all(write(tmp_path, "a.csv", data.encode()))[0]]
        done = call("find", "a.csv", cwd=tmp_path)
        assert DONE == done.returncode, done.stderr
        with pytest.raises(InputError, match="no such column"):
            read_all(tmp_path / "a.csv", column="other")


def test_headers_as_python_reads_them(tmp_path: Path) -> None:
    """Names of columns, quoted or not."""
    import csv

    for line in ('a,"b ""c""",text', '"a,b",text', 'a"b,text', "text", '"text"', "a,,text,", ' "a",text'):
        path = write(tmp_path, "a.csv", f"{line}\n".encode())
        with pytest.raises(InputError) as error:
            read_all(path, column="zz")
        expected = Wanted("zz", None).missing("zz", str(path), next(csv.reader([line])))
        assert str(expected) == str(error.value)


def test_directories_and_empty_files(tmp_path: Path) -> None:
    """A folder may be called like a file; an empty file of any format says what it lacks, or is not a text."""
    (tmp_path / "x.jsonl").mkdir()
    write(tmp_path, "t.txt", BODY[0].encode())
    for suffix in (".jsonl", ".csv", ".txt", ".parquet", ".arrow"):
        for packing in PACKERS:
            write(tmp_path, f"empty{suffix}{packing}", b"")
    done = call("find", ".", "x.jsonl", cwd=tmp_path)
    assert REJECTED == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    assert "kept" not in done.stdout


@pytest.mark.parametrize("packing", [packing for packing in PACKERS if packing])
@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".txt"])
def test_garbage_after_a_member(kind: str, packing: str, tmp_path: Path) -> None:
    """Bytes after a compressed stream that are not one are a reject; the stream before them is read."""
    records: list[dict[str, Any]] = [{"text": "one two"}]
    data = WRITERS[kind](records) if kind in WRITERS else b"one two"
    for garbage in (b"garbage that is long enough to be seen", b"\0" * 4):
        rows, rejects = read_all(write(tmp_path, f"a{kind}{packing}", PACKERS[packing](data) + garbage))
        assert ["one two"] == [row.text for row in rows]
        if garbage.strip(b"\0"):
            assert 1 == len(rejects)
    assert corpus_files.read_all(write(tmp_path, f"b{kind}{packing}", PACKERS[packing](data)))[1] == []


def damaged_tables() -> dict[str, bytes]:
    """Arrow files with numbers that lead beyond their buffers."""
    texts = pa.array(["hello worl", "d one two ", "three four five six"])
    made: dict[str, bytes] = {}
    for form, column, whole in (
        ("text", texts, struct.pack("<4i", 0, 10, 20, 39)),
        ("large", texts.cast(pa.large_string()), struct.pack("<4q", 0, 10, 20, 39)),
        ("dictionary", texts.dictionary_encode(), struct.pack("<3i", 0, 1, 2)),
    ):
        batch = pa.record_batch([column], names=["text"])
        for kind, new in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
            out = io.BytesIO()
            with new(out, batch.schema) as writer:
                writer.write_batch(batch)
                if form != "dictionary":
                    writer.write_batch(batch)
            data = out.getvalue()
            assert data.count(whole)
            code = "q" if form == "large" else "i"
            count = len(whole) // struct.calcsize(code)
            for name, numbers in {
                "negative": (0, -5, 2, 39),
                "falling": (0, 10, 5, 39),
                "beyond": (0, 10, 2**31 - 1, 39),
                "all beyond": (2**30, 2**30, 2**30, 2**30),
            }.items():
                if form == "dictionary" and name == "falling":
                    continue
                bad = struct.pack(f"<{count}{code}", *numbers[:count])
                at = data.rindex(whole)
                made[f"{form}, {kind}, {name}"] = data[:at] + bad + data[at + len(whole) :]
    return made


DAMAGED = damaged_tables()


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_offsets(name: str, tmp_path: Path) -> None:
    """What leads beyond a batch is a reject that names it; the batches before it are read."""
    path = write(tmp_path, "a.arrow", DAMAGED[name])
    rows, ((line, offset, reason),) = read_all(path)
    before = 0 if name.startswith("dictionary") else 3
    assert ([before], before + 1, None) == ([len(rows)], line, offset)
    batch = 1 if name.startswith("dictionary") else 2
    assert f"the column 'text' of record batch {batch} (rows {before + 1} to {before + 3}) is damaged" in reason


def test_damaged_tables_among_others(tmp_path: Path) -> None:
    """The other files are read; what is kept of a damaged one can be applied."""
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, "a.arrow", DAMAGED["text, file, beyond"])
    write(folder, "b.jsonl", corpus_files.as_lines([{"text": text} for text in [*BODY, BODY[0], "hello worl"]]))
    done = call("find", "in", "--output", "report", cwd=tmp_path)
    assert REJECTED == done.returncode, done.stderr
    assert "rejected in/a.arrow:4: cannot be read on: the column 'text' of record batch 2" in done.stderr
    done = call("apply", "report", "--output", "out", cwd=tmp_path)
    assert REJECTED == done.returncode, done.stderr
    kept = pa.ipc.open_file(tmp_path / "out" / "a.arrow").read_all().column("text").to_pylist()
    assert ["hello worl", "d one two ", "three four five six"] == kept


def test_ids_that_are_not_utf8(tmp_path: Path) -> None:
    """An id whose bytes are not text is an error with its place."""
    bad = pa.array([b"a", b"caf\xe9"], pa.binary())
    ids = pa.Array.from_buffers(pa.string(), 2, bad.buffers(), 0)
    pq.write_table(pa.table({"text": ["one", "two"], "id": ids}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r'id="id": expected UTF-8, found other bytes at .*a\.parquet:2'):
        read_all(tmp_path / "a.parquet", id="id")
