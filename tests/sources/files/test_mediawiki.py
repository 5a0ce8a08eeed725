"""Dumps of MediaWiki: the texts of pages, hostile and damaged XML, and what is written back."""

from __future__ import annotations

import bz2
import json
import re
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.report.apply import apply_report
from dedup.report.decisions import Verdict
from dedup.report.rewriting.archives import rewrite_dump
from dedup.report.write import write_run_report
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.formats.archives.pages import Page, open_dump, pages_of
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpora, corpus_files
from tests.archive_files import HEAD, dump, page_of
from tests.corpus_files import PACKERS, read_all

BODY = corpora.body(seed=47, size=6)
TEXTS = ["'''The ferry''' leaves at [[noon]].", "", "naïve & <ref>café</ref> 北京 &amp;", "</page><page>", "a\n\nb"]


def whole(*pages: str) -> bytes:
    """Write a dump of pages that are written already."""
    return f"{HEAD}{''.join(pages)}</mediawiki>\n".encode()


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("size", [1, 60, 1 << 20])
def test_dumps(packing: str, size: int, tmp_path: Path) -> None:
    """A text a page, with its markup; from any token on, and wherever batches end."""
    path = tmp_path / f"enwiki-pages-articles.xml{packing}"
    path.write_bytes(PACKERS[packing](dump(TEXTS)))
    listing, limits = Listing([path]), BatchLimits(size=size)
    assert ["mediawiki"] == [entry.format for entry in listing]
    batches = list(read_batches(listing, id="id", extra=["title", "ns", "revision", "timestamp"], limits=limits))
    rows = [row for batch in batches for row in corpus_files.rows_of(batch)]
    assert TEXTS == [row.text for row in rows]
    assert [(n, n) for n in range(1, 6)] == [(row.number, row.id) for row in rows]
    extra = {name: [value for batch in batches for value in batch.extra[name].to_pylist()] for name in batches[0].extra}
    assert [f"Page {n}" for n in range(1, 6)] == extra["title"]
    assert ([0] * 5, [100, 200, 300, 400, 500]) == (extra["ns"], extra["revision"])
    for i, batch in enumerate(batches):
        after = json.loads(json.dumps(batch.more))
        rest = list(read_batches(listing, id="id", after=after, limits=limits))
        assert [corpus_files.rows_of(other) for other in batches[i + 1 :]] == list(map(corpus_files.rows_of, rest))


def test_streams_of_bzip2(tmp_path: Path) -> None:
    """Dumps "multistream" are several streams of bzip2, one after another."""
    data, path = dump(TEXTS), tmp_path / "a.xml.bz2"
    path.write_bytes(b"".join(bz2.compress(data[at : at + 300]) for at in range(0, len(data), 300)))
    assert TEXTS == [row.text for row in read_all(path)[0]]


def test_revisions_and_redirects(tmp_path: Path) -> None:
    """The last revision counts; a page that redirects has no text, but a number; a deleted text is null."""
    deleted = page_of("x", 4).replace(">x</text>", "/>").replace('xml:space="preserve"', 'deleted="deleted"')
    empty = "  <page>\n    <title>Page 5</title>\n    <ns>0</ns>\n    <id>5</id>\n  </page>\n"
    path = tmp_path / "a.xml"
    path.write_bytes(
        whole(page_of("new", 1, older=["old", "older"]), page_of("#REDIRECT [[x]]", 2, redirect="x"), deleted, empty)
    )
    rows, rejects = read_all(path, id="id")
    assert ([(1, "new", 1), (3, "", 4), (4, None, 5)], []) == ([row[1:] for row in rows], rejects)


def test_columns_of_dumps(tmp_path: Path) -> None:
    """Others than those of pages are errors; two of them can be one text; ids may be titles."""
    path = tmp_path / "a.xml"
    path.write_bytes(dump(TEXTS))
    with pytest.raises(
        InputError, match=r"which is a dump of MediaWiki; found 'text', 'title', 'id', 'ns', 'revision'"
    ):
        read_all(path, id="url")
    with pytest.raises(InputError, match=r'column="id": expected a column of texts in .*a.xml, found int'):
        read_all(path, column="id")
    result = dedup.find_duplicates(dedup.files(path, column=["title", "text"], id="title"))
    assert ["Page 1", "Page 2"] == result.kept.to_pylist()[:2]


