"""WARC and WET: which records have texts, what is damaged, and what is written back."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zlib
from encodings.aliases import aliases
from pathlib import Path

import pyarrow as pa
import pytest

import dedup
from dedup.errors import InputError, ParameterError
from dedup.report.apply import apply_report
from dedup.report.write import write_run_report
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.formats.archives.members import MEMBER_STEP, Members
from dedup.sources.files.formats.archives.responses import decoded
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpora, corpus_files
from tests.archive_files import answer, record, wet
from tests.corpus_files import PACKERS, read_all

BODY = corpora.body(seed=43, size=6)
TEXTS = ["the ferry leaves at noon", "", "naïve café 北京", "the ferry leaves at noon", "a\r\n\r\nWARC/1.0\r\nb: c"]


def packed(*parts: bytes) -> bytes:
    """Write a gzip file with a member a part."""
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def page(paragraphs: list[str] = BODY) -> bytes:
    """Write a page with a menu and an article."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return f"<!doctype html><html><body><nav>Home</nav><article>{text}</article></body></html>".encode()


# ---------------------------------------------------------------------------------------- WET


@pytest.mark.parametrize("packing", [*PACKERS, "members"])
@pytest.mark.parametrize("size", [1, 60, 1 << 20])
def test_wet(packing: str, size: int, tmp_path: Path) -> None:
    """A text a record, numbered with those that have none; from any token on, and wherever batches end."""
    whole = wet(TEXTS)
    data = wet(TEXTS, packed=True) if packing == "members" else PACKERS[packing](whole)
    path = tmp_path / f"a.warc.wet{'.gz' if packing == 'members' else packing}"
    path.write_bytes(data)
    listing, limits = Listing([path]), BatchLimits(size=size)
    batches = list(read_batches(listing, id="url", extra=["date", "WARC-Record-ID", "record_id"], limits=limits))
    rows = [row for batch in batches for row in corpus_files.rows_of(batch)]
    assert TEXTS == [row.text for row in rows]
    assert [2, 3, 4, 5, 6] == [row.number for row in rows]
    assert [f"https://example.org/{n}" for n in range(1, 6)] == [row.id for row in rows]
    extra = {name: [value for batch in batches for value in batch.extra[name].to_pylist()] for name in batches[0].extra}
    assert "2026-11-30T00:00:01Z" == extra["date"][0]
    assert extra["WARC-Record-ID"] == extra["record_id"] == [f"urn:uuid:{n:032x}" for n in range(1, 6)]
    starts = [found.start() for found in re.finditer(rb"WARC/1.0\r\nWARC-Type", whole)]
    assert starts[1:] == [int(offset) for batch in batches for offset in batch.offsets]
    assert [] == [reject for batch in batches for reject in batch.rejects]
    for i, batch in enumerate(batches):
        after = json.loads(json.dumps(batch.more))
        rest = list(read_batches(listing, id="url", after=after, limits=limits))
        assert [corpus_files.rows_of(other) for other in batches[i + 1 :]] == list(map(corpus_files.rows_of, rest))


def test_without_a_name(tmp_path: Path) -> None:
    """It is detected by its first bytes; ids are numbers of records; folders are searched for it."""
    path = tmp_path / "noname"
    for data in (wet(TEXTS), wet(TEXTS, packed=True)):
        path.write_bytes(data)
        assert TEXTS == [row.text for row in read_all(path)[0]]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wet.gz").write_bytes(wet(TEXTS, packed=True))
    result = dedup.find_duplicates(tmp_path / "in")
    assert [f"{tmp_path}/in/a.wet.gz:5"] == result.removed.to_pylist()


def test_types_in_capitals(tmp_path: Path) -> None:
    """A type is known however it is written; the column has it as it is."""
    path = tmp_path / "a.warc"
    path.write_bytes(record(b"one", "Conversion", 1) + record(b"two", "CONVERSION", 2))
    (batch,) = read_batches(Listing([path]), extra=["type"])
    assert (["one", "two"], ["Conversion", "CONVERSION"]) == (
        corpus_files.decoded(batch),
        batch.extra["type"].to_pylist(),
    )


