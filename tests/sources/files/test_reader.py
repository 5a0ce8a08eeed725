"""Readers of files: the same records from every format, and each bad one named with its place.

The twin is plain Python (`tests.corpus_files`): ``json`` a line, ``csv`` a record.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup.sources.files.formats.json_records
from dedup.errors import InputError
from dedup.kernels.csv_records import record_ends
from dedup.kernels.json_strings import unescape
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.formats.plain_text import load_document
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files, strategies
from tests.corpus_files import PACKERS, WRITERS, Read, read_all


def write(folder: Path, name: str, data: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


# ---------------------------------------------------------------------- the same from every format

whole = st.one_of(strategies.texts(), strategies.characters()).map(
    lambda text: "".join(c for c in text if c != "\0" and not 0xD800 <= ord(c) < 0xE000)
)
sound = st.lists(whole, min_size=1, max_size=12)


@pytest.mark.parametrize("kind", WRITERS)
@given(packing=st.sampled_from(sorted(PACKERS)), texts=sound, size=st.sampled_from([1, 40, 1 << 20]))
def test_every_format_gives_the_same(kind: str, packing: str, texts: list[str], size: int) -> None:
    """Texts, ids and numbers come back, in any format and wherever batches end, and from any token on."""
    if kind == ".csv":  # a lone carriage return is a line break there, and a lone empty cell an empty line
        texts = [text.replace("\r", " ") for text in texts]
    records = [{"n": 7, "text": text, "key": f"k{i}"} for i, text in enumerate(texts)]
    limits = BatchLimits(size=size)
    with tempfile.TemporaryDirectory() as name:
        data = WRITERS[kind](records)
        listing = Listing([write(Path(name), f"a{kind}{packing}", PACKERS[packing](data))])
        batches = list(read_batches(listing, id="key", extra=["n"], limits=limits))
        rows = [row for batch in batches for row in corpus_files.rows_of(batch)]
        assert texts == [row.text for row in rows]
        assert [f"k{i}" for i in range(len(texts))] == [row.id for row in rows]
        assert [] == [reject for batch in batches for reject in batch.rejects]
        assert len(texts) == sum(len(batch.extra["n"]) for batch in batches)
        if kind in {".jsonl", ".csv"}:
            starts = [int(start) for batch in batches for start in batch.offsets]
            breaks = [data[:start].count(b"\n") + 1 for start in starts]
            assert breaks == [row.number for row in rows]
        else:
            assert list(range(1, len(texts) + 1)) == [row.number for row in rows]
        if size == 1 and all(texts):
            assert len(batches) == len(texts)
        for i, batch in list(enumerate(batches))[:: max(len(batches) // 2, 1)]:
            rest = list(read_batches(listing, id="key", after=json.loads(json.dumps(batch.more)), limits=limits))
            assert [corpus_files.rows_of(other) for other in batches[i + 1 :]] == list(map(corpus_files.rows_of, rest))
            assert [other.first for other in batches[i + 1 :]] == [other.first for other in rest]


@pytest.mark.parametrize("packing", PACKERS)
def test_text_files(packing: str, tmp_path: Path) -> None:
    """A text file is a document with the number 1, its id its path; a mark in front and line ends are as they were."""
    text = "first line\r\nsecond é 北京\n"
    path = write(tmp_path, f"a.txt{packing}", PACKERS[packing](b"\xef\xbb\xbf" + text.encode()))
    assert ([Read(0, 1, text, str(path))], []) == read_all(path, id="id")


def test_many_files_in_order(tmp_path: Path) -> None:
    """Files follow one another in a batch's number of the file; reading continues in the middle of them."""
    paths = [
        write(tmp_path, f"{i}.jsonl", corpus_files.as_lines([{"text": f"t{i}{j}"} for j in range(3)])) for i in range(4)
    ]
    listing = Listing(reversed(paths))
    batches = list(read_batches(listing))
    assert [0, 1, 2, 3] == [batch.file for batch in batches]
    rest = [row.text for batch in read_batches(listing, after=batches[1].more) for row in corpus_files.rows_of(batch)]
    assert ["t20", "t21", "t22", "t30", "t31", "t32"] == rest