def test_other_xml(tmp_path: Path) -> None:
    """It is named as what it is, with what to do; in folders it is counted, and dumps are read."""
    (tmp_path / "feed.xml").write_bytes(b"<?xml version='1.0'?>\n<!-- x -->\n<rss><item>a</item></rss>")
    (tmp_path / "a.xml").write_bytes(dump(TEXTS))
    with pytest.raises(InputError, match=r"XML with the root element <rss>; write its texts as JSON lines first"):
        dedup.files(tmp_path / "feed.xml")
    files = dedup.files(tmp_path)
    assert [str(tmp_path / "a.xml")] == files.paths
    assert {".xml": 1} == files.unread["kinds"]
    with pytest.raises(InputError, match="2 files not read: 2 .xml"):  # as before dumps were read
        dedup.files(tmp_path, format="txt")
    piece = tmp_path / "piece"
    piece.write_bytes(b"<div class='x'><p>a</p></div>")
    with pytest.raises(
        InputError, match=r'found what may be a piece of HTML; give its format .*"html" for what it says'
    ):
        dedup.files(piece)
    (tmp_path / "named").write_bytes(dump(TEXTS))
    assert TEXTS == [row.text for row in read_all(tmp_path / "named")[0]]
    assert TEXTS == [row.text for row in read_all(tmp_path / "named", format="mediawiki")[0]]


# -------------------------------------------------------------------------- hostile and damaged

BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE mediawiki [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {new} "{"&" + old + ";" * 1}{("&" + old + ";") * 9}">'
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>\n"
)

BAD_PAGES = {
    "an entity": (page_of("x", 9).replace(">x<", ">&i;<"), "not well-formed XML: undefined entity (line 8, column"),
    "an external entity": (page_of("x", 9).replace(">x<", ">&xxe;<"), "undefined entity"),
    "not closed": (page_of("x", 9).replace("</revision>", ""), "not well-formed XML: mismatched tag (line 10, column"),
    "a number": (page_of("x", 9).replace("<id>9</id>", "<id>nine</id>"), "<id>: expected a number, found 'nine'"),
    "a long number": (
        page_of("x", 9).replace("<id>9</id>", f"<id>{'9' * 9000}</id>"),
        "<id>: expected a number, found '99",
    ),
    "a letter": (page_of("x", 9).replace(">x<", ">\x00<"), "not well-formed XML"),
    "no end": (page_of("x", 9).replace("</page>", ""), "expected </page>, found another page"),
    "deep": (page_of("x", 9).replace(">x<", f">{'<a>' * 200_000}<"), "mismatched tag"),
}


@pytest.mark.parametrize("kind", BAD_PAGES)
def test_bad_pages(kind: str, tmp_path: Path) -> None:
    """One page is rejected with its place, and all others are read; entities that a file declares do not exist."""
    bad, reason = BAD_PAGES[kind]
    path, first = tmp_path / "a.xml", page_of("one", 1)
    path.write_bytes(BOMB.encode() + whole(first, bad, page_of("three", 3)))
    rows, ((number, offset, found),) = read_all(path, id="id", format="mediawiki")
    assert [(1, "one"), (3, "three")] == [(row.number, row.text) for row in rows]
    assert 2 == number
    assert path.read_bytes()[offset:].startswith(b"<page>")
    assert reason in found


def test_deep_pages(tmp_path: Path) -> None:
    """Elements within one another, as many as fit, end nothing."""
    path, deep = tmp_path / "a.xml", f"{'<a>' * 200_000}{'</a>' * 200_000}"
    path.write_bytes(whole(page_of("x", 1).replace("<text", f"{deep}<text"), page_of("y", 2)))
    assert ["x", "y"] == [row.text for row in read_all(path)[0]]


