"""Texts that are read with something ignored, or with symbols as tokens, against plain Python."""

from __future__ import annotations

import html
import time
import unicodedata
from collections.abc import Sequence
from html.entities import html5
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.hashing.shingles import Shingle
from dedup.hashing.units import hash_block
from dedup.reading import IGNORE, Reading
from dedup.sources.texts import Block
from dedup.text import points
from dedup.text.rewriting import rewritten_text
from dedup.text.tokens import tokens
from dedup.unit import Unit
from tests import oracles, oracles_reading, strategies

pytestmark = pytest.mark.skipif(not oracles.SAME_UNICODE, reason="this Python knows another Unicode")

MARKS = (
    "\u0301\u0306\u0308\u0323\u0338\u0345\u0651\u064e\u0670\u05b8\u05c1\u094d\u0941\u3099\u20dd\u0488\u0640\u200d\u034f"
)
LETTERS = "aeIyиИуУЙйўαΑωᾳאשكبتأئکأकงがñđøłé1_-+=\u2013\u2026\u00b4ﷺﹱﳲ½②㏠⒛①٣４𝟗\U00042013漢"
PIECES = [
    *(
        "<",
        "<a",
        "</",
        "</a",
        "<!",
        "<!--",
        "-->",
        "--!>",
        "-",
        "!",
        ">",
        "/>",
        "/",
        "?",
        "<?xml",
        "<b>",
        "</b >",
        "=",
        '"',
    ),
    *(
        "'",
        "<a href='x'>",
        '<p title=">" a=b/>',
        "<script>",
        "</script>",
        "<STYLE a>",
        "</style\n>",
        "</scriptx",
        "script",
    ),
    *("<![CDATA[", "]]>", "]", "&", "&amp;", "&lt;", "&notit;", "&eacute", "&#", "x41;", "&#49;", "&#x110000;", "&#0;"),
    *("&#128;", "&#xD800;", "&#31;", "&#xfffe;", "&#99999999999999999999;", "&CounterClockwiseContourIntegral;", ";"),
    *("a", "é", "e\u0301", "-\n", "\u2010 \r\n ", "\u00ad\r", "\n", " ", "1", "漢", "\u0301", "\0", "\ud800", "x\n-\n"),
]
IGNORED = [(), ("accents",), ("numbers",), ("accents", "numbers"), ("markup",), ("hyphenation",), IGNORE]
READINGS = [(ignore, kind) for ignore in IGNORED for kind in ("words", "all") if ignore or kind == "all"]

odd = st.text(st.sampled_from(MARKS + LETTERS + "ab 12\n"), max_size=24)
hostile = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
every = st.one_of(odd, hostile, strategies.texts(), strategies.characters(), st.text(max_size=20))


def spelled(text: str, ignore: Sequence[str], kind: str) -> list[tuple[str, int]]:
    """Give each token with its hash; check the spans on the way."""
    found = tokens(text, ignore=ignore, tokens=kind)
    wanted = oracles_reading.read(text, ignore, kind)
    assert len(wanted) == len(found), (wanted, [text[t.start : t.end] for t in found])
    before = 0
    for token, place in zip(wanted, found, strict=True):
        assert before <= place.start < place.end <= len(text) or "".join(wanted).count(token)
        part = text[place.start : place.end]
        if "markup" not in ignore or not {"<", "[", "&"} & set(
            text
        ):  # else what is markup depends on what is before it
            assert token in oracles_reading.read(part, ignore, kind)
        before = place.start
    return [(token, place.hash) for token, place in zip(wanted, found, strict=True)]


@given(st.lists(every, min_size=1, max_size=4), st.sampled_from(READINGS))
@example(["cafe\u0301 café cafe CAFÉ", "й и\u0306 и ё е ў"], (("accents",), "words"))
@example(["كَتَبَ كتب كـــتب", "שָׁלוֹם שלום"], (("accents",), "words"))
@example(["a\u2014b \u201cq\u201d \U00042014 =\u0338 \u2260 C++ x\u0338"], ((), "all"))
def test_the_tokens_of_a_text(texts: list[str], reading: tuple[tuple[str, ...], str]) -> None:
    """The tokens of plain Python, each with one hash, which no other token has."""
    hashes: dict[str, int] = {}
    for text in texts:
        for token, value in spelled(text, *reading):
            assert value == hashes.setdefault(token, value)
    assert len(set(hashes.values())) == len(hashes)