# -------------------------------------------------------------------------------------- JSON lines

CP1252 = '; it looks like cp1252; give encoding="cp1252" (--encoding cp1252)'

GOOD_LINES: dict[str, tuple[bytes, str | None]] = {
    "plain": (b'{"text": "a b"}', "a b"),
    "carriage return": (b'{"text": "a"}\r', "a"),
    "white space": (b' \t{"text": "a"} ', "a"),
    "null": (b'{"text": null}', None),
    "empty": (b'{"text": ""}', ""),
    "escapes": (b'{"text": "\\u00e9\\n\\u0000\\ud83d\\ude00"}', "é\n\0😀"),
    "lone surrogate": (b'{"text": "a\\ud800b"}', "a\ud800b"),
    "lone surrogate elsewhere": (b'{"text": "a", "other": "\\udfff"}', "a"),
    "escaped name": (b'{"\\u0074ext": "a"}', "a"),
    "duplicate keys": (b'{"text": "a", "text": "b"}', "b"),
    "NaN elsewhere": (b'{"text": "a", "score": NaN}', "a"),
    "large number elsewhere": (b'{"n": 123456789012345678901234567890, "text": "a"}', "a"),
    "bytes elsewhere": (b'{"text": "a", "other": "\xff"}', "a"),
    "nested": (b'{"meta": {"text": 5, "x": [{}, [1]]}, "text": "a"}', "a"),
    "unicode": ('{"text": "北京 naïve 𝒜"}'.encode(), "北京 naïve 𝒜"),
}

