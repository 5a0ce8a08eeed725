"""Encodings: every format in them, what they do not have, what apply writes, and what a reject says of them."""

from __future__ import annotations

import codecs
import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.report.apply import apply_report
from dedup.report.read import Report
from dedup.report.write import write_run_report
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.decompress import Stream
from dedup.sources.files.encodings import Decoding, Encoded, check_encoding, hint
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files, strategies
from tests.cli.test_commands import DONE, REJECTED, WRONG, call
from tests.corpus_files import PACKERS

TEXTS = ["Café in Zürich", "naïve façade", "plain", "“quoted” – €5"]
NAMED = ["cp1252", "utf-16-le", "utf-16-be", "utf-32-le", "mac-roman"]
MARKED = ["utf-16", "utf-32", "utf-16-be-mark"]


def encoded(text: str, encoding: str) -> bytes:
    """Encode a text; with a mark, if the encoding is one of `MARKED`."""
    return codecs.BOM_UTF16_BE + text.encode("utf-16-be") if encoding == "utf-16-be-mark" else text.encode(encoding)


def form(kind: str, texts: list[str]) -> str:
    """Give texts as the contents of a file of a kind."""
    if kind == "txt":
        return texts[0]
    if kind == "lines":
        return "".join(f"{text}\r\n" for text in texts)
    records = [{"n": i, "text": text} for i, text in enumerate(texts)]
    if kind == "json":
        return json.dumps(records, ensure_ascii=False, indent=1)
    if kind == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["n", "text"], delimiter={"csv": ",", "tsv": "\t"}[kind])
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


KINDS = ["txt", "lines", "json", "jsonl", "csv", "tsv"]


def read(listing: Listing, **options: Any) -> tuple[list[str | None], list[str]]:
    """Give the texts and the reasons of rejects."""
    batches = list(read_batches(listing, **options))
    texts = [text for batch in batches for text in corpus_files.decoded(batch)]
    return texts, [reject.reason for batch in batches for reject in batch.rejects]


@pytest.mark.parametrize("packing", ["", ".gz", ".xz"])
@pytest.mark.parametrize("encoding", [*NAMED, *MARKED])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_in_every_encoding(kind: str, encoding: str, packing: str, tmp_path: Path) -> None:
    """The texts are those that UTF-8 would give, wherever batches end, and from any token on."""
    path = tmp_path / f"a.x{packing}"
    path.write_bytes(PACKERS[packing](encoded(form(kind, TEXTS), encoding)))
    given = None if encoding in MARKED else encoding
    for size in (1, 1 << 20):
        limits = BatchLimits(size=size)
        listing = Listing([path], format=kind, encoding=given)
        assert (TEXTS[:1] if kind == "txt" else TEXTS, []) == read(listing, limits=limits)
        batches = list(read_batches(listing, limits=limits))
        for i, batch in enumerate(batches):
            rest = list(read_batches(listing, after=batch.more, limits=limits))
            assert [each.more for each in batches[i + 1 :]] == [each.more for each in rest]


