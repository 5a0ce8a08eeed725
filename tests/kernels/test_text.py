"""The kernels that read UTF-8: tokens with their spans, paragraphs, places; against the oracles and twins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.kernels import text as text_kernels
from dedup.kernels import tokens as token_kernels
from dedup.kernels.text_layout import FIRST, SEPARATOR, SPACELESS
from dedup.kernels.words import THREE_BYTE_MARKS
from dedup.reading import PLAIN as AS_IT_IS
from dedup.reading import Reading
from dedup.text.paragraphs import paragraphs, split_paragraphs
from dedup.text.rewriting import rewrite
from dedup.text.tokens import hash_characters, hash_tokens, locate_tokens, place_tokens, place_tokens_of_texts
from dedup.text.unicode import Table, symbol_table, table
from tests import corpora, kernel_twins, oracles, strategies
from tests.kernel_arrays import callable_part, dtypes, frozen, offsets_of, rows_of, utf8

decode = callable_part(token_kernels.decode)
encode = callable_part(token_kernels.encode)
space_length = callable_part(text_kernels.space_length)
line_twice = callable_part(text_kernels.line_twice)
sorted_twice = callable_part(text_kernels.sorted_twice)

any_text = st.one_of(strategies.texts(), strategies.characters(120), strategies.ADVERSARIAL)


def hashed(texts: Sequence[str], *, characters: bool = False, before: bytes = b"") -> Any:
    """Run the tokeniser over a block of texts; by characters, check the digests too."""
    if characters:
        values, offsets, digests = hash_characters(*utf8(texts, before), AS_IT_IS, np.empty(0, dtype=np.uint64))
        assert [kernel_twins.digest(oracles.tokens(text)) for text in texts] == digests.tolist()
    else:
        values, offsets = hash_tokens(*utf8(texts, before), AS_IT_IS)
    assert "uint64 int64" == dtypes(values, offsets)
    return rows_of(values, offsets)


def located(text: str) -> tuple[list[int], list[list[int]]]:
    """Run the tokeniser over one text: hashes and spans."""
    hashes, spans = locate_tokens(text.encode("utf-8", "surrogatepass"), AS_IT_IS)
    assert "uint64 int64" == dtypes(hashes, spans)
    return hashes.tolist(), spans.tolist()


def check(text: str) -> None:
    """Check hashes and spans of one text: the tokens of the oracle, each at its place."""
    words = oracles.tokens(text)
    hashes, spans = located(text)
    assert kernel_twins.token_hashes(words) == hashes
    assert [kernel_twins.token_hashes(words)] == hashed([text])
    assert sorted(spans) == sorted(spans, key=lambda span: span[::-1]) == spans
    for word, (start, end) in zip(words, spans, strict=True):
        assert 0 <= start < end <= len(text)
        there = oracles.tokens(text[start:end])
        # one code point may belong to two tokens (a half is a 1 and a 2): then it is in both spans
        alone = 1 == sum(a < end and start < b for a, b in spans)
        assert [word] == there if alone else word in there, (word, text[start:end])


# --------------------------------------------------------------------------------------- tokens


@given(st.lists(any_text, max_size=6), st.binary(max_size=5))
def test_tokens_of_a_block(texts: list[str], before: bytes) -> None:
    """Each text of a block has the tokens of the oracle, whatever is next to it."""
    words = [oracles.tokens(text) for text in texts]
    assert [kernel_twins.token_hashes(each) for each in words] == hashed(texts, before=before)


@given(st.lists(any_text, max_size=6))
def test_characters_of_a_block(texts: list[str]) -> None:
    """The code points of the tokens joined by single spaces, each hashed."""
    words = [oracles.tokens(text) for text in texts]
    assert [kernel_twins.character_hashes(each) for each in words] == hashed(texts, characters=True)


@given(any_text)
def test_spans_of_any_text(text: str) -> None:
    """A span, folded on its own, is the token: where code points are taken apart or put together too."""
    check(text)


@given(strategies.settled_texts())
def test_spans_of_settled_texts(text: str) -> None:
    """For texts that are their own NFKC form, the spans are exactly those of the oracle."""
    expected = [[start, end] for _, start, end in oracles.token_spans(text)]
    assert expected == located(text)[1]


@pytest.mark.parametrize("text", ["a⑴", "a⑴b", "⑴a", "x⑴⑵ y", "a⒈b", "⒈⑴⒈", "é⑴é", "a⑴ " * 40])
def test_mappings_that_begin_or_end_with_a_separator(text: str) -> None:
    """A code point that maps to "(1)" or "1." ends a word before it or after it, and is not part of that word."""
    expected = [[start, end] for _, start, end in oracles.token_spans(text)]
    assert expected == located(text)[1]


@given(any_text, st.binary(max_size=5), st.data())
def test_places_of_some_tokens(text: str, before: bytes, data: st.DataObject) -> None:
    """The places in characters of some tokens of a text inside a block are those of `locate_tokens`."""
    spans = located(text)[1]
    some = sorted(data.draw(st.sets(st.integers(0, len(spans) + 2), max_size=6)))
    values, starts, ends = utf8([text, "tail"], before)
    count, found = place_tokens(values, int(starts[0]), int(ends[0]), frozen(some, np.int64))
    assert len(spans) == count
    block = values[int(starts[0]) : int(ends[0])].tobytes()
    characters = [len(block[: place - starts[0]].decode("utf-8", "surrogatepass")) for place in found.ravel()]
    assert [place for row in some if row < count for place in spans[row]] == characters


@given(st.lists(any_text, max_size=5), st.binary(max_size=5), st.data())
def test_places_of_some_tokens_of_texts(texts: list[str], before: bytes, data: st.DataObject) -> None:
    """Tokens of several texts of a block are found where they are found in each by itself."""
    counts = [len(located(text)[1]) for text in texts]
    texts = [text for text, count in zip(texts, counts, strict=True) if count]
    some = [sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4))) for count in counts if count]
    if not texts:
        return
    values, starts, ends = utf8(texts, before)
    wanted, bounds = frozen([k for row in some for k in row], np.int64), offsets_of(some)
    found = place_tokens_of_texts(values, starts, ends, wanted, bounds)
    expected = [
        place_tokens(values, int(start), int(end), frozen(row, np.int64))[1].tolist()
        for start, end, row in zip(starts, ends, some, strict=True)
    ]
    assert [span for row in expected for span in row] == found.tolist()


@pytest.mark.parametrize("size", [7, 8, 9, 15, 16, 17, 24])
@pytest.mark.parametrize("word", ["x", "é", "я", "𝒜", "ß", "0"])
def test_words_round_the_chunk(word: str, size: int) -> None:
    """Words of so many bytes, where hashing reads another 8; the bytes after them must not count."""
    whole = (word * size).encode()[:size].decode("utf-8", "ignore")
    whole += "a" * (size - len(whole.encode()))
    for text in (whole, f"{whole} tail", f"{whole}\0tail", f"{whole}😀tail", f"{whole}\ud800"):
        check(text)


@pytest.mark.parametrize("start", [0, 1, 55, 56, 57, 62, 63, 64, 65, 119, 120, 127, 128])
@pytest.mark.parametrize("piece", ["x", "Éa", "北京x", "e\u0301", "\u00ad", "ﷺ", "ｶﾞ", "😀", "\ud800", "İ"])
def test_words_across_a_block_border(start: int, piece: str) -> None:
    """Words that begin, end or continue at byte 63, 64 or 65, and folding that puts bytes out of step there."""
    for fill in ("a", ".", "a.", "Ab "):
        lead = (fill * start)[:start]
        for tail in ("", "b", " b", "b" * 70):
            check(lead + piece + tail)


@pytest.mark.parametrize("text", ["ﷺ" * 50, "ﷻ ﷺ" * 40, "\u3300" * 60, "ΐ" * 90, "½" * 80, "ｶﾞ" * 30])
def test_folding_that_makes_texts_longer(text: str) -> None:
    """Mappings of up to 33 bytes for 3: the buffers grow until they are large enough."""
    check(text)
    assert [kernel_twins.character_hashes(oracles.tokens(text))] == hashed([text], characters=True)


def test_scripts() -> None:
    """Every script, by itself, upper-cased, and all in one block."""
    texts, _ = corpora.in_all_scripts()
    for text in texts:
        check(text)
        check(text.replace(" ", ""))
    assert [kernel_twins.token_hashes(oracles.tokens(text)) for text in texts] == hashed(texts)


spaceless = st.text("中国的ぁんゖァヶヺ゙ー、。，：；！？「」《　a1 \n\u4e00\u9fff\u3400\ua000\u30fb\uff9e", max_size=90)  # noqa: RUF001


@given(spaceless)
@example("中" * 16 + "か\u3099")
@example("中" * 15 + "か" + "\u3099")
@example("。" * 40 + "中")
def test_runs_of_han_and_kana(text: str) -> None:
    """16 characters at a time, marks between them, and what may compose with the last one."""
    check(text)
    assert [kernel_twins.character_hashes(oracles.tokens(text))] == hashed([text], characters=True)
    values, starts, _ = utf8([text])
    for count in range(len(text)):  # what follows a text in its block does not belong to it
        part = text[:count]
        some, _ = hash_tokens(values, starts, starts + len(part.encode()), AS_IT_IS)
        assert some.tolist() == kernel_twins.token_hashes(oracles.tokens(part))


@pytest.mark.parametrize("tables", [table, symbol_table])
def test_what_is_taken_16_at_a_time(tables: Callable[[], Table]) -> None:
    """The table says the same of these code points as the kernel, which does not look there."""
    index, entries, starts, points = tables()[:4]

    def entry(point: int) -> int:
        return int(entries[int(index[point >> 8]) << 8 | point & 255])

    for point in [*range(0x4E00, 0xA000), *range(0x3041, 0x3097), *range(0x30A1, 0x30FB)]:
        assert entry(point) & int(token_kernels.PLAIN_BITS) == SPACELESS, hex(point)
        assert entry(point) & FIRST == 0 or point < 0x4E00
    kinds = []
    for mark in THREE_BYTE_MARKS:
        row = entry(ord(mark.to_bytes(3, "big").decode())) >> 16
        known = ord(mark.to_bytes(3, "big").decode()) if row == 0 else int(points[starts[row - 1]])
        kinds.append(entry(known) & token_kernels.KIND)
    assert kinds == [kinds[1]] * len(kinds)
    assert (kinds[1] == SEPARATOR) == (tables is table)


@given(spaceless)
def test_runs_of_han_where_symbols_are_tokens(text: str) -> None:
    """The marks between them are tokens then, too."""
    reading = Reading.check(tokens="all")
    made = rewrite(*utf8([text]), reading)
    hashes, _ = hash_tokens(made.values, made.starts, made.ends, reading)
    assert hashes.tolist() == locate_tokens(text.encode(), reading)[0].tolist()


def test_texts_may_share_their_bytes() -> None:
    """Starts and ends are free: parts of texts, overlapping, in any order, empty."""
    values, _, _ = utf8(["one two caf\u0065\u0301 three"])
    asked = [(0, 7), (4, 7), (4, 14), (0, 0), (8, 12), (8, 14), (15, 20), (0, 20)]
    starts, ends = (frozen([pair[side] for pair in asked], np.int64) for side in (0, 1))
    found = rows_of(*hash_tokens(values, starts, ends, AS_IT_IS))
    parts = [values[a:b].tobytes().decode("utf-8") for a, b in asked]
    assert [kernel_twins.token_hashes(oracles.tokens(part)) for part in parts] == found


# --------------------------------------------------------------------------------- code points


def decoded(data: bytes) -> tuple[int, int]:
    """Give what `decode` must say of the first code point of some bytes, by Python's own decoder."""
    for length in range(1, 5):
        try:
            return ord(data[:length].decode()), length
        except (UnicodeDecodeError, TypeError):
            continue
    surrogate = len(data) > 2 and data[0] == 0xED and 0xA0 <= data[1] < 0xC0 and 0x80 <= data[2] < 0xC0
    return (-1, 3) if surrogate else (-1, 1)