def test_columns(tmp_path: Path) -> None:
    """Columns that it does not have are errors that name those that it has; ids must be there, and be unique."""
    path = tmp_path / "a.warc"
    path.write_bytes(wet(TEXTS) + record(b"once more", number=1))
    with pytest.raises(InputError, match=r"no such column in .*, which is WARC; found 'text', 'url', 'rec"):
        read_all(path, column="body")
    with pytest.raises(InputError, match='id="url": expected unique ids'):
        dedup.find_duplicates(dedup.files(path, id="url"))
    with pytest.raises(InputError, match=r'id="WARC-Profile": expected an int or a text, found null at .*a.warc:2'):
        read_all(path, id="WARC-Profile")
    with pytest.raises(ParameterError, match="encoding: expected files of text"):
        dedup.files(path, encoding="cp1252")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves files to the collector
def test_warcio_reads_the_same(tmp_path: Path) -> None:
    """What another program writes is read as it reads it."""
    warcio = pytest.importorskip("warcio")
    out = io.BytesIO()
    writer = warcio.WARCWriter(out, gzip=True)
    writer.write_record(writer.create_warcinfo_record("a.warc.gz", {"software": "x"}))
    for number, text in enumerate(TEXTS):
        url, content = f"https://example.org/{number}", io.BytesIO(text.encode())
        writer.write_record(writer.create_warc_record(url, "conversion", content, warc_content_type="text/plain"))
    path = tmp_path / "a.warc.gz"
    path.write_bytes(out.getvalue())
    rows, rejects = read_all(path, id="url")
    assert [] == rejects
    assert [(f"https://example.org/{n}", text) for n, text in enumerate(TEXTS)] == [(row.id, row.text) for row in rows]


# -------------------------------------------------------------------------------------- damage


GOOD = [record(f"text {n}".encode(), number=n) for n in range(4)]
LENGTH = "expected a number of bytes as its Content-Length, found"

DAMAGED: dict[str, tuple[bytes, str]] = {
    "no length": (record(b"lost", Content_Length=None), f"{LENGTH} none"),
    "a word as length": (record(b"lost", Content_Length="ten"), f"{LENGTH} ten"),
    "negative": (record(b"lost", Content_Length="-4"), f"{LENGTH} -4"),
    "too short": (
        record(b"lost", Content_Length="3"),
        "expected a line break after 3 bytes, as its Content-Length says",
    ),
    "too long": (record(b"lost", Content_Length="5000000"), "expected 5,000,000 bytes, as its Content-Length says"),
    "bytes": (b"\0\1\2 something else\r\n" * 9, "expected a record, which begins with WARC/"),
    "no end of the header": (
        b"WARC/1.0\r\n" + b"x" * 100_000 + b"\r\n",
        "expected the end of its header within 65,536",
    ),
    "not UTF-8": (record(b"caf\xe9"), "not UTF-8: byte 0xe9 at offset 3 of its contents"),
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("form", ["plain", "members", "one member"])
def test_damaged_records(kind: str, form: str, tmp_path: Path) -> None:
    """One record is lost, and named with its place; the next ones are read."""
    damaged, reason = DAMAGED[kind]
    parts = [*GOOD[:2], damaged, *GOOD[2:]]
    data = {
        "plain": b"".join,
        "members": lambda parts: packed(*parts),
        "one member": lambda parts: packed(b"".join(parts)),
    }
    path = tmp_path / ("a.warc" if form == "plain" else "a.warc.gz")
    path.write_bytes(data[form](parts))
    rows, ((number, offset, found),) = read_all(path, id="url")
    assert [f"text {n}" for n in range(4)] == [row.text for row in rows]
    assert [1, 2, 4, 5] == [row.number for row in rows]
    assert (3, len(b"".join(GOOD[:2]))) == (number, offset)
    assert reason in found


def test_a_damaged_member(tmp_path: Path) -> None:
    """Whatever bit of a member is wrong, no more than its record is lost, and no record is wrong."""
    members = [gzip.compress(part, mtime=0) for part in GOOD]
    path = tmp_path / "a.warc.gz"
    lost = 0
    for at in range(len(members[1])):
        wrong = bytearray(members[1])
        wrong[at] ^= 0x10
        path.write_bytes(members[0] + bytes(wrong) + members[2] + members[3])
        rows, rejects = read_all(path)
        texts = [row.text for row in rows]
        assert texts in (["text 0", "text 2", "text 3"], ["text 0", "text 1", "text 2", "text 3"]), at
        assert (len(texts) == 3) == (len(rejects) == 1), (at, rejects)
        lost += len(rejects)
    assert lost > len(members[1]) * 0.8  # all but the time, the flags and the system of the header


@pytest.mark.parametrize("form", ["plain", "members", "one member"])
def test_files_that_end_early(form: str, tmp_path: Path) -> None:
    """All records before are read, and one reject says where the file ends."""
    whole = {"plain": b"".join(GOOD), "members": packed(*GOOD), "one member": packed(b"".join(GOOD))}[form]
    path = tmp_path / ("a.warc" if form == "plain" else "a.warc.gz")
    for end in range(len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:end])
        rows, rejects = read_all(path)
        assert [f"text {n}" for n in range(len(rows))] == [row.text for row in rows]
        assert len(rejects) <= 1
        assert rows or form == "one member"
        if form == "members":
            complete = sum(end >= len(packed(*GOOD[:n])) for n in range(1, 5))
            assert complete == len(rows)