def test_texts_are_found_again(tmp_path: Path) -> None:
    """A text that is asked for later is read from its place; spans are of the text."""
    texts = [f"Straße {i} " + "wörter hier " * 200_000 for i in range(4)]
    for encoding in ("cp1252", "utf-16"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_bytes(encoded(form("jsonl", texts), encoding))
        files = dedup.files(path, encoding="cp1252").read()
        assert 4 == len(files)
        assert all(texts[row] == files[row] for row in (3, 0, 2, 1))


def test_formats_are_detected_in_them(tmp_path: Path) -> None:
    """A table of a spreadsheet in UTF-16, and separated text in a named encoding."""
    for kind, encoding in (("tsv", "utf-16"), ("csv", "mac-roman"), ("json", "utf-16"), ("jsonl", "utf-32")):
        path = tmp_path / "a.table"
        path.write_bytes(encoded(form(kind, TEXTS), encoding))
        assert [kind] == [entry.format for entry in Listing([path], encoding=None if "utf" in encoding else encoding)]
    semicolons = tmp_path / "a.csv"
    semicolons.write_bytes(encoded(form("csv", TEXTS).replace(",", ";"), "utf-16"))
    assert ["csv-semicolon"] == [entry.format for entry in Listing([semicolons])]


BAD = {
    "cp1252": ("one\r\ntw\u0192", b"o\x81", "not cp1252: byte 0x81 at offset 1 of the line"),
    "utf-16-le": ("one\r\ntwo", b"o\x00\x00\xd8x\x00", "not utf-16-le: byte 0x00 at offset 1 of the line"),
    "ascii": ("one", b"caf\xc3\xa9", "not ascii: byte 0xc3 at offset 3 of the line"),
}


@pytest.mark.parametrize("encoding", BAD)
def test_bytes_that_an_encoding_does_not_have(encoding: str, tmp_path: Path) -> None:
    """The line is a reject that names the byte; the others are read."""
    text, bad, reason = BAD[encoding]
    path = tmp_path / "a.txt"
    path.write_bytes(f"{text}\n".encode(encoding) + bad + "\nlast".encode(encoding))
    texts, rejects = read(Listing([path], format="lines", encoding=encoding))
    assert ([*text.split("\r\n"), "last"], [reason]) == (texts, rejects)


@given(
    st.binary(max_size=30),
    st.sampled_from(["cp1252", "latin-1", "utf-16-le", "utf-32-be", "ascii", "cp1140"]),
    st.integers(0, 30),
)
@example(b"a\x81\x8d\xff", "cp1252", 2)
@example("a\ud800b".encode("utf-16-le", "surrogatepass"), "utf-16-le", 3)
def test_bytes_come_back(data: bytes, encoding: str, cut: int) -> None:
    """Whatever the bytes, decoded and encoded again they are the same, in any pieces."""
    decoding, sink = Decoding(encoding), io.BytesIO()
    text = decoding.decode(data[:cut]) + decoding.decode(data[cut:], last=True)
    writer = Encoded(sink, encoding)
    for at in range(0, len(text), max(cut, 1)):
        writer.write(text[at : at + max(cut, 1)])
    assert data == sink.getvalue()


@given(strategies.characters(), st.sampled_from(["utf-16", "utf-32"]), st.sampled_from([1, 3, 1 << 20]))
def test_streams_are_the_text(text: str, encoding: str, size: int) -> None:
    """A stream gives the text in UTF-8, after the mark, from any place on."""
    text = text.encode("utf-16", "ignore").decode("utf-16", "ignore").replace("\ufeff", "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(text.encode(encoding))
        (entry,) = Listing([path], format="txt")
        expected = b"\xef\xbb\xbf" + text.encode()
        for start in (0, len(expected) // 2):
            with Stream(entry, start) as stream:
                pieces = list(iter(lambda: stream.read(size), b""))  # noqa: B023
            assert expected[start:] == b"".join(pieces)
            assert all(len(piece) == size for piece in pieces[:-1])


HINTED = {
    "cp1252": ("Café in Zürich, it’s naïve".encode("cp1252"), True),
    "Latin-1": ("Café".encode("latin-1"), True),
    "Cyrillic": ("Привет, мир".encode("cp1251"), False),
    "Japanese": ("日本語のテキスト".encode("shift_jis"), False),
    "a surrogate": (b"text \xed\xa0\x80 and text", False),
    "bytes": (b"\x00\x81\xff", False),
    "UTF-8": ("Café".encode(), False),
}


@pytest.mark.parametrize("name", HINTED)
def test_what_bytes_look_like(name: str) -> None:
    """Western texts are told by their letters; of others nothing is said."""
    data, western = HINTED[name]
    assert western == ("looks like cp1252" in hint(data, "utf-8")) or name == "UTF-8"
    assert "" == hint(data, "cp1252")


def test_what_a_reject_says(tmp_path: Path) -> None:
    """It names the option, with the encoding that the bytes look like; then the option reads the file."""
    for kind in ("txt", "jsonl", "json", "csv", "lines"):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(form(kind, TEXTS[:1]).encode("cp1252"))
        _, (reason,) = read(Listing([path], format=kind))
        assert reason.endswith('; it looks like cp1252; give encoding="cp1252" (--encoding cp1252)')
        assert (TEXTS[:1], []) == read(Listing([path], format=kind, encoding="cp1252"))
    path = tmp_path / "b.txt"
    path.write_bytes("Привет, мир".encode("cp1251"))
    done = call("find", "b.txt", "a.jsonl", cwd=tmp_path)
    assert WRONG == done.returncode
    assert "give the encoding of the file with encoding= (--encoding)" in done.stderr


@pytest.mark.parametrize("wrong", ["", "none such", "idna", "hex", "unicode_escape", 5, ["utf-8"], "utf-7"])
def test_wrong_encodings(wrong: Any, tmp_path: Path) -> None:
    """They are errors that show examples."""
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    with pytest.raises(ParameterError, match='encoding: expected the name of an encoding such as "utf-8", "cp1252"'):
        dedup.files(tmp_path / "a.txt", encoding=wrong)


@pytest.mark.parametrize(
    ("data", "encoding"), [("id,text\n1,one two\n".encode("utf-16le"), None), (b"id,text\n1,one two\n", "cp500")]
)
def test_names_of_columns_in_another_encoding(data: bytes, encoding: str | None, tmp_path: Path) -> None:
    """A header that was read in a wrong encoding has no column `text`; the message says what is wrong."""
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(InputError, match="control characters in names .* another encoding; name it by encoding"):
        dedup.find_duplicates(dedup.files(tmp_path / "a.csv", encoding=encoding))
    (tmp_path / "b.csv").write_text("id,body\n1,one two\n", encoding="utf-8")
    with pytest.raises(InputError, match="no such column in .*; found 'id', 'body'$"):
        dedup.find_duplicates(dedup.files(tmp_path / "b.csv"))


def test_names_of_encodings(tmp_path: Path) -> None:
    """UTF-8 by any name is no option; a table has no encoding."""
    assert [None, None, None] == [check_encoding(name) for name in (None, "UTF8", "utf-8-sig")]
    assert ["cp1252", "iso8859-1", "utf-16-le"] == [check_encoding(name) for name in ("CP1252", "Latin-1", "UTF-16")]
    (tmp_path / "a.parquet").write_bytes(corpus_files.WRITERS[".parquet"]([{"text": "a"}]))
    with pytest.raises(
        ParameterError,
        match="encoding: expected files of text, found formats that have none or their own in .*a.parquet",
    ):
        dedup.files(tmp_path / "a.parquet", encoding="cp1252")


# ------------------------------------------------------------------------------------- written back


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-be-mark"])
@pytest.mark.parametrize("kind", KINDS)
def test_kept_records_keep_their_bytes(kind: str, encoding: str, packing: str, tmp_path: Path) -> None:
    """What is written is what would be written of UTF-8, in the encoding of the file."""
    texts = [*TEXTS, "PLAIN!", TEXTS[0]]
    suffix = {"lines": "txt"}.get(kind, kind)
    path = tmp_path / f"a.{suffix}{packing}"
    path.write_bytes(PACKERS[packing](encoded(form(kind, texts), encoding)))
    kept = form(kind, TEXTS)
    if kind == "jsonl":
        assert kept in form(kind, texts)
    name = None if encoding in MARKED else encoding
    listing = Listing([path], format=kind, encoding=name)
    result = dedup.find_duplicates(dedup.files(path, format=kind, encoding=name), shingle="words:1")
    write_run_report(tmp_path / "report", result, listing=listing, options={"column": "text"})
    assert [name] == [each.encoding for each in Report.open(tmp_path / "report").inputs]
    apply_report(tmp_path / "report", tmp_path / "out")
    found = corpus_files.unpack((tmp_path / "out" / path.name).read_bytes(), "gzip" if packing else None)
    assert encoded(kept, encoding) == found


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be-mark"])
@pytest.mark.parametrize("kind", ["jsonl", "lines"])
def test_a_mark_stays_when_the_first_record_goes(kind: str, encoding: str, tmp_path: Path) -> None:
    """It belongs to the file: without it, what is written would not be read again."""
    texts = ["a longer text that is kept", *TEXTS[:2]]
    path = tmp_path / f"a.{ {'lines': 'txt'}.get(kind, kind) }"
    path.write_bytes(encoded(form(kind, [texts[0], texts[1], texts[2], texts[0] + "."]), encoding))
    files = dedup.files(path, format=kind)
    found = dedup.find_duplicates(files, shingle="words:1", keep="last")
    dedup.write_report(tmp_path / "report", found)
    apply_report(tmp_path / "report", tmp_path / "out")
    written = (tmp_path / "out" / path.name).read_bytes()
    expected = form(kind, [texts[0], texts[1], texts[2], texts[0] + "."]).split("\n", 1)[1]
    assert encoded(expected, encoding) == written
    again = dedup.files(tmp_path / "out" / path.name, format=kind)
    assert [*texts[1:], texts[0] + "."] == list(again.read())


@pytest.mark.parametrize("kind", ["jsonl", "lines"])
def test_only_a_mark(kind: str, tmp_path: Path) -> None:
    """A file that has a mark and nothing else has no records, beside one that has some."""
    (tmp_path / "a.jsonl").write_bytes(codecs.BOM_UTF8)
    (tmp_path / "b.jsonl").write_bytes(codecs.BOM_UTF8 + b'{"text": "a b c"}\n')
    found = dedup.find_duplicates(dedup.files(tmp_path / "*.jsonl", format=kind), shingle="words:1")
    assert 1 == found.summary.texts
    dedup.write_report(tmp_path / "report", found)
    apply_report(tmp_path / "report", tmp_path / "out")
    for name in ("a.jsonl", "b.jsonl"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_paragraphs_are_cut_in_an_encoding(tmp_path: Path) -> None:
    """Another field may have bytes that the encoding does not have: they are as they were."""
    path = tmp_path / "a.csv"
    path.write_bytes('x,text\r\n\x81,"Zoë\n\nCafé"\r\n1,"Café\n\nfive"\r\n'.encode("latin-1"))
    result = dedup.find_duplicates(dedup.files(path, encoding="cp1252"), unit="paragraph", shingle="words:1")
    write_run_report(tmp_path / "report", result, options={"column": "text"})
    apply_report(tmp_path / "report", tmp_path / "out")
    assert 'x,text\r\n\x81,"Zoë\n\nCafé"\r\n1,"five"\r\n'.encode("latin-1") == (tmp_path / "out/a.csv").read_bytes()


def test_from_a_shell(tmp_path: Path) -> None:
    """The option, its report, and another encoding under the same name of a report."""
    (tmp_path / "a.jsonl").write_bytes(form("jsonl", [*TEXTS, TEXTS[0]]).encode("cp1252"))
    assert REJECTED == call("find", "a.jsonl", cwd=tmp_path).returncode
    for _ in range(2):  # the second time the report is there
        done = call("find", "a.jsonl", "--encoding", "windows-1252", "--output", "report", cwd=tmp_path)
        assert DONE == done.returncode, done.stderr
    done = call("find", "a.jsonl", "--encoding", "latin-1", "--output", "report", cwd=tmp_path)
    assert WRONG == done.returncode
    assert "the report of a search with encoding 'cp1252', not 'iso8859-1'" in done.stderr
    assert DONE == call("apply", "report", "--output", "out", cwd=tmp_path).returncode
    assert form("jsonl", TEXTS).encode("cp1252") == (tmp_path / "out/a.jsonl").read_bytes()
    done = call("repeats", "a.jsonl", "--encoding", "nonsense", cwd=tmp_path)
    assert WRONG == done.returncode
    assert "encoding: expected the name of an encoding" in done.stderr


@pytest.mark.parametrize("name", ["ansi", "ANSI", "windows"])
def test_what_windows_calls_ansi(name: str) -> None:
    """The error names the encodings that this may be."""
    with pytest.raises(ParameterError, match='what Windows calls ANSI is "cp1252" in the West'):
        check_encoding(name)