BAD_LINES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{not json", "not JSON: Expecting property name enclosed in double quotes at column 2"),
    "half a record": (b'{"text": "a', "not JSON: Unterminated string starting at column 10"),
    "two objects": (b'{"text": "a"} {"text": "b"}', "not JSON: Extra data at column 15"),
    "two objects, close": (b'{"text": "a"}{"text": "b"}', "not JSON: Extra data at column 14"),
    "bytes": (b'{"text": "caf\xe9"}', f"not UTF-8: byte 0xe9 at offset 13 of the line{CP1252}"),
    "surrogate in bytes": (b'{"text": "\xed\xa0\x80"}', "not UTF-8: byte 0xed at offset 10 of the line"),
    "raw NUL": (b'{"text": "a\0b"}', "not JSON: Invalid control character at column 12"),
    "number": (b'{"text": 5}', "field 'text': expected a text, found int"),
    "list": (b'{"text": ["a"]}', "field 'text': expected a text, found list"),
    "no object": (b'["text"]', "expected a JSON object, found list"),
    "no field": (b'{"body": "a", "n": 1}', "no field 'text'; found 'body', 'n'"),
    "no field at all": (b"{}", "no field 'text'; found none"),
    "deep": (b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "mark in the middle": (
        b'\xef\xbb\xbf{"text": "a"}',
        "not JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) at column 1",
    ),
}


@pytest.mark.parametrize("name", GOOD_LINES)
def test_odd_lines(name: str, tmp_path: Path) -> None:
    """What JSON can say is read, between plain lines and after a bad one."""
    line, text = GOOD_LINES[name]
    expected = [(1, "x"), (2, text), (3, "y")]
    for before, moved in ((b"", 0), (b"{bad}\n", 1), (b"\n \n", 2)):
        path = write(tmp_path, "a.jsonl", before + b'{"text": "x"}\n' + line + b'\n{"text": "y"}\n')
        rows, rejects = read_all(path)
        assert [(number + moved, text) for number, text in expected] == [(row.number, row.text) for row in rows]
        assert (moved == 1) == len(rejects)


@pytest.mark.parametrize("name", BAD_LINES)
def test_bad_lines(name: str, tmp_path: Path) -> None:
    """Exactly the bad line is rejected: its number, the byte at which it begins, and why."""
    line, reason = BAD_LINES[name]
    before = b'{"text": "x"}\n\n'
    path = write(tmp_path, "a.jsonl", before + line + b'\n{"text": "y"}')
    rows, rejects = read_all(path)
    assert [(1, "x"), (4, "y")] == [(row.number, row.text) for row in rows]
    assert [(3, len(before), reason)] == rejects


json_lines = st.lists(
    st.one_of(
        st.sampled_from([*(line for line, _ in GOOD_LINES.values()), *(line for line, _ in BAD_LINES.values())]).filter(
            lambda line: len(line) < 1000
        ),
        st.sampled_from(
            [b"", b" ", b"\r", b"{", b"}", b'{"x":', b'{"y":1},"text":"c"}', b'"text":"a"}', b'{"text":"a"},']
        ),
        whole.map(lambda text: json.dumps({"text": text}).encode()),
        whole.map(lambda text: json.dumps({"text": text}, ensure_ascii=False).encode()),
    ),
    max_size=8,
)


@given(lines=json_lines, end=st.sampled_from([b"", b"\n", b"\r\n"]), size=st.sampled_from([1, 60, 1 << 20]))
@example(lines=[b'{"text":"a"}{"text":"b"}', b'{"x":', b'{"y":1},"text":"c"}'], end=b"\n", size=1 << 20)
def test_lines_by_themselves(lines: list[bytes], end: bytes, size: int) -> None:
    """Each line is read by itself: many at once give what `json` gives of each, however batches are cut."""
    data = b"\n".join(lines) + end
    # `json` looks at fields that nobody wants, and sees bytes that are not UTF-8
    data = data.replace(b'"other": "\xff"', b'"other": "x"')
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup.sources.files.formats.json_records.Records, "look_for_columns", lambda *_: None)
        rows, rejects = read_all(write(Path(name), "a.jsonl", data), limits=BatchLimits(size=size))
    assert corpus_files.plain_lines(data) == [(row.number, row.text) for row in rows]
    filled = [i for i, line in enumerate(data.split(b"\n"), start=1) if line.strip(b" \t\r")]
    assert filled == sorted([row.number for row in rows] + [line for line, _, _ in rejects if line is not None])


