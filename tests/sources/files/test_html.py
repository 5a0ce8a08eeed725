"""HTML: the text of pages, their encodings, what is rejected, and what is written back."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import dedup
from dedup.errors import ParameterError
from dedup.report.apply import apply_report
from dedup.report.write import write_run_report
from dedup.sources.files.formats import html
from dedup.sources.files.listing import Listing
from tests import corpora, corpus_files
from tests.corpus_files import PACKERS, read_all

BODY = corpora.body(seed=41, size=8)


def page(paragraphs: list[str], head: str = "", menu: str = "Home") -> str:
    """Give a page with a menu, an article and a footer."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return (
        f"<!DOCTYPE html>\n<html><head>{head}<title>News</title><style>p {{}}</style></head><body><nav><a href='/'>"
        f"{menu}</a></nav><article><h1>The title</h1>{text}</article><footer>About us</footer><script>x()</script>"
        "</body></html>"
    )


def test_html_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and how to do without; in a folder they are counted among what is not read."""
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    (tmp_path / "a.html").write_text(page(BODY), encoding="utf-8")
    (tmp_path / "b.txt").write_text("a text", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"expected trafilatura .* pip install 'trafilatura>=2.0' .*, or leave"):
        dedup.files(tmp_path / "a.html", tmp_path / "b.txt")
    files = dedup.files(tmp_path)
    assert [str(tmp_path / "b.txt")] == files.paths
    assert {".html, which needs trafilatura": 1} == files.unread["kinds"]


@pytest.mark.parametrize(
    ("data", "named", "encoding"),
    [
        (b"<meta charset=utf-8>", None, "utf-8"),
        (b"<META http-equiv=x content='text/html; charset=Windows-1251'>", None, "cp1251"),
        (b"<meta charset='iso-8859-1'>", None, "cp1252"),
        (b"<?xml version='1.0' encoding='windows-1251'?>\n<html>", None, "cp1251"),
        (b'\n<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?><meta charset=utf-8>', None, "cp1252"),
        (b"<html><?xml version='1.0' encoding='windows-1251'?>", None, "utf-8"),
        (b"<meta charset='utf-16'>", None, "utf-8"),
        (b"<meta charset='none-such'>", None, "utf-8"),
        (b"<meta charset='hex'>", None, "utf-8"),
        (b"<p>charset=cp1251</p>", None, "utf-8"),
    ],
)
def test_declared_encodings(data: bytes, named: str | None, encoding: str) -> None:
    """What a page says of itself is believed, as browsers do."""
    assert encoding == html.declared(data)


# ------------------------------------------------------------------------------- with the extra


@pytest.fixture
def extra() -> None:
    """Skip without the extra."""
    pytest.importorskip("trafilatura")


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.usefixtures("extra")
def test_the_text_of_a_page(packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The article, a paragraph a line, without menus and scripts; the id is the path; also without a name."""
    data = PACKERS[packing](page(BODY).encode())
    for name in (f"a.html{packing}", f"b.HTM{packing}", "noname"):
        path = tmp_path / name
        path.write_bytes(data)
        ((file, number, text, key),), rejects = read_all(path, id="id")
        assert (0, 1, str(path), []) == (file, number, key, rejects)
        assert text is not None
        assert text.split("\n")[-len(BODY) :] == BODY
        assert "Home" not in text
        assert "x()" not in text
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert BODY[0] in (read_all(Path("-"))[0][0].text or "")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<html><body>a b c</body></html>", "a b c"),
        (b"<p>one</p><p>two</p>", "one\ntwo"),
        (b"<html></html>", ""),
        (b"", ""),
        (b" \n", ""),
        (b"<html><body><ul><li>x</li></ul></body></html>", "x"),
        ("<html><body>\ufeffa &eacute; &#x5317;</body></html>".encode("utf-8-sig"), "a é 北"),
    ],
)
@pytest.mark.usefixtures("extra")
def test_small_pages(data: bytes, text: str, tmp_path: Path) -> None:
    """Without a main text, all the text; an empty page is an empty text."""
    (tmp_path / "a.html").write_bytes(data)
    ((*_, found, _),), rejects = read_all(tmp_path / "a.html")
    assert (text, []) == ((found or "").replace("\ufeff", ""), rejects)


@pytest.mark.usefixtures("extra")
def test_encodings_of_pages(tmp_path: Path) -> None:
    """By the mark, by the option, by the page; bytes of another one are a reject."""
    texts = ["Café in Zürich and more words to read", "Naïve façade of the house that Jack built"]
    path = tmp_path / "a.html"
    for head, encoding, named in (
        ("", "utf-8", None),
        ("", "utf-16", None),
        ("", "cp1252", "cp1252"),
        ("<meta charset='windows-1252'>", "cp1252", None),
        ("<meta charset='windows-1251'>", "cp1252", "cp1252"),
    ):
        path.write_bytes(page(texts, head).encode(encoding))
        batch = next(iter(corpus_files.read_batches(Listing([path], encoding=named))))
        assert all(text in (corpus_files.decoded(batch)[0] or "") for text in texts), (head, encoding)
    path.write_bytes(page(texts).encode("cp1252"))
    rows, ((line, offset, reason),) = read_all(path)
    assert ([], None, path.read_bytes().index(b"\xe9")) == (rows, line, offset)
    assert reason.startswith("not UTF-8: byte 0xe9 at offset")
    assert "--encoding cp1252" in reason