@pytest.mark.parametrize("where", ["before <b>x</b>", "<b>x</b> after", "before <b/> after", "<ref>x</ref>"])
@pytest.mark.parametrize("name", ["text", "title", "timestamp"])
def test_elements_in_a_text(name: str, where: str, tmp_path: Path) -> None:
    """No text is cut silently: MediaWiki escapes markup, so the page is rejected; comments and CDATA cut nothing."""
    path = tmp_path / "a.xml"
    bad = re.sub(rf"(<{name}[^>]*>)[^<]*", rf"\g<1>{where}", page_of("x", 1))
    path.write_bytes(whole(bad, page_of("y", 2)))
    rows, ((number, _, reason),) = read_all(path, extra=["title", "timestamp"])
    assert (["y"], 1) == ([row.text for row in rows], number)
    assert f"<{name}>: expected only text in it, found the element <{'ref' if 'ref' in where else 'b'}>" == reason
    path.write_bytes(whole(page_of("x", 1).replace(">x<", ">before <!-- c --><![CDATA[<b>x</b>]]>&lt;br> after<")))
    assert ["before <b>x</b><br> after"] == [row.text for row in read_all(path)[0]]


NUMBERS = {"7": 7, " 7\n": 7, "-1": -1, "007": 7, "9" * 18: int("9" * 18)}