@given(every, st.sampled_from(IGNORED))
def test_hashes_are_those_of_words(text: str, ignore: tuple[str, ...]) -> None:
    """A word has the same hash whether something is ignored or not."""
    for token, value in spelled(text, ignore, "words"):
        plain = tokens(token)
        if [token] == oracles.tokens(token):
            assert value == plain[0].hash


@given(every, st.sampled_from(READINGS))
def test_a_token_ends_after_its_marks(text: str, reading: tuple[tuple[str, ...], str]) -> None:
    """A mark that is dropped belongs to the letter before it."""
    ignore, kind = reading
    for token in tokens(text, ignore=ignore, tokens=kind):
        if token.end < len(text) and unicodedata.category(text[token.end]) == "Mn":
            more = text[token.start : token.end + 1]
            one, other = (oracles_reading.read(part, ignore, kind) for part in (more, more[:-1]))
            assert one != other or oracles.class_of(more[-1]) == oracles.SKIPPED or "accents" not in ignore


def test_the_table_is_that_of_its_unicode() -> None:
    """The shipped table is what `build` makes."""
    for shipped, built in zip(map(np.asarray, points.table()), map(np.asarray, points.build()), strict=True):
        assert np.array_equal(shipped, built)
        assert shipped.dtype == built.dtype


def test_every_code_point() -> None:
    """Each code point alone, after a letter, and with a mark after it, in every way of reading."""
    for ignore, kind in ((("accents", "numbers"), "all"), (("accents",), "words"), (("numbers",), "all")):
        for first in range(0, 1 << 17, 1 << 12):
            some = [chr(c) for c in range(first, first + (1 << 12)) if not 0xD800 <= c < 0xE000]
            some = [c for c in some if unicodedata.category(c) != "Cn"]
            text = "\n".join(f"{c} a{c}\u0301 {c}\u0301" for c in some)
            assert len(oracles_reading.read(text, ignore, kind)) == len(tokens(text, ignore=ignore, tokens=kind)), first


@pytest.mark.parametrize(("ignore", "kind"), READINGS)
def test_compatible_characters_are_read_as_what_they_stand_for(ignore: tuple[str, ...], kind: str) -> None:
    """A code point that NFKC replaces has the tokens of its replacement, alone and after letters of three scripts."""
    for code in range(1 << 17):
        same = "" if 0xD800 <= code < 0xE000 else unicodedata.normalize("NFKC", chr(code))
        if same in ("", chr(code)) or {"<", "&", "-", "\u2010"} & set(same):
            continue
        for before in ("", "a", "\u06af", "\u0e01"):
            one, other = (
                [token.hash for token in tokens(f"{before}{each} x", ignore=ignore, tokens=kind)]
                for each in (chr(code), same)
            )
            assert one == other, (before, hex(code))


def rewritten(text: str, *ignore: str) -> str:
    """Give a text as its tokens are found in it."""
    return rewritten_text(text, Reading(ignore=ignore))


@given(hostile)
@example("<a x='><script>")
@example("<script/ >a</script >b</script")
def test_markup(text: str) -> None:
    """What is left of hostile markup, character by character."""
    assert oracles_reading.without_markup(text) == rewritten(text, "markup")


@given(st.one_of(hostile, strategies.texts()))
def test_hyphens(text: str) -> None:
    """Words are joined over the ends of lines, and nothing else changes."""
    assert oracles_reading.joined(text) == rewritten(text, "hyphenation")


@given(st.lists(st.sampled_from([*"&#xX;1aFg \n", "é", "9999", "lt", "not", "&amp", *sorted(html5)[::9]]), max_size=12))
def test_references(parts: list[str]) -> None:
    """They are those of `html.unescape`."""
    for text in ("".join(parts), "&".join(parts)):
        assert html.unescape(text) == rewritten(text, "markup")


def test_every_reference() -> None:
    """Each name, with and without its semicolon, and many numbers."""
    names = [text for name in html5 for text in (f"&{name}", f"&{name[:-1]}", f"&{name}x", f"&{name[:-1]}=")]
    numbers = [*range(0x300), *range(0xD7F0, 0xE010), *range(0xFD00, 0x10010), *range(0x10FF00, 0x110010)]
    names += [text for number in numbers for text in (f"&#{number};", f"&#x{number:X}", f"&#X0{number:x};")]
    text = " ".join(names)
    assert html.unescape(text) == rewritten(text, "markup")


