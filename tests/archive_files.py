"""Archives as crawlers and wikis write them: WARC, WET, dumps of MediaWiki; written by plain Python."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["answer", "dump", "page_of", "record", "wet"]


def record(
    content: bytes, kind: str = "conversion", number: int = 0, media: str = "text/plain", **header: Any
) -> bytes:
    """Write a record; a field of the header that is None is left out."""
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{number:032x}>",
        "WARC-Date": f"2026-11-30T00:00:{number % 60:02}Z",
        "WARC-Target-URI": f"https://example.org/{number}",
        "Content-Type": media,
        "Content-Length": str(len(content)),
    } | {name.replace("_", "-"): value for name, value in header.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"WARC/1.0\r\n{lines}\r\n".encode() + content + b"\r\n\r\n"


def answer(body: bytes, media: str | None = "text/html; charset=utf-8", status: str = "200 OK", **header: str) -> bytes:
    """Write an answer of a server."""
    fields = ({} if media is None else {"Content-Type": media}) | {
        name.replace("_", "-"): value for name, value in header.items()
    }
    return (f"HTTP/1.1 {status}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n").encode() + body


def wet(texts: Sequence[str], *, packed: bool = False) -> bytes:
    """Write a WET file: a record about the file, and one for each text; packed, a member a record."""
    parts = [record(b"software: x\r\n", "warcinfo", media="application/warc-fields", WARC_Target_URI=None)]
    parts += [record(text.encode(), number=number) for number, text in enumerate(texts, start=1)]
    return b"".join(gzip.compress(part, mtime=0) if packed else part for part in parts)


HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <namespaces>
      <namespace key="0" case="first-letter" />
    </namespaces>
  </siteinfo>
"""


def page_of(text: str | None, number: int, *, redirect: str = "", older: Sequence[str] = ()) -> str:
    """Write a page with its revisions, the last one last."""
    revisions = "".join(
        f"    <revision>\n      <id>{number * 100 + i}</id>\n      <timestamp>2026-11-30T00:00:{i:02}Z</timestamp>\n"
        f'      <text bytes="{len(each or "")}" xml:space="preserve">{escape(each or "")}</text>\n    </revision>\n'
        for i, each in enumerate([*older, text])
    )
    target = f'    <redirect title="{redirect}" />\n' if redirect else ""
    head = f"  <page>\n    <title>Page {number}</title>\n    <ns>0</ns>\n    <id>{number}</id>\n"
    return f"{head}{target}{revisions}  </page>\n"


def dump(texts: Sequence[str]) -> bytes:
    """Write a dump of some pages."""
    pages = "".join(page_of(text, number) for number, text in enumerate(texts, start=1))
    return f"{HEAD}{pages}</mediawiki>\n".encode()
