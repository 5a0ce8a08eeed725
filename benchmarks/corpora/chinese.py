"""Text without spaces from the model of `news.py`: its words spelled with one to three Han characters.

Documents, lengths, copies and edits are those of `news.py`: only how a form is spelled differs. Of the words that are
no figures, the 300 most frequent have one character, most others two, and some of the rarer ones three. Characters are
drawn from 4,096 of them, frequent ones more often. Punctuation is full-width, and there are no spaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora import news, vocabulary

CHARACTERS: Final = 4_096
FIRST: Final = 0x4E00
APART: Final = 5  # between two characters that are used: 20,480 code points are spanned
SINGLE: Final = 300
_BITS: Final = 16


@cache
def _slots() -> list[int]:
    return [int(choice) for choice in vocabulary.slots(CHARACTERS, _BITS, 30)]


def _spelled(rank: int, attempt: int) -> str:
    """An invented word of a frequency rank; each further attempt is another one, and sometimes longer."""
    state = vocabulary.mixed(rank * 64 + attempt + 7)
    length = 1 if rank < SINGLE else (2 if state % 8 < 7 else 3) + attempt // 4
    characters = []
    for place in range(length):
        state = vocabulary.mixed(state + place)
        characters.append(chr(FIRST + APART * _slots()[state >> (64 - _BITS)]))
    return "".join(characters)


@cache
def words() -> tuple[str, ...]:
    """All words in order of frequency; figures are those of the news."""
    seen: set[str] = set()
    made: list[str] = []
    for rank, news_word in enumerate(vocabulary.words()):
        attempt = 0
        word = news_word if news_word.isdecimal() else _spelled(rank, 0)
        while word in seen:
            attempt += 1
            word = _spelled(rank, attempt)
        seen.add(word)
        made.append(word)
    return tuple(made)


@cache
def forms() -> NDArray[np.object_]:
    """Every word in every style and shape of `vocabulary.forms`, with the punctuation that follows it."""
    one = [text for word in words() for text in 2 * (word, word + "，", word + "。", word + "。\n", f"「{word}」")]
    table = np.empty(len(one) * vocabulary.STYLES, dtype=np.object_)
    table[:] = one * vocabulary.STYLES
    return table


def generate(documents: int, mean_bytes: int = 2000, seed: int = 1) -> Iterator[list[str]]:
    """Documents 0 to `documents` of a seed, in blocks; `mean_bytes` of UTF-8 is about their mean."""
    model = news.Model(mean_bytes, seed)
    for start in range(0, documents, news.BLOCK):
        docs = np.arange(start, min(documents, start + news.BLOCK), dtype=np.uint64)
        yield news.spelled(*model.runs(docs), forms())
