"""`dedup apply`: the kept records, their bytes or values unchanged, in every format and compression."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError, StorageError
from dedup.report.apply import apply_report
from dedup.report.read import Report
from dedup.report.rewriting.json_edits import with_value
from dedup.report.rewriting.tables import codec_of
from dedup.report.write import write_run_report
from dedup.sources.files.formats.separated import SEPARATED
from tests import corpora, corpus_files, strategies

COMPRESSIONS = [None, "gzip", "zstd", "bz2", "xz"]
LINES = ["jsonl", *SEPARATED]
TABLES = ["parquet", "arrow"]


def suffix_of(format: str) -> str:
    """Give the suffix of a file of a format."""
    return format.partition("-")[0]


def texts_of(seed: int = 3) -> list[str]:
    """Give families with line breaks, quotes and commas in them, and texts that repeat nothing."""
    texts = corpora.families(seed=seed, count=5, size=5)
    texts = [text.replace(". ", '.\n"So," ', 2) if i % 3 else text for i, text in enumerate(texts)]
    texts += [f"only this one says {seed} {i}, größer" for i in range(5)] + ["", " "]
    Random(seed).shuffle(texts)
    return texts


def rows_of(texts: list[str]) -> list[dict[str, Any]]:
    """Give rows with a column before the text and one after it."""
    return [{"n": i, "text": text, "note": f'a "b", {i}'} for i, text in enumerate(texts)]


def report_of(listing: Any, folder: Path, **options: Any) -> Report:
    """Search a listing and write the report."""
    corpus, rejects = corpus_files.searched(listing)
    result = dedup.find_duplicates(corpus.texts, **options)
    write_run_report(folder, result, listing=corpus.listing, rejects=rejects)
    return Report.open(folder)


def pieces(format: str, data: bytes) -> list[bytes]:
    """Cut a file into its lines or records; the header is one."""
    if format == "jsonl":
        return data.splitlines(keepends=True)
    found, start, quoted = [], 0, False
    for at, byte in enumerate(data):
        quoted ^= byte == ord('"')
        if byte == ord("\n") and not quoted:
            found.append(data[start : at + 1])
            start = at + 1
    return found


def gone(report: Report) -> set[tuple[int, int]]:
    """Give file and record of what is not kept."""
    return {(row["file"], row["record"]) for row in report.decisions.to_pylist() if not row["kept"]}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", LINES)
def test_the_bytes_of_kept_records(format: str, compression: str | None, tmp_path: Path) -> None:
    """What is written is the file without the removed records, byte for byte, and repeats nothing."""
    suffix = f".{corpus_files.PACKED[compression]}" if compression else ""
    plain = [corpus_files.encode(format, rows_of(texts_of(seed)), crlf=seed == 4) for seed in (3, 4, 3)]
    for number, data in enumerate(plain):
        corpus_files.write(
            tmp_path / "in", f"d{number}/part.{suffix_of(format)}{suffix}", corpus_files.pack(data, compression)
        )
    listing = corpus_files.Listing([tmp_path / "in"])
    report = report_of(listing, tmp_path / "report")
    applied = apply_report(report, tmp_path / "out")

    removed = gone(report)
    corpus, _ = corpus_files.searched(listing)
    numbers = [[r for f, r in zip(corpus.texts.files, corpus.texts.records, strict=True) if f == i] for i in range(3)]
    for number, data in enumerate(plain):
        found = corpus_files.unpack(
            (tmp_path / "out" / f"d{number}/part.{suffix_of(format)}{suffix}").read_bytes(), compression
        )
        parts = pieces(format, data)
        header, parts = (parts[:1], parts[1:]) if format in SEPARATED else ([], parts)
        records = numbers[number]
        assert len(parts) == len(records) == 32
        kept = [part for part, record in zip(parts, records, strict=True) if (number, record) not in removed]
        assert b"".join(header + kept) == found
    assert (3, 96 - len(removed), len(removed), 0) == (applied.files, applied.kept, applied.removed, applied.rejected)
    assert len(removed) > 40
    again = report_of(corpus_files.Listing([tmp_path / "out"]), tmp_path / "again")
    assert 0 == again.summary["clusters"]
    one = sum(row["kept"] for row in report.clusters.to_pylist())
    assert report.summary["clusters"] == one


@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("parquet", {"codec": "zstd"}),
        ("parquet", {"codec": {"n": "snappy", "text": "gzip", "note": "none"}}),
        ("arrow", {"codec": None}),
        ("arrow", {"codec": "lz4"}),
        ("arrow", {"codec": "zstd", "stream": True}),
    ],
)
def test_tables(format: str, options: dict[str, Any], compression: str | None, threads: int, tmp_path: Path) -> None:
    """The kept rows with all columns, under the same schema, metadata and compression."""
    schema = pa.schema(
        [
            pa.field("n", pa.int32(), nullable=False, metadata={b"unit": b"rows"}),
            ("text", pa.string() if options["codec"] is None else pa.large_string()),
            ("note", pa.dictionary(pa.int32(), pa.string()) if format == "arrow" else pa.string()),
            ("list", pa.list_(pa.struct([("a", pa.timestamp("us", "UTC"))]))),
        ],
        metadata={b"huggingface": b'{"info": {}}'},
    )
    if isinstance(options["codec"], dict):
        schema = schema.remove(3)
    rows = [{**row, "list": [{"a": row["n"]}] * (row["n"] % 3)} for row in rows_of(texts_of())]
    suffix = f".{corpus_files.PACKED[compression]}" if compression else ""
    name = f"part.{suffix_of(format)}{suffix}"
    data = corpus_files.encode(format, rows, schema=schema, **options)
    corpus_files.write(tmp_path / "in", name, corpus_files.pack(data, compression))
    report = report_of(corpus_files.Listing([tmp_path / "in"]), tmp_path / "report")
    applied = apply_report(report, tmp_path / "out", threads=threads)

    new = corpus_files.unpack((tmp_path / "out" / name).read_bytes(), compression)
    removed = gone(report)
    assert len(removed) == applied.removed > 5
    old_table, new_table = (read_table(format, each) for each in (data, new))
    kept = [row for i, row in enumerate(old_table.to_pylist()) if (0, i + 1) not in removed]
    assert kept == new_table.to_pylist()
    assert old_table.schema.equals(new_table.schema, check_metadata=True)
    assert codecs(format, data) == codecs(format, new)
    again = report_of(corpus_files.Listing([tmp_path / "out"]), tmp_path / "again")
    assert 0 == again.summary["clusters"]


def read_table(format: str, data: bytes) -> pa.Table:
    """Read a table from bytes."""
    if format == "parquet":
        return pq.read_table(pa.BufferReader(data))
    opened = pa.ipc.open_file if data.startswith(b"ARROW1") else pa.ipc.open_stream
    return opened(pa.BufferReader(data)).read_all()


def codecs(format: str, data: bytes) -> Any:
    """Give how the columns, or the buffers, of a table are compressed, and what else its file says of itself."""
    if format == "parquet":
        file = pq.ParquetFile(pa.BufferReader(data))
        columns = [file.metadata.row_group(0).column(i) for i in range(file.metadata.num_columns)]
        return [
            file.metadata.format_version,
            file.schema,
            *((each.path_in_schema, each.compression) for each in columns),
        ]
    is_file = data.startswith(b"ARROW1")
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(data[8:] if is_file else data))
    found = {codec_of(memoryview(each.metadata)) for each in reader if each.type == "record batch"}
    return is_file, found


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_the_codec_is_read_from_the_message(codec: str | None) -> None:
    """With the options of the writer."""
    data = corpus_files.encode("arrow", rows_of(texts_of()), codec=codec)
    assert (True, {codec}) == codecs("arrow", data)


def test_plain_texts(tmp_path: Path) -> None:
    """Kept files are copied, removed ones are not there, and neither are folders of none."""
    base = texts_of()[5] + " and enough words to be a text of its own"
    files = {"a/x.txt": base, "b/y.txt": base.upper(), "c/z.txt.gz": "else", "c/u.txt": "\ufeff" + base + " more"}
    for name, text in files.items():
        corpus_files.write(
            tmp_path / "in", name, corpus_files.pack(text.encode(), "gzip" if name.endswith("gz") else None)
        )
    report = report_of(corpus_files.Listing([tmp_path / "in"]), tmp_path / "report", keep="last")
    applied = apply_report(report, tmp_path / "out")
    kept = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert {"c", "c/z.txt.gz", "c/u.txt"} == kept or {"b", "c", "b/y.txt", "c/z.txt.gz"} == kept
    assert applied.files == 2
    for path in (tmp_path / "out").rglob("*.txt*"):
        original = (tmp_path / "in" / path.relative_to(tmp_path / "out")).read_bytes()
        packed = "gzip" if path.suffix == ".gz" else None
        assert corpus_files.unpack(original, packed) == corpus_files.unpack(path.read_bytes(), packed)
    assert (2, 2) == (applied.kept, applied.removed)


@given(
    st.lists(strategies.characters(max_size=30), min_size=1, max_size=6),
    st.sampled_from(["document", "paragraph", "line"]),
    st.sampled_from(["jsonl", *SEPARATED, "parquet", "arrow"]),
)
def test_any_text_in_any_format(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], unit: str, format: str
) -> None:
    """What is written has the texts that `filter` gives."""
    folder = tmp_path_factory.mktemp("any")
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    if format in SEPARATED:
        texts = [text.replace("\r", " ").replace("\0", " ") for text in texts]
    texts = [*texts, *texts[::2], "a heading\n" + texts[0]]
    corpus_files.write(folder / "in", f"x.{suffix_of(format)}", corpus_files.encode(format, rows_of(texts)))
    listing = corpus_files.Listing([folder / "in"])
    corpus, rejects = corpus_files.searched(listing)
    if rejects or len(corpus.texts) != len(texts):
        return
    result = dedup.find_duplicates(corpus.texts, unit=unit, threshold=0.5, shingle="words:1")
    write_run_report(folder / "report", result, listing=corpus.listing)
    apply_report(folder / "report", folder / "out")
    found, _ = corpus_files.searched(corpus_files.Listing([folder / "out"]))
    given_texts = [corpus.texts[row] for row in range(len(texts))]
    assert result.filter(given_texts) == [found.texts[row] for row in range(len(found.texts))]


@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("format", ["jsonl", *SEPARATED, "parquet", "arrow", "txt"])
def test_paragraphs_are_cut_out(format: str, compression: str | None, tmp_path: Path) -> None:
    """The texts are those of `filter`; records that lose nothing keep their bytes."""
    texts = [corpora.doubled_article(seed).text for seed in (1, 2, 1)] + ["alone, größer", "", "x"]
    suffix = f".{corpus_files.PACKED[compression]}" if compression else ""
    rows = rows_of(texts)
    if format == "txt":
        for row in rows:
            data = corpus_files.pack(row["text"].encode(), compression)
            corpus_files.write(tmp_path / "in", f"{row['n']}.txt{suffix}", data)
    else:
        data = corpus_files.encode(format, rows)
        corpus_files.write(tmp_path / "in", f"x.{suffix_of(format)}{suffix}", corpus_files.pack(data, compression))
    listing = corpus_files.Listing([tmp_path / "in"])
    corpus, _ = corpus_files.searched(listing)
    result = dedup.find_duplicates(corpus.texts, unit="paragraph")
    write_run_report(tmp_path / "report", result, listing=corpus.listing)
    applied = apply_report(tmp_path / "report", tmp_path / "out")
    found, _ = corpus_files.searched(corpus_files.Listing([tmp_path / "out"]))
    expected = result.filter(texts)
    assert expected == [found.texts[row] for row in range(len(found.texts))]
    changed = [old != new for old, new in zip(texts, expected, strict=True)]
    assert (sum(changed), len(texts), 0) == (applied.cut, applied.kept, applied.removed)
    assert 3 == sum(changed)
    if format in LINES:
        new = corpus_files.unpack((tmp_path / "out" / f"x.{suffix_of(format)}{suffix}").read_bytes(), compression)
        old_parts, new_parts = (pieces(format, each)[format in SEPARATED :] for each in (data, new))
        assert [old != new for old, new in zip(old_parts, new_parts, strict=True)] == changed
    if format in TABLES:
        new = corpus_files.unpack((tmp_path / "out" / f"x.{suffix_of(format)}{suffix}").read_bytes(), compression)
        rest = [{**row, "text": text} for row, text in zip(rows, expected, strict=True)]
        assert rest == read_table(format, new).to_pylist()


ODD_LINES = [
    (b'{"text": "a", "x": 1.50, "y": 1e400, "z": NaN}', b'{"text": "new", "x": 1.50, "y": 1e400, "z": NaN}'),
    (b' \t{ "x" : {"text": "a"} , "text" : "b" }\r\n', b' \t{ "x" : {"text": "a"} , "text" : "new" }\r\n'),
    (b'{"text": "a", "text": "b"}', b'{"text": "a", "text": "new"}'),
    (b'{"x": "\\"text\\": \\"a\\"", "text": "b}"}', b'{"x": "\\"text\\": \\"a\\"", "text": "new"}'),
    ('\ufeff{"x": "größer", "text": "b"}'.encode(), '\ufeff{"x": "größer", "text": "new"}'.encode()),
    (b'{"t\\u0065xt": "a"}', b'{"t\\u0065xt": "new"}'),
    (b'{"text":"a","l":[[],{},"]"]}', b'{"text":"new","l":[[],{},"]"]}'),
]


@pytest.mark.parametrize(("line", "expected"), ODD_LINES)
def test_one_value_of_a_line(line: bytes, expected: bytes) -> None:
    """Only its bytes change."""
    assert expected == with_value(line, "text", lambda _: "new")


@given(strategies.characters(), strategies.characters(), st.booleans())
def test_any_value_of_a_line(old: str, new: str, escaped: bool) -> None:
    """The old value is what JSON says, and the new line says the new one."""
    if not escaped:
        old = old.encode("utf-8", "replace").decode()
    line = json.dumps({"a": old, "text": old, "b": [old, {"text": old}]}, ensure_ascii=escaped).encode()
    seen: list[str] = []

    def change(text: str) -> str:
        seen.append(text)
        return new

    found = json.loads(with_value(line, "text", change))
    assert [old] == seen
    assert {"a": old, "text": new, "b": [old, {"text": old}]} == found


@pytest.mark.parametrize("format", [*LINES, *TABLES])
def test_annotating_keeps_everything(format: str, tmp_path: Path) -> None:
    """All records, with what was decided about each, and their own bytes in front."""
    rows = rows_of(texts_of())
    data = corpus_files.encode(format, rows)
    corpus_files.write(tmp_path / "in", f"x.{suffix_of(format)}", data)
    listing = corpus_files.Listing([tmp_path / "in"])
    report = report_of(listing, tmp_path / "report")
    applied = apply_report(report, tmp_path / "out", annotate=True)
    assert (32, 0, 0) == (applied.kept, applied.removed, applied.cut)
    new = (tmp_path / "out" / f"x.{suffix_of(format)}").read_bytes()
    if format == "jsonl":
        found = [json.loads(line) for line in new.splitlines()]
        for old_line, new_line in zip(data.splitlines(), new.splitlines(), strict=True):
            assert new_line.startswith(old_line[:-1])
    elif format in SEPARATED:
        import csv
        import io

        found = list(csv.DictReader(io.StringIO(new.decode(), newline=""), delimiter=SEPARATED[format]))
        kinds: list[tuple[str, Any]] = [("dedup_cluster", int), ("dedup_kept", json.loads), ("dedup_similarity", float)]
        for row in found:
            row["n"] = int(row["n"])
            for name, kind in [*kinds, ("dedup_reason", str), ("dedup_difference", str)]:
                row[name] = kind(row[name]) if row[name] else None
    else:
        found = read_table(format, new).to_pylist()
    corpus, _ = corpus_files.searched(listing)
    by_record = {row["record"]: row for row in report.decisions.to_pylist()}
    nothing = {"cluster": None, "kept": True, "similarity": None, "reason": None, "difference": None}
    for row, record, result in zip(rows, corpus.texts.records.tolist(), found, strict=True):
        known = by_record.get(record, nothing)
        assert {**row, **{f"dedup_{name}": known[name] for name in nothing}} == result
    assert len(by_record) > 10
    second = report_of(corpus_files.Listing([tmp_path / "out"]), tmp_path / "second")
    with pytest.raises(ParameterError, match="annotate: .* has the column 'dedup_cluster' already"):
        apply_report(second, tmp_path / "twice", annotate=True)
    assert not (tmp_path / "twice").exists()


def test_annotating_what_has_no_fields(tmp_path: Path) -> None:
    """Plain texts and paragraphs are refused, and the message says where the decisions are."""
    corpus_files.write(tmp_path / "in", "x.txt", b"a text\n\na text")
    listing = corpus_files.Listing([tmp_path / "in"])
    for unit, what in (("document", "plain text"), ("paragraph", "one of paragraphs"), ("line", "one of lines")):
        report = report_of(listing, tmp_path / unit, unit=unit)
        with pytest.raises(ParameterError, match=f"annotate: .*{what}.*decisions.parquet"):
            apply_report(report, tmp_path / "out", annotate=True)


UGLY = (
    b'\xef\xbb\xbf{"n": 1, "text": "one two three four five six"}\r\n'
    b"\n \t\r\n"
    b'{"n": 2, "text": "One two three four five six!"}\n'
    b"not json\n"
    b'{"n": 3, "text": 7}\n'
    b'{"n": 4, "text": null}\n'
    b'{"n": 5, "text": "\\ud800 other"}\n'
    b'\xff\xfe{"text": "x"}\n'
    b'{"n": 6, "text": "one two three four five six"}'
)


def test_rejected_records_are_left_out(tmp_path: Path) -> None:
    """They are counted; blank lines, a byte order mark and a missing last line break are unchanged."""
    corpus_files.write(tmp_path / "in", "x.jsonl", UGLY)
    corpus_files.write(tmp_path / "in", "y.csv", b'\n\r\nn,text\n1,"a b c d e\nf"\n2,x,y\n\n3,A b c d e f\n4,"open\n')
    listing = corpus_files.Listing([tmp_path / "in"])
    report = report_of(listing, tmp_path / "report")
    applied = apply_report(report, tmp_path / "out")
    lines = UGLY.splitlines(keepends=True)
    assert b"".join(lines[i] for i in (0, 1, 2, 6, 7)) == (tmp_path / "out" / "x.jsonl").read_bytes()
    assert b'\n\r\nn,text\n1,"a b c d e\nf"\n\n' == (tmp_path / "out" / "y.csv").read_bytes()
    assert (4, 3, 5) == (applied.kept, applied.removed, applied.rejected)
    assert "4 records written to 2 files; 3 removed, 5 rejected" == str(applied)


@pytest.mark.parametrize("compression", ["gzip", "zstd", "bz2", "xz"])
@pytest.mark.parametrize("format", [*LINES, "txt"])
def test_truncated_files(format: str, compression: str, tmp_path: Path) -> None:
    """What could be read of them is written, whole again."""
    random = Random(5)
    lines = [f"{random.random()} {random.random()} {random.random()} some words" for _ in range(4000)]
    plain = "\n".join(lines).encode() if format == "txt" else corpus_files.encode(format, rows_of([*lines, *lines[:9]]))
    data = corpus_files.pack(plain, compression)
    name = f"x.{suffix_of(format)}.{corpus_files.PACKED[compression]}"
    corpus_files.write(tmp_path / "in", name, data[: len(data) * 2 // 3])
    listing = corpus_files.Listing([tmp_path / "in"])
    corpus, rejects = corpus_files.searched(listing)
    assert len(rejects) == 1
    report = report_of(listing, tmp_path / "report")
    applied = apply_report(report, tmp_path / "out")
    assert len(corpus.texts) == applied.kept
    found = corpus_files.unpack((tmp_path / "out" / name).read_bytes(), compression) if applied.files else b""
    assert plain.startswith(found)
    again, rejects = corpus_files.searched(corpus_files.Listing([tmp_path / "out"])) if found else (corpus, [])
    assert [] == rejects
    assert [again.texts[i] for i in range(len(again.texts))] == [corpus.texts[i] for i in range(len(corpus.texts))]


def test_matched_records_go(tmp_path: Path) -> None:
    """A report of a match: the records that match are left out, the other side is not written."""
    texts = texts_of()
    corpus_files.write(tmp_path / "new", "x.jsonl", corpus_files.encode("jsonl", rows_of(texts)))
    corpus_files.write(tmp_path / "old", "y.jsonl", corpus_files.encode("jsonl", rows_of(texts[:4])))
    new, _ = corpus_files.searched(corpus_files.Listing([tmp_path / "new"]))
    old, _ = corpus_files.searched(corpus_files.Listing([tmp_path / "old"]))
    matches = dedup.match(new.texts, old.texts, min_words=None)
    write_run_report(tmp_path / "report", matches, listing=new.listing, against=old.listing)
    applied = apply_report(tmp_path / "report", tmp_path / "out")
    assert ["x.jsonl"] == os.listdir(tmp_path / "out")
    found, _ = corpus_files.searched(corpus_files.Listing([tmp_path / "out"]))
    assert matches.filter(texts) == [found.texts[row] for row in range(len(found.texts))]
    assert applied.removed == matches.summary.matched > 3


def test_matched_paragraphs_go(tmp_path: Path) -> None:
    """A report of a match by paragraphs: texts lose the paragraphs that occur on the other side."""
    shared = [f"paragraph {i} says the words of number {i} and some more of them in the end" for i in range(4)]
    texts = [f"only text {i} says this first line here\n\n{shared[i]}\n\nand {i} ends so" for i in range(4)]
    write_lines(tmp_path / "new.jsonl", texts)
    write_lines(tmp_path / "old.jsonl", [shared[1], shared[2] + "\n\nother words in another line of it"])
    new, old = dedup.files(str(tmp_path / "new.jsonl")), dedup.files(str(tmp_path / "old.jsonl"))
    matches = dedup.match(new, old, unit="paragraph", min_words=None)
    dedup.write_report(tmp_path / "report", matches)
    applied = dedup.apply_report(tmp_path / "report", tmp_path / "out")
    found = [json.loads(line)["text"] for line in (tmp_path / "out" / "new.jsonl").read_text().splitlines()]
    assert matches.filter(texts) == found
    assert [shared[0] in found[0], shared[1] in found[1], shared[2] in found[2]] == [True, False, False]
    assert (applied.cut, applied.removed) == (2, 0)


def write_lines(path: Path, texts: list[str]) -> None:
    """Write texts as JSON lines."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")