def test_a_mark_in_front(tmp_path: Path) -> None:
    """A byte order mark is not part of the first line, which begins after it."""
    path = write(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": "a"}\n{"text": "b"}\n')
    (batch,) = read_batches(Listing([path]))
    assert ["a", "b"] == corpus_files.decoded(batch)
    assert [3, 17] == batch.offsets.tolist()


def test_a_long_line(tmp_path: Path) -> None:
    """A line is read whole, however long it is; those round it are batches of their own size."""
    long = "word " * 1_000_000
    path = write(tmp_path, "a.jsonl", corpus_files.as_lines([{"text": "a"}, {"text": long}, {"text": "b"}]))
    rows, rejects = read_all(path)
    assert ["a", long, "b"] == [row.text for row in rows]
    assert [] == rejects


def test_extra_fields(tmp_path: Path) -> None:
    """Further fields come as numbers, texts or booleans; where one is missing or null, as null."""
    lines = [{"text": "a", "n": 1, "s": "x"}, {"text": "b", "n": 2.5, "s": None}, {"text": "c"}]
    (batch,) = read_batches(Listing([write(tmp_path, "a.jsonl", corpus_files.as_lines(lines))]), extra=["n", "s"])
    assert [1.0, 2.5, None] == batch.extra["n"].to_pylist()
    assert ["x", None, None] == batch.extra["s"].to_pylist()
    path = write(tmp_path, "b.jsonl", corpus_files.as_lines([{"text": "a", "n": 1}, {"text": "b", "n": "x"}]))
    with pytest.raises(InputError, match=r'"n": expected one type, found .x. at .*b\.jsonl:2'):
        list(read_batches(Listing([path]), extra=["n"]))


def test_the_text_as_its_id(tmp_path: Path) -> None:
    """A field may be wanted twice."""
    path = write(tmp_path, "a.jsonl", corpus_files.as_lines([{"text": "a"}, {"text": "é"}]))
    assert [Read(0, 1, "a", "a"), Read(0, 2, "é", "é")] == read_all(path, id="text")[0]


spelled = st.lists(st.none() | strategies.texts() | strategies.characters(), max_size=6)


@given(texts=spelled, ascii_only=st.booleans(), slashes=st.booleans())
@example(
    texts=['"\\/\b\f\n\r\t\0', "\ue000\uffff\U00010000\U0010ffff", "x" * 7 + '"', None], ascii_only=True, slashes=True
)
def test_strings_of_json(texts: list[str | None], ascii_only: bool, slashes: bool) -> None:
    """The kernel gives what `json` gives, of every escape, in capitals or not, at each place among 8 bytes."""
    texts = [None if t is None else t.encode("utf-16", "surrogatepass").decode("utf-16", "ignore") for t in texts]
    data = "".join(json.dumps(text, ensure_ascii=ascii_only) for text in texts)
    data = data.replace("/", "\\/") if slashes else data
    values = np.frombuffer(data.encode() + bytes(8), dtype=np.uint8)
    size = len(values) - 8
    out, ends = np.zeros(size, dtype=np.uint8), np.zeros(len(texts), dtype=np.int64)
    missing = np.ones(len(texts), dtype=np.bool_)
    assert len(texts) == unescape(values, size, out, ends, missing)
    starts = [0, *ends.tolist()]
    pieces = [bytes(out[start:end]).decode() for start, end in zip(starts, ends.tolist(), strict=False)]
    assert [text or "" for text in texts] == pieces
    assert [text is None for text in texts] == missing.tolist()


@pytest.mark.parametrize("value", ["5", "true", "{}", '["a"]', "-1"])
def test_values_that_are_not_strings(value: str) -> None:
    """Anything else among them is reported."""
    values = np.frombuffer(f'"a"{value}'.encode() + bytes(8), dtype=np.uint8)
    out, ends, missing = np.zeros(20, np.uint8), np.zeros(3, np.int64), np.zeros(3, np.bool_)
    assert -1 == unescape(values, len(values) - 8, out, ends, missing)


# --------------------------------------------------------------------------------------------- CSV


@given(
    st.binary(max_size=40) | st.text('a,;"\n\r', max_size=40).map(str.encode),
    st.integers(0, 40),
    st.sampled_from(list(SEPARATED.values())),
)
def test_where_records_end(data: bytes, cut: int, separator: str) -> None:
    """The kernel says what its page says, in one piece or in two."""
    ends = np.zeros(len(data) + 1, dtype=np.int64)
    state = count = 0
    for start, part in ((0, data[:cut]), (cut, data[cut:])):
        here = np.zeros(len(part) + 1, dtype=np.int64)
        found, state = record_ends(np.frombuffer(part, dtype=np.uint8), ord(separator), state, here)
        ends[count : count + found] = here[:found] + min(start, len(data))
        count += found
    assert corpus_files.plain_ends(data, separator) == ends[:count].tolist()


cells = st.text('ab é"\n,;\t|北', max_size=6)


@given(
    rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=8),
    size=st.sampled_from([1, 30, 1 << 20]),
    ends=st.sampled_from(["\n", "\r\n"]),
    format=st.sampled_from(list(SEPARATED)),
)
def test_csv_as_python_reads_it(rows: list[tuple[str, str]], size: int, ends: str, format: str) -> None:
    """What Python's `csv` writes is read; a record has the number of the line on which it begins."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=SEPARATED[format], lineterminator=ends)
    writer.writerow(["x", "text"])
    numbers = []
    for row in rows:
        numbers.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), "a.data", out.getvalue().encode())
        found, rejects = read_all(path, id="x", limits=BatchLimits(size=size), format=format)
    assert [Read(0, number, text, x) for number, (x, text) in zip(numbers, rows, strict=True)] == found
    assert [] == rejects


BAD_RECORDS: dict[str, tuple[bytes, str]] = {
    "too few": (b"one", "expected 2 cells, found 1"),
    "too many": (b"one,two,three", "expected 2 cells, found 3"),
    "bytes": (b"1,caf\xe9", f"a cell of a requested column is not UTF-8{CP1252}"),
    "carriage return": (b"1,one\r2,two", "a carriage return ends a line within the record"),
}


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("name", BAD_RECORDS)
def test_bad_records(name: str, size: int, tmp_path: Path) -> None:
    """A record that cannot be read is rejected, those round it are read, with their numbers."""
    record, reason = BAD_RECORDS[name]
    before = b'n,text\n0,"a\nb"\n\n'
    path = write(tmp_path, "a.csv", before + record + b"\n3,c\n4,d\n")
    rows, rejects = read_all(path, id="n", limits=BatchLimits(size=size))
    assert [Read(0, 2, "a\nb", "0"), Read(0, 6, "c", "3"), Read(0, 7, "d", "4")] == rows
    assert [(5, len(before), reason)] == rejects


def test_odd_records(tmp_path: Path) -> None:
    """Quotes that are never closed, or that are within a cell; bytes in a cell that nobody wants; a mark in front."""
    data = b'\xef\xbb\xbf\n"n","text"\n1,5" disk\n\xff,"a ""b"" c"\n3,"x"y\n,\n4,"open\n5,d\n'
    rows, rejects = read_all(write(tmp_path, "a.csv", data))
    assert [(3, '5" disk'), (4, 'a "b" c'), (5, "xy"), (6, "")] == [(row.number, row.text) for row in rows]
    assert [(7, data.index(b"4,"), "a quoted field is opened and not closed")] == rejects


# ------------------------------------------------------------------------------------------ tables


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "b"]),
        pa.array(["a", None, "b"], pa.large_string()),
        pa.array(["a", None, "b"], pa.string_view()),
        pa.array(["a", None, "b"]).dictionary_encode(),
        pa.nulls(3),
    ],
)
def test_columns_of_texts(column: pa.Array, tmp_path: Path) -> None:
    """Every kind of string column, nulls as they are."""
    path = tmp_path / "a.arrow"
    data = pa.table({"text": column})
    with pa.ipc.new_file(str(path), data.schema) as writer:
        writer.write_table(data)
    assert column.to_pylist() == [row.text for row in read_all(path)[0]]


def test_bytes_in_a_column(tmp_path: Path) -> None:
    """A row that is not UTF-8 is rejected, the others keep their numbers."""
    bad = pa.array([b"a", b"caf\xe9", None, b"b"], pa.binary())
    column = pa.Array.from_buffers(pa.string(), 4, bad.buffers(), 1)
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    rows, rejects = read_all(tmp_path / "a.parquet")
    assert [(1, "a"), (3, None), (4, "b")] == [(row.number, row.text) for row in rows]
    assert [(2, None, '"text" is not UTF-8')] == rejects


def test_large_row_groups_are_cut(tmp_path: Path) -> None:
    """A batch holds about a megabyte, and a row that is larger alone."""
    texts = ["x" * 300_000] * 10 + ["y" * 3_000_000] + ["z"] * 10
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    batches = list(read_batches(Listing([tmp_path / "a.parquet"])))
    assert [4, 4, 3, 10] == [len(batch.texts) for batch in batches]
    assert [1, 5, 9, 12] == [batch.first for batch in batches]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather", "a.parquet.gz"])
def test_files_that_are_not_tables(name: str, tmp_path: Path) -> None:
    """Something else under the name of a table is one reject; so is half a table."""
    for data in (b"", b"nothing of the kind", WRITERS[".parquet"]([{"text": "a"}] * 50)[:-40]):
        packed = PACKERS[".gz"](data) if name.endswith(".gz") else data
        rows, rejects = read_all(write(tmp_path, name, packed))
        assert [] == rows
        ((line, offset, reason),) = rejects
        assert (1, None) == (line, offset)
        assert reason.startswith("cannot be read: ")


def test_half_an_arrow_stream(tmp_path: Path) -> None:
    """The readable part of a stream is used, and what is missing is recorded."""
    data = corpus_files.as_stream([{"text": f"t{i}"} for i in range(12)])
    rows, rejects = read_all(write(tmp_path, "a.arrow", data[: len(data) * 3 // 4]))
    assert [f"t{i}" for i in range(len(rows))] == [row.text for row in rows]
    assert 0 < len(rows) < 12
    assert [len(rows) + 1] == [line for line, _, _ in rejects]


# ---------------------------------------------------------------------- compressed and cut off


@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
@pytest.mark.parametrize("packing", [packing for packing in PACKERS if packing])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_streams(packing: str, kind: str, share: float, tmp_path: Path) -> None:
    """The whole lines of the readable part are read, the rest is one reject with its place; always the same."""
    rng = np.random.default_rng(5)
    records = [{"text": " ".join(map(str, rng.integers(0, 10**9, 40))), "n": str(i)} for i in range(3000)]
    data = WRITERS[kind](records)
    packed = PACKERS[packing](data)
    path = write(tmp_path, f"a{kind}{packing}", packed[: int(len(packed) * share)])
    rows, rejects = read_all(path)
    ((line, offset, reason),) = rejects
    assert "ends too early" in reason
    header = kind == ".csv" and offset > 0
    assert [record["text"] for record in records[: len(rows)]] == [row.text for row in rows]
    assert len(rows) + 1 + header == line
    assert data[:offset].count(b"\n") == len(rows) + header
    assert offset == 0 or data[offset - 1 : offset] == b"\n"
    if share > 0.9 and packing != ".bz2":
        assert len(rows) > 0
    assert (rows, rejects) == read_all(path)


@pytest.mark.parametrize("packing", [packing for packing in PACKERS if packing])
def test_damaged_streams(packing: str, tmp_path: Path) -> None:
    """A byte that is flipped is found where the format can tell; what is read before it is right."""
    rng = np.random.default_rng(6)
    text = " ".join(map(str, rng.integers(0, 10**9, 40)))
    data = corpus_files.as_lines([{"text": f"{i} {text}"} for i in range(3000)])
    packed = bytearray(PACKERS[packing](data))
    packed[len(packed) // 2] ^= 0x5A
    rows, rejects = read_all(write(tmp_path, f"a.jsonl{packing}", bytes(packed)))
    if packing != ".zst":  # which has no checksum here
        assert 1 == len([reason for _, _, reason in rejects if "stream" in reason])
    if packing == ".bz2":  # whose blocks have one each
        assert [f"{i} {text}" for i in range(len(rows))] == [row.text for row in rows]


def test_what_can_be_read_is_read_to_the_byte(tmp_path: Path) -> None:
    """The readable part does not depend on how much is read at a time."""
    data = b"".join(b'{"text": "%d"}\n' % i for i in range(30_000))
    packed = PACKERS[".gz"](data)
    path = write(tmp_path, "a.txt.gz", packed[: len(packed) // 2])
    found = set()
    for piece in (1000, 4096, 1 << 20):
        text, (reject,) = load_document(Listing([path])[0], piece_bytes=piece)
        assert data.decode().startswith(text or "-")
        found.add((len(text or ""), reject))
    assert 1 == len(found)


def test_several_members(tmp_path: Path) -> None:
    """Compressed files that were put together are one."""
    first, second = corpus_files.as_lines([{"text": "a"}]), corpus_files.as_lines([{"text": "b"}])
    for packing, pack in PACKERS.items():
        rows, rejects = read_all(write(tmp_path, f"a.jsonl{packing}", pack(first) + pack(second)))
        assert ["a", "b"] == [row.text for row in rows]
        assert [] == rejects


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    """A text file that is not UTF-8 is rejected completely, with the byte; half a file is used up to its end."""
    path = write(tmp_path, "a.txt", "naïve".encode("latin-1"))
    assert ([], [(None, 2, f"not UTF-8: byte 0xef at offset 2{CP1252}")]) == read_all(path)
    path = write(tmp_path, "b.txt", b"text \xff\x00\xff")
    reason = (
        "not UTF-8: byte 0xff at offset 5; give the encoding of the file with encoding= (--encoding), or write it anew"
    )
    assert [(None, 5, f"{reason} in UTF-8")] == read_all(path)[1]
    packed = PACKERS[".xz"]("é".encode() * 100_000)
    rows, rejects = read_all(write(tmp_path, "c.txt.xz", packed[:-30]))
    assert set("é") == set(rows[0].text or "")
    assert [None] == [line for line, _, _ in rejects]


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_columns(kind: str, tmp_path: Path) -> None:
    """A column that is nowhere is an error that says which there are."""
    path = write(tmp_path, f"a{kind}", WRITERS[kind]([{"Text": "a", "n": 1}]))
    for option, value, found in (
        ({}, 'column="text"', "found 'Text'"),
        ({"column": "Text", "id": "key"}, 'id="key"', "found 'Text', 'n'"),
        ({"column": "Text", "extra": ["date"]}, '"date"', "found 'Text', 'n'"),
    ):
        with pytest.raises(InputError) as error:
            read_all(path, **option)
        assert f"{value}: no such column in" in str(error.value)
        assert found in str(error.value)


@pytest.mark.parametrize("kind", [".parquet", ".arrow"])
def test_a_column_of_numbers(kind: str, tmp_path: Path) -> None:
    """A column that holds no texts is an error, not as many rejects."""
    path = write(tmp_path, f"a{kind}", WRITERS[kind]([{"text": 1}]))
    with pytest.raises(InputError, match="expected texts, found int64 in"):
        read_all(path)
    path = write(tmp_path, f"b{kind}", WRITERS[kind]([{"text": "a", "id": 1.5}]))
    with pytest.raises(InputError, match="expected integers or texts, found double in"):
        read_all(path, id="id")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"text": "a", "id": 1}, {"text": "b", "id": None}], "found null at {}:2"),
        ([{"text": "a", "id": 1}, {"text": "b"}], "found null at {}:2"),
        ([{"text": "a", "id": 1}, {"text": "b", "id": "x"}], "expected one type, found 1 at {0}:1 and 'x' at {0}:2"),
        ([{"text": "a", "id": True}], "found bool True at {}:1"),
        (
            [{"text": "a", "id": "x"}, {"text": "b", "id": "\ud800"}],
            "expected whole characters, found '\\ud800' at {}:2",
        ),
        ([{"text": "a", "id": [1]}], "found list [1] at {}:1"),
        ([{"text": "a", "id": 1 << 63}], "expected 64-bit integers, found 9223372036854775808 at {}:1"),
    ],
)
def test_wrong_ids(lines: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    """A value that is not an id is an error that names its place."""
    path = write(tmp_path, "a.jsonl", corpus_files.as_lines(lines))
    with pytest.raises(InputError) as error:
        read_all(path, id="id")
    assert message.format(path) in str(error.value)


def test_a_file_that_changed(tmp_path: Path) -> None:
    """A file that is not what it was when it was listed is an error."""
    path = write(tmp_path, "a.jsonl", corpus_files.as_lines([{"text": "a"}]))
    listing = Listing([path])
    path.write_bytes(corpus_files.as_lines([{"text": "a"}, {"text": "b"}]))
    with pytest.raises(InputError, match="expected 14 bytes as when it was listed, found it changed"):
        list(read_batches(listing))
    path.unlink()
    with pytest.raises(InputError, match="expected the file that was listed"):
        list(read_batches(listing))
