"""What a text is if something is ignored in it, or symbols are tokens: in plain Python, code point by code point.

No numpy, no import of dedup. Beside `tests.oracles`, which says what the tokens of a text are as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection

from tests import oracles

ACCENTED_SCRIPTS = ("LATIN ", "GREEK ", "CYRILLIC ", "HEBREW ", "ARABIC ")


def without_accents(text: str) -> str:
    """Give a text without the nonspacing marks of letters of five scripts, and without the Arabic tatweel."""
    kept = []
    base = ""  # the last letter, if it is of one of the scripts
    for c in unicodedata.normalize("NFKD", text):
        kind = oracles.class_of(c)
        if kind == oracles.SKIPPED or unicodedata.category(c) in ("Mc", "Me"):
            kept.append(c)
        elif unicodedata.category(c) == "Mn":
            if not base or (c == "\u0306" and base in "иИуУ"):
                kept.append(c)
        elif c == "\u0640":
            base = base or c
        else:
            named = unicodedata.category(c)[0] == "L" and unicodedata.name(c, "").startswith(ACCENTED_SCRIPTS)
            base = c if named else ""
            kept.append(c)
    return unicodedata.normalize("NFKC", "".join(kept))


# Possessive quantifiers, as a tokeniser never goes back.
_VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s"'>][^\s>]*+|(?=>)|\Z)"""
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>[a-z][^\s/>]*+)(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE})?+)*+(?:>|\Z)",
    re.ASCII | re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
_OTHER = re.compile(r"<[!?/][^>]*>")


def without_markup(text: str) -> str:
    """Give a text whose tags, comments, scripts and styles are each a space, with references decoded."""
    found = []
    at = 0
    data = False
    text = text.replace("\x0b", "\x00")  # white space to regular expressions, not to HTML
    while at < len(text):
        less = text.find("<", at)
        less = len(text) if less < 0 else less
        close = text.find("]]>", at, less) if data else -1
        if close >= 0:
            found.append(html.unescape(text[at:close]) + " ")
            at, data = close + 3, False
            continue
        found.append(html.unescape(text[at:less]))
        at = less
        if at == len(text):
            break
        tag, comment, other = (pattern.match(text, at) for pattern in (_TAG, _COMMENT, _OTHER))
        if ">" not in text[at:] or not (tag or comment or other):
            found.append("<")
            at += 1
        elif tag:
            at = tag.end()
            name = tag["name"].lower()
            if not tag["end"] and name in ("script", "style") and not _closed(tag[0]):
                stop = re.compile(rf"</{name}[ \t\n\f\r/>]", re.IGNORECASE | re.ASCII).search(text, at)
                at = stop.start() if stop else len(text)
            found.append(" ")
        elif text.startswith("<![CDATA[", at):
            at, data = at + 9, True
            found.append(" ")
        else:
            at = (comment or other).end()  # type: ignore[union-attr]  # one of them matches
            found.append(" ")
    return "".join(found)


def _closed(tag: str) -> bool:
    """Say whether a tag ends with a slash that is not of a value."""
    return tag.endswith("/>") and re.search(r"=\s*[^\s\"'>][^\s>]*/>\Z", tag) is None


def joined(text: str) -> str:
    """Give a text with the words joined that a hyphen divides at the end of a line."""
    found = []
    at = 0
    for match in re.finditer("[-\u2010\u00ad][ \t]*(?:\r\n|\n|\r)[ \t]*", text):
        before = text[: match.start()]
        while before and (oracles.class_of(before[-1]) in (oracles.MARK, oracles.SKIPPED)):
            before = before[:-1]
        after = text[match.end() : match.end() + 1]
        if before and after and unicodedata.category(before[-1])[0] == unicodedata.category(after)[0] == "L":
            found.append(text[at : match.start()])
            at = match.end()
    return "".join(found) + text[at:]


def read(text: str, ignore: Collection[str] = (), tokens: str = "words") -> list[str]:
    """Give the tokens of a text that is read in some way."""
    if "markup" in ignore:
        text = without_markup(text)
    if "hyphenation" in ignore:
        text = joined(text)
    if "accents" in ignore:
        text = without_accents(text)
    if "numbers" in ignore:
        text = oracles.zeros(unicodedata.normalize("NFKC", text))
    return all_tokens(text) if tokens == "all" else oracles.tokens(text)


def all_tokens(text: str) -> list[str]:
    """Give the tokens, with each symbol and punctuation code point (S*, P*) as one, with the marks on it."""
    found: list[str] = []
    last = ""  # what a letter or mark would go on with: "", "word", or "alone" for spaceless letters and symbols
    for c in unicodedata.normalize("NFKC", text).casefold():
        kind = oracles.class_of(c)
        alone = kind == oracles.SPACELESS or (unicodedata.category(c)[0] in "SP" and c != "_")
        if kind == oracles.SKIPPED:
            continue
        if alone or (kind == oracles.BASE and last != "word"):
            found.append(c)
            last = "alone" if alone else "word"
        elif kind == oracles.BASE or (kind == oracles.MARK and last):
            found[-1] += c
        else:
            last = ""
    return found