def test_large_records(tmp_path: Path) -> None:
    """They are rejected and not held; the next one is read."""
    path = tmp_path / "a.warc"
    path.write_bytes(record(b"x" * (3 << 20), number=1) + GOOD[0])
    (batch,) = read_batches(Listing([path]).bounded(1))
    assert ["text 0"] == corpus_files.decoded(batch)
    assert "expected a record of 1,048,576 bytes or fewer" in batch.rejects[0].reason
    path = tmp_path / "b.warc.gz"
    path.write_bytes(gzip.compress(record(b"\0" * (40 << 20), number=1)) + gzip.compress(GOOD[0]))
    (batch,) = read_batches(Listing([path]).bounded(1))
    assert ["text 0"] == corpus_files.decoded(batch)


def test_long_members(tmp_path: Path) -> None:
    """Members of any length, empty ones and zeros after them give what gzip gives."""
    path = tmp_path / "a.gz"
    for sizes in ([0], [1, 0, 2], [MEMBER_STEP, MEMBER_STEP + 1, 3 * MEMBER_STEP], [5] * 5000):
        parts = [bytes(i % 251 for i in range(size)) for size in sizes]
        path.write_bytes(packed(*parts) + b"\0" * 7)
        with Members(str(path)) as stream:
            found = b"".join(iter(lambda: stream.read(1 << 20), b""))  # noqa: B023
            assert stream.broken is None
        assert b"".join(parts) == found


# --------------------------------------------------------------------------------------- pages


@pytest.fixture
def extra() -> None:
    """Skip without the extra."""
    pytest.importorskip("trafilatura")


