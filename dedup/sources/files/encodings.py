"""Encodings of text files: all are read as UTF-8, and written back as they were.

The byte order mark at the beginning of a file gives its encoding: UTF-8, UTF-16 or UTF-32. Without one it is the
encoding that the user named, or UTF-8. The mark is kept, as that of UTF-8. Bytes that an encoding does not have become
surrogates, three bytes each that are not UTF-8: readers reject the text that contains them, and their values are known
when the file is written back. In UTF-8 itself nothing is changed.

Cost: two passes over the bytes; nothing for UTF-8.
"""

from __future__ import annotations

import codecs
import re
from typing import IO, Any

from dedup.errors import ParameterError
from dedup.options import shown

__all__ = ["UTF8", "Decoding", "Encoded", "bad_byte", "check_encoding", "encoding_of", "hint", "known_encoding"]

UTF8 = "utf-8"

BYTE_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"\xef\xbb\xbf": UTF8,
}
"""Byte order marks and their encodings; the longer ones first."""

WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": UTF8}
"""What is read if a file has no mark, though its encoding was named so."""

REFUSED = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf_7", "mbcs", "oem"}
"""Codecs of Python that are no encodings of files, or not everywhere."""

ESCAPED_RUNS = re.compile("([\udc00-\udcff]+)")
"""What stands for bytes that an encoding does not have."""
FIRST_ESCAPE = 0xDC00

CALLED_ANSI = {"ansi", "windows", "windows-ansi", "excel"}
ANSI = '; what Windows calls ANSI is "cp1252" in the West, "cp1250" in Central Europe, "cp1251" for Cyrillic'
"""What to do if an encoding is called as Windows calls it."""

HANDLER = "dedup.escape"

MOST_HIGH = 0.3
"""Share of letters beyond ASCII among all letters, at most, for bytes that look like cp1252."""

LONG_RUN = re.compile(rb"[\x80-\xff]{3}")

TYPOGRAPHIC = set(
    bytes((0x80, 0x82, 0x84, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, *range(0xA0, 0xC0), 0xD7)).decode(
        "cp1252"
    )
)
"""Characters of cp1252 that texts in Western languages have besides letters: quotes, dashes, signs."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(FIRST_ESCAPE + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, _escaped)


def encoding_of(head: bytes, named: str | None) -> str:
    """Return the encoding of a file that begins with `head`, 4 bytes or more if it has them.

    >>> encoding_of(b"a", None), encoding_of(b"\\xff\\xfea\\0", "cp1252"), encoding_of(b"a", "cp1252")
    ('utf-8', 'utf-16-le', 'cp1252')
    """
    marked = next((name for mark, name in BYTE_MARKS.items() if head.startswith(mark)), None)
    return marked or named or UTF8


def known_encoding(name: Any) -> str | None:
    """Return the name that Python has for an encoding of files; None if it is none.

    >>> known_encoding("Latin-1"), known_encoding("idna"), known_encoding("none such")
    ('iso8859-1', None, None)
    """
    try:
        found = codecs.lookup(name)
        of_files = (
            found.name.replace("-", "_") not in REFUSED
            and isinstance("".encode(found.name), bytes)
            and found.incrementaldecoder is not None
        )
    except (LookupError, TypeError, ValueError):
        return None
    return found.name if of_files else None


def check_encoding(given: Any) -> str | None:
    """Return the name that Python has for an encoding; None for UTF-8. Raise `ParameterError` if it is none."""
    if given is None:
        return None
    found = known_encoding(given)
    if found is None:
        raise ParameterError(
            f'encoding: expected the name of an encoding such as "utf-8", "cp1252", "latin-1" or "utf-16", found '
            f"{shown(given)}{ANSI if isinstance(given, str) and given.lower() in CALLED_ANSI else ''}"
        )
    name = WITHOUT_MARK.get(found, found)
    return None if name == UTF8 else name


class Decoding:
    """The bytes of a file as UTF-8, piece by piece."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)(HANDLER)

    def decode(self, data: bytes, *, last: bool = False) -> bytes:
        """Return the next bytes as UTF-8; after the `last` ones there are no more."""
        return self._decoder.decode(data, last).encode(UTF8, "surrogatepass")


class Encoded:
    """A file to which UTF-8 is written, in another encoding."""

    def __init__(self, sink: IO[bytes], encoding: str) -> None:
        self._sink, self._encoding = sink, encoding
        self._decoder = codecs.getincrementaldecoder(UTF8)("surrogatepass")

    def write(self, data: bytes) -> int:
        """Write some bytes of UTF-8, which may end within a character."""
        text = self._decoder.decode(data)
        for i, part in enumerate(ESCAPED_RUNS.split(text)):
            if part:
                escaped = i % 2 == 1
                self._sink.write(
                    bytes(ord(each) - FIRST_ESCAPE for each in part) if escaped else part.encode(self._encoding)
                )
        return len(data)


def bad_byte(data: bytes, at: int, encoding: str) -> str:
    """Return what is wrong at a place that is not UTF-8, in data that was read from a file in an encoding."""
    if encoding == UTF8:
        return f"not UTF-8: byte 0x{data[at]:02x}"
    value = (data[at + 1] & 0x03) << 6 | data[at + 2] & 0x3F if len(data) > at + 2 else data[at]
    return f"not {encoding}: byte 0x{value:02x}"


def hint(data: bytes, encoding: str) -> str:
    """Return what else a text may be that is not UTF-8, and what to do; "" if that is not known.

    >>> hint("Caf\\xe9 Z\\xfcrich".encode("cp1252"), "utf-8")
    '; it looks like cp1252; give encoding="cp1252" (--encoding cp1252)'
    """
    if encoding != UTF8 or not _looks_western(data):
        return ""
    return '; it looks like cp1252; give encoding="cp1252" (--encoding cp1252)'


def _looks_western(data: bytes) -> bool:
    """Return whether bytes look like cp1252, or Latin-1: letters and quotes beyond ASCII, few among many of ASCII.

    Three bytes beyond ASCII in a row are rather a damaged character of UTF-8, or of an encoding with longer ones.
    """
    if LONG_RUN.search(data):
        return False
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    beyond = [letter for letter in text if letter >= "\x80"]
    letters = sum(letter.isalpha() for letter in text)
    known = sum(letter.isalpha() or letter in TYPOGRAPHIC for letter in beyond)
    return known == len(beyond) and sum(letter.isalpha() for letter in beyond) <= MOST_HIGH * max(letters, 1)