@given(
    written=st.one_of(
        st.sampled_from([*NUMBERS, "²", "٢", "1_0", "+1", "--1", "1.0", "", " "]),
        st.text(st.characters(codec="utf-8"), max_size=5),
    )
)
def test_numbers_of_any_characters(written: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An id of ASCII digits is a number; any other one, or a letter that XML does not have, rejects its page."""
    path = tmp_path_factory.getbasetemp() / "numbers.xml"
    for name in ("id", "ns"):
        page = page_of("x", 1).replace(f"<{name}>{int(name == 'id')}<", f"<{name}>{escape(written)}<", 1)
        path.write_bytes(whole(page, page_of("y", 2)))
        rows, rejects = read_all(path, format="mediawiki", extra=["ns"], id="id")
        assert [(1, "x")] * (re.fullmatch(r"\s*-?[0-9]+\s*", written, re.ASCII) is not None) + [(2, "y")] == [
            (row.number, row.text) for row in rows
        ]
        assert 2 == len(rows) + len(rejects)
        if written in NUMBERS and name == "id":
            assert NUMBERS[written] == rows[0].id


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    """They are rejected with their page."""
    path = tmp_path / "a.xml"
    path.write_bytes(whole(page_of("caf?", 1), page_of("y", 2)).replace(b"caf?", b"caf\xe9"))
    rows, ((number, _, reason),) = read_all(path)
    assert (["y"], 1) == ([row.text for row in rows], number)
    assert reason.startswith("not well-formed XML: not well-formed (invalid token)")


def test_dumps_that_end_early(tmp_path: Path) -> None:
    """The pages before are read, and one reject says so."""
    data, path = dump(TEXTS), tmp_path / "a.xml"
    ends = [at + len(b"</page>") for at in range(len(data)) if data.startswith(b"</page>", at)]
    for end in range(len(HEAD), len(data) - 2):
        path.write_bytes(data[:end])
        rows, rejects = read_all(path)
        assert TEXTS[: sum(each <= end for each in ends)] == [row.text for row in rows]
        assert 1 == len(rejects)
        assert "found the end of the file" in rejects[0][2]
    path = tmp_path / "a.xml.gz"
    path.write_bytes(PACKERS[".gz"](data)[:-20])
    rows, ((*_, reason),) = read_all(path)
    assert "the gzip stream ends too early" in reason


@pytest.mark.parametrize("records", [1, 2, 3, 9])
def test_the_early_end_is_told_once(records: int, tmp_path: Path) -> None:
    """Reading on after any batch, the last one too, gives the rest: no reject twice."""
    path, other = tmp_path / "a.xml", tmp_path / "b.xml"
    other.write_bytes(dump(["z"]))
    for content in (dump(["x", "y"])[:-20], dump(["x", "y"])[:-40], dump(["x", "y"])[:-14], dump(["x", "y"])):
        path.write_bytes(content)
        listing, limits = Listing([path, other]), BatchLimits(records=records)
        batches = list(read_batches(listing, limits=limits))
        for i, batch in enumerate(batches):
            rest = list(read_batches(listing, after=batch.more, limits=limits))
            assert [b.numbers.tolist() for b in batches[i + 1 :]] == [b.numbers.tolist() for b in rest]
            assert [b.rejects for b in batches[i + 1 :]] == [b.rejects for b in rest]


def test_pages_in_comments(tmp_path: Path) -> None:
    """They are no pages; a comment that does not end, and one that is longer than a page may be, is none."""
    comment, path = "<!-- <page><title>x</title></page> </mediawiki> -->", tmp_path / "a.xml"
    path.write_bytes(whole(comment, page_of("one", 1), comment, page_of("two", 2), comment))
    assert ([(1, "one", 1), (2, "two", 2)], []) == ([row[1:] for row in read_all(path, id="id")[0]], read_all(path)[1])
    path.write_bytes(whole("<!-- ", page_of("one", 1), page_of("two", 2)))
    assert ["one", "two"] == [row.text for row in read_all(path)[0]]
    path.write_bytes(whole("<!-- ", page_of("one", 1), page_of("x " * (1 << 19), 2), " -->"))
    (batch,) = read_batches(Listing([path]).bounded(1))
    assert ["one"] == corpus_files.decoded(batch)


def test_large_pages(tmp_path: Path) -> None:
    """They are rejected and not held; the next one is read."""
    path = tmp_path / "a.xml"
    path.write_bytes(whole(page_of("x" * (3 << 20), 1), page_of("y", 2)))
    (batch,) = read_batches(Listing([path]).bounded(1))
    assert ["y"] == corpus_files.decoded(batch)
    assert (1, "expected a page of 1,048,576 bytes or fewer") == (batch.rejects[0].line, batch.rejects[0].reason[:43])


XML_PIECES = [
    *("<page>", "</page>", "<pagex>", "<page ", "<", ">", "x", "\n", "<!--", "-->"),
    *("<mediawiki>", "</mediawiki>", "</siteinfo>"),
]


def pages_in(found: list[Page]) -> list[tuple[int, bytes, str]]:
    """Give the end, bytes and damage of each page; in how many parts all else is depends on what is read at a time."""
    return [(page.offset + page.size, page.data[page.begin :], page.wrong) for page in found if page.begin >= 0]


@given(
    pieces=st.lists(st.sampled_from(XML_PIECES), max_size=20),
    size=st.integers(1, 9),
    most=st.sampled_from([4, 12, 1 << 20]),
)
def test_pages_wherever_pieces_end(
    pieces: list[str], size: int, most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However a file is read, its pages are the same, and together they are the file."""
    data = "".join(pieces).encode() + b"</mediawiki>"
    path = tmp_path_factory.getbasetemp() / "pieces.xml"
    path.write_bytes(data)
    entry = Listing([path], format="mediawiki")[0]
    found = []
    for step in (size, 1 << 20):
        with open_dump(entry) as stream:
            found.append(list(pages_of(stream, most, size=step)))
    assert pages_in(found[0]) == pages_in(found[1])
    kept = [(page.offset, page.data) for page in found[0] if page.data and page.size]
    assert all(data.startswith(each, at) for at, each in kept)
    assert [sum(page.size for page in found[0][:i]) for i in range(len(found[0]))] == [page.offset for page in found[0]]
    assert len(data) == sum(page.size for page in found[0])


# ------------------------------------------------------------------------------------ writing back


@pytest.mark.parametrize("packing", ["", ".bz2"])
@pytest.mark.parametrize("first", [0, 1])
def test_kept_pages_keep_their_bytes(packing: str, first: int, tmp_path: Path) -> None:
    """Duplicates and damaged pages go; all other bytes stay, and the file is a dump again."""
    text = " ".join(BODY)
    pages = [
        page_of(text, 1),
        page_of(f"{text}.", 2),
        page_of("#REDIRECT [[x]]", 3, redirect="x"),
        BAD_PAGES["not closed"][0],
        page_of("something else", 5),
    ]
    path = tmp_path / "in" / f"a.xml{packing}"
    path.parent.mkdir()
    path.write_bytes(PACKERS[packing](whole(*pages)))
    files = dedup.files(path.parent, on_error="skip")
    result = dedup.find_duplicates(files, keep="shortest" if first else "longest")
    assert [f"{path}:{2 if first else 1}"] == result.removed.to_pylist()
    write_run_report(tmp_path / "report", result, options={"column": "text"})
    applied = apply_report(tmp_path / "report", tmp_path / "out")
    assert (2, 1, 1) == (applied.kept, applied.removed, applied.rejected)
    found = corpus_files.unpack((tmp_path / "out" / path.name).read_bytes(), "bz2" if packing else None)
    kept = [pages[0 if first else 1], pages[2], pages[4]]
    assert whole(*kept) == found
    with pytest.raises(ParameterError, match=r"annotate: expected .*, found .*, which is a dump of MediaWiki; the dec"):
        apply_report(tmp_path / "report", tmp_path / "notes", annotate=True)


def kept_of(path: Path, removed: list[int], target: Path) -> tuple[list[str | None], list[str | None]]:
    """Write a dump without some of its pages; give the texts to be kept, and those that are read from what was written.

    That is a dump in which nothing is damaged.
    """
    rows, rejects = read_all(path)
    numbers = [np.array(sorted(some), dtype=np.int64) for some in (removed, {line or 0 for line, *_ in rejects})]
    verdict = Verdict("a.xml", "text", *numbers, np.empty((0, 4), dtype=np.int64), None, "document")
    counts = rewrite_dump(Listing([path])[0], target, verdict)
    kept = [row.text for row in rows if row.number not in removed]
    assert len(kept) == counts.kept
    assert "mediawiki" == Listing([target])[0].format
    again, damaged = read_all(target)
    assert [] == damaged
    return kept, [row.text for row in again]


DAMAGES = ["", "</page>", "<page>", "<title>", "</mediawiki>"]


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_written_is_a_dump(which: int, damage: str, tmp_path: Path) -> None:
    """Whatever is damaged, and whichever page goes: header and end stay, or are made, and all kept pages are read."""
    pages = [page_of(f"{word} text", number) for number, word in enumerate(("one", "two", "three"), start=1)]
    if damage:
        pages[which] = pages[which].replace(damage, "")
    path = tmp_path / "a.xml"
    path.write_bytes(whole(*pages).replace(damage.encode() if "wiki" in damage else b"\0", b""))
    for removed in ([], [which + 1], [1, 2, 3]):
        kept, again = kept_of(path, removed, tmp_path / "b.xml")
        assert kept == again
        assert len({1, 2, 3} - {*removed, *([which + 1] if "wiki" not in damage and damage else [])}) == len(kept)


@given(data=st.data())
def test_what_is_written_of_any_damaged_dump(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes are lost, doubled or cut out anywhere after the first tag: the kept texts are read again, and no reject."""
    folder, content = tmp_path_factory.getbasetemp(), dump(["one", "two", "three", "four"])
    first = content.index(b">") + 1
    for _ in range(data.draw(st.integers(1, 3))):
        start, end = sorted(data.draw(st.tuples(*[st.integers(first, len(content))] * 2)))
        piece = data.draw(st.sampled_from([b"", content[start:end], b"<page>", b"</page>", b"</mediawiki>", b"<!--"]))
        end = end if data.draw(st.booleans()) else start
        content = content[:start] + piece + content[end:]
    path, target = folder / "any.xml", folder / "written.xml"
    path.write_bytes(content)
    kept, again = kept_of(path, data.draw(st.lists(st.integers(1, 4))), target)
    assert kept == again


def test_large_first_pages(tmp_path: Path) -> None:
    """The header stays if the first page is too large to be held; another end of the file is not told."""
    path, target = tmp_path / "a.xml", tmp_path / "b.xml"
    for pages in (["x" * (3 << 20), "y"], ["y", "x" * (3 << 20)]):
        path.write_bytes(dump(pages))
        entry = Listing([path]).bounded(1)[0]
        none, rejected = np.empty(0, dtype=np.int64), np.array([pages.index("y") ^ 1]) + 1
        verdict = Verdict("a.xml", "text", none, rejected, none.reshape(0, 4), None, "document")
        assert 1 == rewrite_dump(entry, target, verdict).kept
        assert whole(page_of("y", pages.index("y") + 1)) == target.read_bytes()