@given(
    st.one_of(
        st.binary(min_size=1, max_size=6),
        st.characters().map(lambda c: c.encode("utf-8", "surrogatepass")),
    )
)
def test_decode(data: bytes) -> None:
    """The first code point and its length, as Python decodes it; -1 for bytes that are none."""
    assert decoded(data) == decode(frozen(data, np.uint8), 0, len(data))


def test_decode_and_encode_every_code_point() -> None:
    """Each code point that is not a surrogate is written and read as Python does it."""
    out = np.zeros(8, dtype=np.uint8)
    for point in [*range(0xD800), *range(0xE000, sys.maxunicode + 1, 7), sys.maxunicode]:
        data = chr(point).encode()
        size = encode(point, out, 0)
        assert data == out[:size].tobytes()
        assert (point, size) == decode(out, 0, size)


# ----------------------------------------------------------------------- paragraphs and places


@given(st.one_of(strategies.articles(), strategies.texts(max_words=80)))
def test_paragraphs(text: str) -> None:
    """The paragraphs of one text, in characters."""
    assert oracles.paragraphs(text) == [tuple(span) for span in paragraphs(text)]


@given(
    st.lists(
        st.text(st.sampled_from("aé北😀 \n\n\r\t\u3000\x85\u2028\x0b\ud800"), max_size=60),
        max_size=5,
    ),
    st.binary(max_size=5),
)
def test_paragraphs_of_a_block(texts: list[str], before: bytes) -> None:
    """The paragraphs of each text of a block, in bytes of the block and in characters of the text."""
    values, starts, ends = utf8(texts, before)
    table, offsets = split_paragraphs(values, starts, ends)
    for text, start, rows in zip(texts, starts.tolist(), rows_of(table, offsets), strict=True):
        expected: list[list[int]] = []
        for first, end in oracles.paragraphs(text):
            places = (start + len(text[:place].encode("utf-8", "surrogatepass")) for place in (first, end))
            expected.append([*places, first, end])
        assert expected == rows