@pytest.mark.usefixtures("extra")
def test_pages_are_found_and_written(tmp_path: Path) -> None:
    """The same article with another menu is a duplicate; kept pages keep their bytes, and nothing is cut out."""
    one, two, other = page(BODY), page(BODY, menu="Start"), page(BODY[:1])
    for name, text in (("a.html", one), ("b.htm", two), ("c.xhtml", other)):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(text, encoding="utf-8", newline="")
    result = dedup.find_duplicates(dedup.files(tmp_path / "in"))
    assert [str(tmp_path / "in" / "b.htm")] == result.removed.to_pylist()
    assert "identical" == result.pairs.column("difference")[0].as_py()
    write_run_report(tmp_path / "report", result, options={"column": "text"})
    apply_report(tmp_path / "report", tmp_path / "out")
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert {"a.html": one.encode(), "c.xhtml": other.encode()} == written
    with pytest.raises(ParameterError, match="annotate: expected files of records with fields, found the page"):
        apply_report(tmp_path / "report", tmp_path / "notes", annotate=True)
    parts = dedup.find_duplicates(dedup.files(tmp_path / "in"), unit="line")
    write_run_report(tmp_path / "parts", parts, options={"column": "text"})
    with pytest.raises(ParameterError, match="found .*, which is a page, of which the text was extracted"):
        apply_report(tmp_path / "parts", tmp_path / "cut")


@pytest.mark.usefixtures("extra")
def test_damaged_pages(tmp_path: Path) -> None:
    """Every mutation gives a text or a reject; half of a compressed page is used."""
    from tests.fuzzing import mutated

    data, path = page(BODY).encode(), tmp_path / "a.html"
    for number in range(60):
        path.write_bytes(mutated(data, random.Random(number)))
        rows, rejects = read_all(path)
        assert 1 == len(rows) + len(rejects)
    path = tmp_path / "b.html.gz"
    path.write_bytes(PACKERS[".gz"](data)[:-30])
    rows, ((*_, reason),) = read_all(path)
    assert BODY[0][:20] in (rows[0].text or "")
    assert "the gzip stream ends too early" in reason


@pytest.mark.usefixtures("extra")
def test_large_pages(tmp_path: Path) -> None:
    """They are rejected before they are held."""
    path = tmp_path / "a.html"
    path.write_text(page(["word " * 400_000]), encoding="utf-8")
    (batch,) = corpus_files.read_batches(Listing([path]).bounded(1))
    assert [] == corpus_files.decoded(batch)
    assert "expected a page of 1,048,576 bytes or fewer" in batch.rejects[0].reason


def test_nothing_is_imported_without_pages() -> None:
    """`import dedup` and a search of other files do not load the extractor."""
    code = (
        "import sys, dedup; dedup.find_duplicates(dedup.files('docs/examples/notices.jsonl')); "
        "print('trafilatura' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(dedup.__file__).parents[1]
    )
    assert "False" == done.stdout.strip()


@pytest.mark.parametrize("depth", [100, 249, 260, 5_000, 100_000])
@pytest.mark.usefixtures("extra")
def test_elements_deep_in_one_another(depth: int, tmp_path: Path) -> None:
    """However deep a text lies, it is read, and so is what is around it; nothing hidden is."""
    (tmp_path / "a.html").write_text(
        f"<html><head><title>News</title><script>x('</div>')</script></head><body><p>Before<br>it</p>{'<div>' * depth}"
        f"<p>The <b>ferry</b> leaves\nat noon &amp; stops.</p>{'</div>' * depth}<p>After</p></body></html>",
        encoding="utf-8",
        newline="",
    )
    ((*_, text, _),), rejects = read_all(tmp_path / "a.html")
    assert ("Before it The ferry leaves at noon & stops. After", []) == (" ".join((text or "").split()), rejects)


@pytest.mark.usefixtures("extra")
def test_many_elements_are_not_deep(tmp_path: Path) -> None:
    """Elements that nobody closes, and many one after another, change nothing: menus stay out."""
    (tmp_path / "a.html").write_text(page([*BODY, *["<b>x</b><br><img>"] * 400]), encoding="utf-8")
    ((*_, text, _),), _ = read_all(tmp_path / "a.html")
    assert BODY[0] in (text or "")
    assert "Home" not in (text or "")
