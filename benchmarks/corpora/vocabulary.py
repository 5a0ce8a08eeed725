"""The words of the generated corpora: 50,000 invented ones, frequent ones short, and their forms.

News text in the sense that matters to a tool that finds duplicates: frequencies as 1 / (rank +
2.7), running words of about five letters, names with capitals, figures, apostrophes, a few accents.
No text of anybody is needed, so the corpora can be made anywhere.

A *form* is a word as it is written on the page: `(style * WORDS + word) * SHAPES + shape`. Style 0
writes ASCII, style 1 uses typographic quotes and accents. A shape adds a capital and what follows
the word: space, comma, full stop, end of paragraph.

Everything here is integers, or floats that are rounded far above their last place, so that each
machine makes the same.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

WORDS: Final = 50_000
STYLES: Final = 2
ENDINGS: Final = 5  # plain, comma, full stop, full stop and end of paragraph, in quotes
SHAPES: Final = 2 * ENDINGS  # each with a small or a capital first letter
COMMA: Final = 1
STOP: Final = 2
PARAGRAPH: Final = 3
QUOTED: Final = 4
SLOT_BITS: Final = 20  # 2**20 slots give the rarest of 50,000 words two slots

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_CONSONANTS: Final = "tttttnnnnnssssshhhhrrrrddddllllcccmmmwwffggyyppbbvkjxqz"
_VOWELS: Final = "eeeeeeaaaaaoooooiiiiiuu"
_LENGTHS: Final = (
    (20, 2, 3),
    (200, 2, 5),
    (2_000, 3, 8),
    (WORDS, 4, 11),
)  # up to rank, shortest, longest
_ACCENTS: Final = str.maketrans("eaoun", "éàöüñ")


def mixed(value: int) -> int:
    """Splitmix64's finaliser on one Python integer."""
    value &= _MASK
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def _spelled(rank: int, attempt: int) -> str:
    """An invented word for a frequency rank; each further attempt is another, longer one."""
    state = mixed(rank * 64 + attempt + 1)
    shortest, longest = next((low, high) for limit, low, high in _LENGTHS if rank < limit)
    length = shortest + state % (longest - shortest + 1) + attempt // 4
    letters = []
    vowel = bool(state >> 40 & 1)
    for place in range(length):
        state = mixed(state + _GOLDEN + place)
        choices = _VOWELS if vowel else _CONSONANTS
        letters.append(choices[(state >> 20) % len(choices)])
        vowel = not vowel if state >> 50 & 7 else vowel  # now and then two of a kind in a row
    return "".join(letters)


@cache
def words() -> tuple[str, ...]:
    """All words in order of frequency: distinct, lower case, with figures among the rarer ones."""
    seen: set[str] = set()
    made: list[str] = []
    for rank in range(WORDS):
        if rank >= 150 and rank % 37 == 0:
            state = mixed(rank)
            word = str(state % (100, 2_030, 100_000)[rank % 3])
        else:
            word = _spelled(rank, 0)
        attempt = 0
        while word in seen:
            attempt += 1
            word = _spelled(rank, attempt)
        seen.add(word)
        made.append(word)
    return tuple(made)


@cache
def forms() -> NDArray[np.object_]:
    """Every word in every style and shape, with the space or line break that follows it."""
    made: list[str] = []
    for style in range(STYLES):
        opening, closing, apostrophe = ('"', '"', "'") if style == 0 else ("“", "”", "’")
        for rank, word in enumerate(words()):
            kind = mixed(rank + WORDS) % 100
            text = word
            if rank >= 300 and kind < 9:
                text = word.capitalize()  # a name
            elif rank >= 40 and kind == 10 and len(word) > 2:
                text = word[:-1] + apostrophe + word[-1]
            elif rank >= 100 and kind == 11 and style == 1:
                text = word.translate(_ACCENTS)
            for start in (text, text[0].upper() + text[1:]):
                made += (
                    start + " ",
                    start + ", ",
                    start + ". ",
                    start + ".\n",
                    opening + start + closing + " ",
                )
    table = np.empty(len(made), dtype=np.object_)
    table[:] = made
    return table


def slots(choices: int, bits: int, flatness: float) -> NDArray[np.int64]:
    """Return a table of 2**bits entries in which choice r has a frequency of about 1 / (r + flatness).

    Looking up a random index in it draws from Zipf's law without a float in sight.
    """
    weights = [(1 << 50) // round(10 * (rank + flatness)) for rank in range(choices)]
    total = sum(weights)
    table = np.empty(1 << bits, dtype=np.int64)
    start = reached = 0
    for choice, weight in enumerate(weights):
        reached += weight
        stop = (reached << bits) // total
        table[start:stop] = choice
        start = stop
    return table


@cache
def word_slots() -> NDArray[np.int64]:
    """The table that draws words."""
    return slots(WORDS, SLOT_BITS, 2.7)


@cache
def letters_per_word() -> float:
    """Average length in bytes of a word with the space after it, endings not counted."""
    lengths = np.array([len(word) + 1 for word in words()], dtype=np.int64)
    return float(lengths[word_slots()].sum()) / (1 << SLOT_BITS)