lines_again = st.lists(
    st.sampled_from(
        ["aaaa bbbb", "aaaa cccc", "- - -", "====", "────", "« · »", "é é é é é", "北京北京", "。。。", "a"]
    ),
    min_size=1,
    max_size=9,
)


@given(lines_again, st.sampled_from(["\n", "\r\n", " \n  "]))
@example(["aaaa bbbb", "cccc dddd", "aaaa bbbb"], "\n")
@example(["=========", "aaaa bbbb", "cccc dddd", "========="], "\n")
def test_lines_that_occur_twice(lines: list[str], newline: str) -> None:
    """A block with the same line twice is not hard-wrapped, but for rules; also where all lines are sorted."""
    text = newline.join(lines)
    expected = oracles.paragraphs(text)
    assert expected == [tuple(span) for span in paragraphs(text)]


def twice(block: list[str]) -> tuple[bool, bool]:
    """Ask the kernels whether a line of a block occurs twice: by a table, and by sorting."""
    values, starts, ends = utf8(block, b"xyz")
    lines = np.zeros((len(block) + 1, 6), dtype=np.int64)
    lines[1:, 0], lines[1:, 1] = starts, ends
    order = np.empty(len(block), dtype=np.int32)
    found = (f(values, lines, 1, len(lines), *more) for f, more in ((line_twice, ()), (sorted_twice, (order,))))
    return tuple(map(bool, found))  # type: ignore[return-value]  # two