def chunked(body: bytes) -> bytes:
    """Write a body in chunks."""
    parts = [body[at : at + 700] for at in range(0, len(body), 700)]
    return b"".join(f"{len(part):x};x=y\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


HTTP = {"kind": "response", "media": "application/http; msgtype=response"}

ANSWERS = {
    "plain": answer(page()),
    "gzip": answer(gzip.compress(page()), Content_Encoding="gzip"),
    "x-gzip": answer(gzip.compress(page()), Content_Encoding="X-GZIP"),
    "deflate": answer(zlib.compress(page()), Content_Encoding="deflate"),
    "raw deflate": answer(zlib.compress(page(), wbits=-15), Content_Encoding="deflate"),
    "zstd": answer(pa.compress(page(), codec="zstd", asbytes=True), Content_Encoding="zstd"),
    "unpacked already": answer(page(), Content_Encoding="gzip"),
    "unpacked already from br": answer(page(), Content_Encoding="br"),
    "identity": answer(page(), Content_Encoding="identity"),
    "chunked": answer(chunked(page()), Transfer_Encoding="chunked"),
    "chunked and gzip": answer(chunked(gzip.compress(page())), Transfer_Encoding="chunked", Content_Encoding="gzip"),
    "chunks joined already": answer(page(), Transfer_Encoding="chunked"),
    "no type": answer(page(), None),
    "another success": answer(page(), status="203 x"),
    "gzip of two members": answer(gzip.compress(page()[:700]) + gzip.compress(page()[700:]), Content_Encoding="gzip"),
    "gzip and more": answer(gzip.compress(page()) + b"\0\0 a note", Content_Encoding="gzip"),
    "an encoding that is no compression": answer(page(), Content_Encoding="utf-8"),
    "capitals": answer(page(), "TEXT/HTML"),
    "xhtml": answer(page(), "application/xhtml+xml"),
    "line feeds": answer(b"", "text/html").replace(b"\r\n", b"\n") + page(),
    "utf-16": answer(page().decode().encode("utf-16"), "text/html"),
    "charset": answer(page().decode().encode("utf-16-be"), 'text/html; charset="UTF-16BE"'),
    "unknown charset": answer(page(), "text/html; charset=none-such"),
    **{
        f"no charset of pages: {name}": answer(page(), f"text/html; charset={name}")
        for name in (
            "idna",
            "punycode",
            "unicode_escape",
            "raw_unicode_escape",
            "rot13",
            "base64",
            "utf-7",
            "undefined",
        )
    },
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.usefixtures("extra")
def test_answers(kind: str, tmp_path: Path) -> None:
    """What the page says, however a server sent it."""
    path = tmp_path / "a.warc"
    path.write_bytes(record(ANSWERS[kind], **HTTP))
    ((_, number, text, _),), rejects = read_all(path)
    assert (1, []) == (number, rejects)
    assert text is not None
    assert text.split("\n")[-len(BODY) :] == BODY
    assert "Home" not in text


@pytest.mark.usefixtures("extra")
def test_encodings_of_answers(tmp_path: Path) -> None:
    """By the header, else by the page; bytes that the encoding does not have are replaced."""
    text = "Café in Zürich and more words to read, so that it is a paragraph"
    meta = "<html><head><meta charset='windows-1252'></head><body><p>"
    cases = [
        (f"<html><p>{text}".encode("cp1252"), "text/html; charset=iso-8859-1", text),
        (f"{meta}{text}".encode("cp1252"), "text/html", text),
        (f"{meta}{text}".encode(), "text/html; charset=utf-8", text),
        (
            f"<html><p>{text}".encode("cp1252"),
            "text/html; charset=utf-8",
            text.replace("é", "\ufffd").replace("ü", "\ufffd"),
        ),
    ]
    for body, media, expected in cases:
        path = tmp_path / "a.warc"
        path.write_bytes(record(answer(body, media), **HTTP))
        assert expected == read_all(path)[0][0].text


def test_any_encoding_that_a_header_names() -> None:
    """No encoding of Python ends with an error, whatever the bytes are."""
    body = bytes(range(256)) + b"xn--\xfc.\\ud800 \\x" + b"a" * 80
    for name in {*aliases.values(), *aliases, "idna", "punycode", "unicode_escape", "none such", "\xfc", "a.b"}:
        assert isinstance(decoded(body, {"content-type": f"text/html; charset={name}"}), str)
        assert isinstance(decoded(f"<meta charset='{name}'>".encode() + body, {}), str)


@pytest.mark.usefixtures("extra")
def test_brotli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is compressed with brotli needs the extra; without it the error says so."""
    path = tmp_path / "a.warc"
    brotli = pytest.importorskip("brotli")
    path.write_bytes(record(answer(brotli.compress(page()), Content_Encoding="br"), **HTTP))
    assert BODY[-1] in (read_all(path)[0][0].text or "")
    for body in (b"\xff" * 40, brotli.compress(page())[:3], b"\x1b" + bytes(3)):
        path.write_bytes(record(answer(body, Content_Encoding="br"), **HTTP))
        assert "its body cannot be unpacked (br: " in read_all(path)[1][0][2], body
    wrong = bytearray(brotli.compress(page()))
    for at in range(len(wrong)):
        wrong[at] ^= 0x55
        path.write_bytes(record(answer(bytes(wrong), Content_Encoding="br"), **HTTP))
        rows, rejects = read_all(path)
        assert rejects or rows[0].text, at
        wrong[at] ^= 0x55
    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(ParameterError, match=r"expected brotli .* pip install 'dedup-text\[warc\]'"):
        read_all(path)


@pytest.mark.usefixtures("extra")
def test_bodies_that_cannot_be_unpacked(tmp_path: Path) -> None:
    """They are rejected: damaged ones, unknown compressions, and those that become too large."""
    bodies = {
        "its body cannot be unpacked (gzip: ": answer(
            b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 40, Content_Encoding="gzip"
        ),
        "(deflate: ": answer(b"\xff" * 40, Content_Encoding="deflate"),
        "(gzip: it ends before its first byte)": answer(gzip.compress(page())[:11], Content_Encoding="gzip"),
        "(compress: no such compression is known)": answer(b"\x1f\x9d", Content_Encoding="compress"),
        "expected a page of 1,048,576 bytes or fewer": answer(gzip.compress(b"a" * (9 << 20)), Content_Encoding="gzip"),
    }
    path = tmp_path / "a.warc"
    for reason, content in bodies.items():
        path.write_bytes(record(content, **HTTP) + GOOD[0])
        (batch,) = read_batches(Listing([path]).bounded(1))
        assert ["text 0"] == corpus_files.decoded(batch)
        assert reason in batch.rejects[0].reason


OTHERS = [
    record(answer(page(), status="404 Not Found"), **HTTP),
    record(answer(page(), status="301 Moved"), **HTTP),
    record(answer(b"x", "image/png"), **HTTP),
    record(answer(b"{}", "application/json"), **HTTP),
    record(answer(b"x", None), **HTTP),
    record(b"no answer", **HTTP),
    record(b"", **HTTP),
    record(b"20261130 example.org", "response", media="text/dns"),
    record(b"GET / HTTP/1.1\r\n\r\n", "request", media="application/http; msgtype=request"),
    record(b"a: b", "metadata", media="application/warc-fields"),
    record(b"{}", "conversion", media="application/json"),
    record(b"", "revisit"),
    record(b"x", "resource", media="image/png"),
    record(b"x", "new-kind"),
]


@pytest.mark.usefixtures("extra")
def test_records_without_texts(tmp_path: Path) -> None:
    """They are numbered, and no rejects; a resource that is a page has a text."""
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(OTHERS) + record(page(), "resource", media="text/html"))
    rows, rejects = read_all(path)
    assert [len(OTHERS) + 1] == [row.number for row in rows]
    assert [] == rejects


def test_pages_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of WET need nothing; a page says what to install."""
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    path = tmp_path / "a.warc"
    path.write_bytes(wet(TEXTS))
    assert TEXTS == [row.text for row in read_all(path)[0]]
    path.write_bytes(record(answer(page()), **HTTP))
    with pytest.raises(ParameterError, match=r"expected trafilatura"):
        read_all(path)


# --------------------------------------------------------------------------------- writing back


@pytest.mark.parametrize("form", ["plain", "members", "one member", "bz2"])
def test_kept_records_keep_their_bytes(form: str, tmp_path: Path) -> None:
    """Duplicates and damaged records go; all other bytes stay, those of members as they were packed."""
    parts = [
        record(b"software: x\r\n", "warcinfo", media="application/warc-fields"),
        record(" ".join(BODY).encode(), number=1),
        OTHERS[8],
        record(" ".join(BODY).upper().encode(), number=2),
        DAMAGED["a word as length"][0],
        record(b"something else", number=3),
    ]
    kept = [parts[i] for i in (0, 1, 2, 5)]

    def written(parts: list[bytes]) -> bytes:
        if form == "members":
            return b"".join(gzip.compress(part, 1 + i % 9, mtime=7) for i, part in enumerate(parts))
        return {"plain": bytes, "one member": gzip.compress, "bz2": PACKERS[".bz2"]}[form](b"".join(parts))

    name = {"plain": "a.warc", "bz2": "a.warc.bz2"}.get(form, "a.warc.gz")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(written(parts))
    result = dedup.find_duplicates(dedup.files(tmp_path / "in", on_error="skip"))
    assert [f"{tmp_path}/in/{name}:4"] == result.removed.to_pylist()
    write_run_report(tmp_path / "report", result, options={"column": "text"})
    applied = apply_report(tmp_path / "report", tmp_path / "out")
    assert (2, 1, 1) == (applied.kept, applied.removed, applied.rejected)
    data = (tmp_path / "out" / name).read_bytes()
    if form == "members":
        levels = [(0, 1), (1, 2), (2, 3), (5, 6)]
        assert b"".join(gzip.compress(parts[i], level, mtime=7) for i, level in levels) == data
    else:
        compression = {"plain": None, "bz2": "bz2"}.get(form, "gzip")
        assert b"".join(kept) == corpus_files.unpack(data, compression)


def test_what_is_not_written(tmp_path: Path) -> None:
    """Notes and cuts are errors that say where the answer is."""
    path = tmp_path / "in" / "a.wet"
    path.parent.mkdir()
    path.write_bytes(wet(["\n".join([*BODY, BODY[0]]), "another text"]))
    write_run_report(tmp_path / "one", dedup.find_duplicates(dedup.files(path)), options={"column": "text"})
    with pytest.raises(ParameterError, match="annotate: expected files of records with fields, found .* which is WARC"):
        apply_report(tmp_path / "one", tmp_path / "out", annotate=True)
    lines = dedup.find_duplicates(dedup.files(path), unit="line")
    write_run_report(tmp_path / "two", lines, options={"column": "text"})
    with pytest.raises(ParameterError, match="which is WARC; leave it out .*, to cut duplicate lines"):
        apply_report(tmp_path / "two", tmp_path / "out")