def test_one_folder_on_both_sides(tmp_path: Path) -> None:
    """Rejects of a file that is NEW and OLD are left out of what is written."""
    corpus_files.write(tmp_path / "in", "x.jsonl", b'{"text": "some words of its own"}\nbad\n{"text": "others"}\n')
    chosen = [dedup.files(tmp_path / "in", on_error="skip") for _ in range(2)]
    dedup.write_report(tmp_path / "report", dedup.match(*chosen, threshold=1.0, min_words=None))
    assert 2 == apply_report(tmp_path / "report", tmp_path / "out").removed
    assert b"" == (tmp_path / "out" / "x.jsonl").read_bytes()


def test_decisions_in_another_order_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that contradicts itself is an error, though every sum in it fits."""
    corpus_files.write(tmp_path / "in", "x.jsonl", corpus_files.encode("jsonl", rows_of(texts_of())))
    corpus, _ = corpus_files.searched(corpus_files.Listing([tmp_path / "in"]))
    result = dedup.find_duplicates(corpus.texts)
    rows = result._evidence.decision_rows()
    monkeypatch.setattr(type(result._evidence), "decision_rows", lambda *_: rows.take(list(range(len(rows)))[::-1]))
    write_run_report(tmp_path / "report", result, listing=corpus.listing)
    with pytest.raises(StorageError, match="expected decisions in the order of the files"):
        apply_report(tmp_path / "report", tmp_path / "out")


def test_no_repeats(tmp_path: Path) -> None:
    """Where nothing repeats, every byte is written again."""
    corpus_files.write(tmp_path / "in", "x.txt", b"words \n\n of their own")
    dedup.write_report(tmp_path / "report", dedup.find_repeats(dedup.files(tmp_path / "in")))
    assert dedup.Applied(1, 1, 0, 0, 0) == apply_report(tmp_path / "report", tmp_path / "out")
    assert b"words \n\n of their own" == (tmp_path / "out" / "x.txt").read_bytes()


# ------------------------------------------------------------------------------------- refusals


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Give the report of two files."""
    for name in ("a.jsonl", "b/c.jsonl"):
        corpus_files.write(tmp_path / "in", name, corpus_files.encode("jsonl", rows_of(texts_of())))
    return report_of(corpus_files.Listing([tmp_path / "in"]), tmp_path / "report")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("report", "is the report"),
        ("report/out", "lies in the report"),
        ("in/a.jsonl", "is the input"),
        ("in/a.jsonl/out", "lies in the input"),
        ("in", "contains the input"),
        (".", "contains the report"),
        ("link", "is the input"),
        ("hard", "is the input"),
        ("above/report/x", "lies in the report"),
        ("above/in/b", "contains the input"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_outputs_that_would_harm_are_refused(
    output: str, message: str, overwrite: bool, report: Report, tmp_path: Path
) -> None:
    """By name, through links, and by what lies in what; nothing is touched."""
    (tmp_path / "above").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "in" / "a.jsonl")
    os.link(tmp_path / "in" / "a.jsonl", tmp_path / "hard")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ParameterError, match=f"output: .* {message}"):
        apply_report(report, tmp_path / output, overwrite=overwrite)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_existing_folders(report: Report, tmp_path: Path) -> None:
    """Refused where they hold files; with overwrite, what an earlier apply wrote is replaced, and nothing else."""
    out = tmp_path / "out"
    apply_report(report, out)
    before = {path.name: path.read_bytes() for path in out.rglob("*.jsonl")}
    with pytest.raises(ParameterError, match="expected a new or an empty folder"):
        apply_report(report, out)
    (out / "a.jsonl").write_text("changed")
    apply_report(report, out, overwrite=True)
    assert before == {path.name: path.read_bytes() for path in out.rglob("*.jsonl")}
    (out / "b" / "letter.txt").write_text("dear")
    with pytest.raises(ParameterError, match="found b/letter.txt"):
        apply_report(report, out, overwrite=True)
    assert "dear" == (out / "b" / "letter.txt").read_text()