class Parser(HTMLParser):
    """Collects what is between tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found = [""]
        self.skipped = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin another piece."""
        self.found.append("")
        self.skipped = tag if tag in ("script", "style") else ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin another piece."""
        self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        """Begin another piece."""
        self.found.append("")
        self.skipped = ""

    def handle_comment(self, data: str) -> None:
        """Begin another piece."""
        self.found.append("")

    def handle_decl(self, decl: str) -> None:
        """Begin another piece."""
        self.found.append("")

    def handle_pi(self, data: str) -> None:
        """Begin another piece."""
        self.found.append("")

    def handle_data(self, data: str) -> None:
        """Add to the piece."""
        if not self.skipped:
            self.found[-1] += data


NAMES = st.sampled_from(["a", "P", "br", "h1", "x:y", "my-tag"])
VALUES = st.sampled_from(['="x"', "='>'", '=">"', "=y", " = z", "", '="<b>"', '="&amp;"', "='</a>'"])
ATTRIBUTES = st.lists(st.tuples(st.sampled_from([" href", "\ntitle", " a"]), VALUES).map("".join), max_size=3).map(
    "".join
)
TEXT = st.sampled_from(["word", "a < b", "é &eacute; &lt;i&gt;", " ", "5 > 3", "&", "x\ny", "&#x110000;", "漢字", "--"])
MARKUP = st.one_of(
    TEXT,
    TEXT,
    st.tuples(NAMES, ATTRIBUTES, st.sampled_from(["", " ", " /"])).map(lambda parts: "<" + "".join(parts) + ">"),
    NAMES.map(lambda name: f"</{name}>"),
    st.sampled_from(["<!-- <b> -->", "<!-- - -- > <!-- -->", "<!DOCTYPE html>", "<?xml version='1.0'?>"]),
    st.sampled_from(["<script>if (a<b && '</b>') x</script>", '<style type="a">p > q {}</STYLE>', "<SCRIPT src=x />"]),
)


@given(st.lists(MARKUP, max_size=10).map(" ".join))
def test_markup_as_the_parser_of_python(text: str) -> None:
    """On markup that is well-formed, but for stray signs, the words are those of `html.parser`."""
    parser = Parser()
    parser.feed(text)
    parser.close()
    assert oracles.tokens(" ".join(parser.found)) == oracles.tokens(rewritten(text, "markup"))


@given(st.lists(every, min_size=1, max_size=3), st.sampled_from(READINGS))
def test_lines_and_their_places(texts: list[str], reading: tuple[tuple[str, ...], str]) -> None:
    """Texts are rewritten as a whole, then cut: the tokens of all lines are those of the text, but for joined ones."""
    ignore, kind = reading
    text = "\n".join(texts)
    how = Reading.check(ignore, kind)
    values = np.frombuffer(text.encode("utf-8", "surrogatepass") + bytes(64), dtype=np.uint8)
    bounds = np.array([0, len(values) - 64])
    block = Block(0, values, bounds[:1], bounds[1:])
    hashed = hash_block(block, Shingle("words", 1, how), unit=Unit.LINE)
    places = [(t.start, t.hash) for t in tokens(text, ignore=ignore, tokens=kind)]
    if "hyphenation" not in ignore:
        assert [value for _, value in places] == hashed.hashes.tolist()
    for row, (_, _, start, end) in enumerate(hashed.places.tolist()):
        mine = hashed.hashes[hashed.offsets[row] : hashed.offsets[row + 1]].tolist()
        if "hyphenation" not in ignore and "markup" not in ignore:
            assert [value for at, value in places if start <= at < end] == mine


ATTACKS = [
    "<",
    "&",
    "-\n",
    "<a",
    "<!--",
    "<a x='",
    '<a "',
    "<script>",
    "</script",
    "<![CDATA[",
    "]]>",
    "&#1",
    "&Counter",
]
ATTACKS += [
    "a\u00ad\n",
    "e\u0301",
    "\u0301",
    '<a x=">">',
    "a-\n",
    "\u0640",
    "<!--->",
    "<a/",
    "- \n",
    "</a ",
    "&#x",
    "++",
]


@pytest.mark.parametrize("piece", ATTACKS)
def test_time_is_linear(piece: str) -> None:
    """Four times the text takes about four times as long: with a quadratic step it would take sixteen."""

    def spent(size: int) -> float:
        text = piece * (size // len(piece)) + ">"
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            rewritten_text(text, Reading(ignore=IGNORE, tokens="all"))
            best = min(best, time.process_time() - start)
        return best

    spent(1 << 10)
    assert spent(1 << 20) < 9 * spent(1 << 18) + 0.02