@given(st.lists(st.text(st.sampled_from("ab-─北é。 "), min_size=1, max_size=20), min_size=1, max_size=80))
def test_twice_by_table_and_by_sorting(block: list[str]) -> None:
    """Both ways say what a set of the lines says."""
    said = [line for line in block if any(map(oracles.of_word, line))]
    expected = len(set(said)) < len(said)
    assert (expected, expected) == twice(block)


def collisions(count: int) -> list[str]:
    """Give different lines of 64 characters that are the same to both hashes.

    The second 8 bytes undo what the first did; the others, among them those of the ends and the middle, are equal.
    """
    fold, wanted = 0x9FB21C651E98DF25, 0x1234567890ABCDEF
    found: list[str] = []
    start = ((64 ^ int.from_bytes(b"========", "little")) * fold) & kernel_twins.MASK64
    start ^= start >> 32
    for number in range(10**6):
        first = f"{number:08d}"[::-1].encode()
        h = (start ^ int.from_bytes(first, "little")) * fold & kernel_twins.MASK64
        h ^= h >> 32
        second = (h ^ wanted).to_bytes(8, "little")
        if all(byte in PLAIN for byte in second):
            found.append(f"========{first.decode()}{second.decode()}{40 * '='}")
        if len(found) == count:
            return found
    raise AssertionError(len(found))


PLAIN = {byte for byte in range(1, 128) if not chr(byte).isspace()}


def test_lines_made_to_collide_take_no_longer() -> None:
    """Lines of one hash are told apart all the same: after some looks they are sorted."""
    for lines in (collisions(200), [f"========{number:08d}{48 * '='}" for number in range(200)]):
        check_twice(lines)


def check_twice(lines: list[str]) -> None:
    """Check a block of different lines of one length."""
    assert (False, False) == twice(lines)
    assert (True, True) == twice([*lines, lines[7]])
    text = "\n".join(lines)
    assert [(0, len(text))] == [tuple(span) for span in paragraphs(text)]


def test_white_space() -> None:
    """White space is what `str.isspace` says, for every code point, and not where its bytes are cut off."""
    for point in [*range(0xD800), *range(0xE000, 0x11000), sys.maxunicode]:
        data = chr(point).encode()
        expected = len(data) if chr(point).isspace() else 0
        values = frozen(data, np.uint8)
        assert expected == space_length(values, 0, len(data)), hex(point)
        for end in range(1, len(data)):
            assert 0 == space_length(values, 0, end), hex(point)


@given(any_text, st.data())
def test_character_places(text: str, data: st.DataObject) -> None:
    """Places in bytes, ascending and repeated, become places in characters."""
    characters = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    places = [len(text[:c].encode("utf-8", "surrogatepass")) for c in characters]
    values, starts, _ = utf8([text], b"\xc3\xa9x")
    found = np.full(len(places), 7, dtype=np.int64)
    start = int(starts[0])
    text_kernels.character_places(values, start, frozen([start + p for p in places], np.int64), found)
    assert characters == found.tolist()