@pytest.mark.parametrize("how", ["size", "time", "gone"])
def test_inputs_that_changed(how: str, report: Report, tmp_path: Path) -> None:
    """An error that names both, and nothing is written."""
    path = tmp_path / "in" / "b" / "c.jsonl"
    if how == "size":
        path.write_bytes(path.read_bytes() + b"\n")
    elif how == "time":
        os.utime(path, ns=(1, 2))
    else:
        path.unlink()
    found = "found none" if how == "gone" else "found .* bytes, changed at"
    with pytest.raises(InputError, match=f"c.jsonl: expected the file that was searched.*{found}"):
        apply_report(report, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_file_of_the_same_size_and_time(report: Report, tmp_path: Path) -> None:
    """Counts that do not fit the report are an error, too."""
    path = tmp_path / "in" / "a.jsonl"
    status = os.stat(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\n", b" ", 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(InputError, match="expected .* records to keep and .* to remove, found"):
        apply_report(report, tmp_path / "out")
    assert ["in", "report"] == sorted(os.listdir(tmp_path))


def test_a_full_disk_leaves_nothing(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever sync fails."""
    real = os.fsync
    for at in range(5):
        calls = iter(range(100))

        def fsync(handle: int, at: int = at, calls: Any = calls) -> None:
            if next(calls) == at:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            with pytest.raises(StorageError, match="No space left"):
                apply_report(report, tmp_path / "out")
        if at < 4:  # the last one is of the folder above, after the rename
            assert ["in", "report"] == sorted(os.listdir(tmp_path))
    assert sorted(os.listdir(tmp_path / "out")) == ["a.jsonl", "b"]


def test_paths_are_seen_from_where_the_search_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of relative paths is applied from any folder."""
    corpus_files.write(tmp_path / "in", "a.jsonl", corpus_files.encode("jsonl", rows_of(texts_of())))
    monkeypatch.chdir(tmp_path)
    report_of(corpus_files.Listing(["in/a.jsonl"]), Path("report"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    applied = apply_report("../report", "out")
    assert applied.files == 1
    assert ["a.jsonl"] == os.listdir("out")


def test_the_same_bytes_however_many_threads(report: Report, tmp_path: Path) -> None:
    """Threads change nothing."""
    for threads in (1, 4):
        apply_report(report, tmp_path / str(threads), threads=threads)
    one, four = ({p.name: p.read_bytes() for p in (tmp_path / str(n)).rglob("*.jsonl")} for n in (1, 4))
    assert one == four
    assert len(one) == 2


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_bytes_that_are_no_text_are_not_cut(suffix: str, tmp_path: Path) -> None:
    """A row of a binary column that is not UTF-8 is rejected; lines are cut out of the other rows."""
    table = pa.table({"text": pa.array([b"one\ntwo\none\n", b"\xff\nx\n", None, b"two\nthree\n"], pa.binary())})
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    found = dedup.find_duplicates(dedup.files(path, on_error="skip"), unit="line", shingle="words:1")
    dedup.write_report(tmp_path / "report", found)
    applied = dedup.apply_report(tmp_path / "report", tmp_path / "out")
    assert (applied.kept, applied.rejected) == (3, 1)
    written = read_table(suffix[1:], (tmp_path / "out" / path.name).read_bytes())
    assert [b"one\ntwo\n", None, b"three\n"] == written.column("text").to_pylist()


@pytest.mark.parametrize("annotate", [False, True])
@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_table_that_a_bound_cut_short(suffix: str, annotate: bool, tmp_path: Path) -> None:
    """What was not searched since it did not fit is not written: it is rejected, and so is all after it."""
    texts = ["a b c d e", "a b c d e", "w " * 40_000_000, "x y z"]
    table = pa.table({"text": texts})
    if suffix == ".parquet":
        pq.write_table(table, tmp_path / "t.parquet", row_group_size=1)
    else:
        with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
            for row in range(4):
                writer.write_table(table.slice(row, 1))
    given = dedup.files(tmp_path / f"t{suffix}", on_error="skip")
    found = dedup.find_duplicates(given, memory="150MB", threads=1)
    assert found.summary.rejected == 1
    dedup.write_report(tmp_path / "report", found)
    applied = dedup.apply_report(tmp_path / "report", tmp_path / "out", annotate=annotate)
    assert (applied.kept, applied.rejected) == (found.summary.texts - (0 if annotate else 1), 1)
