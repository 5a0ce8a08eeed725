"""Texts made to take long: each shape in any size, for whoever counts steps or measures time.

A shape gives a collection of about so many code points. `BELOW` and `ORDERS` are those where the join's time grows
with the square by nature: so many pairs have to be looked at (docs/explanation/how-it-works.md, "What takes long").
`MARKS` are those that the normalisation of marks decides about.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, permutations
from random import Random

Shape = Callable[[int], list[str]]


def one_token(size: int) -> list[str]:
    """Give one word without an end, twice."""
    return ["a" * (size // 2)] * 2


def one_word(size: int) -> list[str]:
    """Give one word said again and again."""
    return ["again " * (size // 6)]


def two_words(size: int) -> list[str]:
    """Give two words in an order without a rule."""
    draw = Random(1)
    return [" ".join(draw.choice(("this", "that")) for _ in range(size // 5))]


def thue_morse(size: int) -> list[str]:
    """Give two words in the order of Thue and Morse, which repeats everywhere and never three times in a row."""
    return [" ".join(("this", "that")[number.bit_count() & 1] for number in range(size // 5))]


def fibonacci(size: int) -> list[str]:
    """Give two words in the order of Fibonacci's word: the most periods that a text can have."""
    a, b = "0", "01"
    while len(b) < size // 5:
        a, b = b, b + a
    return [" ".join("this" if letter == "0" else "that" for letter in b[: size // 5])]


def loop(period: int, noise: int) -> Shape:
    """Give the shape of a loop of `period` words, in which now and then a word is another one."""

    def shape(size: int) -> list[str]:
        words = (f"w{j % period}" if (j * 7919) % noise else f"q{j}" for j in range(size // 4))
        return [" ".join(words)]

    return shape


def loop_and_its_noise(size: int) -> list[str]:
    """Give a loop with noise, and the loop without it: stretches end at every word, and overlap."""
    return [*loop(60, 121)(size // 2), " ".join(f"w{j % 60}" for j in range(size // 8))]


def loops(period: int) -> Shape:
    """Give the shape of many texts of one loop, each with noise of its own."""

    def shape(size: int) -> list[str]:
        draw = Random(period)
        return [
            " ".join(f"w{j % period}" if draw.random() < 0.97 else f"q{draw.random()}" for j in range(500))
            for _ in range(max(size // 2000, 2))
        ]

    return shape


def lines_of_a_loop(size: int) -> list[str]:
    """Give one block of few lines again and again, each as long as the others."""
    draw = Random(4)
    return ["\n".join(f"pump {draw.randrange(8)} stopped again at the northern mole" for _ in range(size // 43))]


def lines_alike(size: int) -> list[str]:
    """Give one hard-wrapped block of lines that differ in a few characters far from ends and middle."""
    return ["\n".join(f"========{number:08d}{48 * '='}" for number in range(size // 65))]


def orders(size: int) -> list[str]:
    """Give the orders of nine words."""
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return [" ".join(order) for order in islice(permutations(words), size // 44)]


def below(size: int) -> list[str]:
    """Give texts of 400 words that differ in five each: nearly all pairs are just below a threshold of 0.9."""
    draw = Random(5)
    texts = []
    for number in range(max(size // 2000, 2)):
        words = [f"c{j}" for j in range(400)]
        for edit in range(5):
            words[draw.randrange(400)] = f"u{number}x{edit}"
        texts.append(" ".join(words))
    return texts


def hangul(size: int) -> list[str]:
    """Give Hangul in pieces: every syllable is composed."""
    return ["\u1112\u1161\u11ab" * (size // 3), "\u1100\u1161 " * (size // 6)]


def pieces(size: int) -> list[str]:
    """Give nothing but leading and trailing pieces of Hangul."""
    return ["\u1112" * (size // 2), "\u11ab" * (size // 2)]


def widest(size: int) -> list[str]:
    """Give a character that maps to eighteen."""
    return ["\ufdfa" * (size // 2), "\ufdfa x " * (size // 6)]


def flags(size: int) -> list[str]:
    """Give runs of regional indicators, of which two make a flag, around words that repeat; here one more of them."""
    body = " ".join(f"w{j}" for j in range(60))
    runs = ["🇦" * (size // 4 + more) for more in (0, 1)]
    return [f"other{number} {run}{body}{run} words{number}" for number, run in enumerate(runs)]


def edited(size: int) -> list[str]:
    """Give a text and its copy, of which every other line has new words in the middle: one chain of many parts."""
    lines = [[f"w{number}x{j}" for j in range(48)] for number in range(size // 600)]
    copy = [[*line[:20], *(f"n{number}x{j}" for j in range(8)), *line[28:]] for number, line in enumerate(lines)]
    return ["\n".join(" ".join(line) for line in some) for some in (lines, copy)]


def stops(size: int) -> list[str]:
    """Give nothing but punctuation between words that repeat."""
    body = " ".join(f"w{j}" for j in range(60))
    return [f"{body}{'!' * (size // 4)} {body}{'!' * (size // 4)} {body}{'?' * (size // 4)}"]


def marks(size: int) -> list[str]:
    """Give marks of two classes in turns on one letter: the longest run that has to be put in order."""
    return ["a" + "\u0301\u0316" * (size // 2)]


def marks_of_all_classes(size: int) -> list[str]:
    """Give marks of many classes in an order without a rule."""
    draw = Random(3)
    some = "\u0301\u0316\u0327\u0345\u05b0\u05b1\u064b\u0670\u0e38\u0f71\u3099\u0334\u031b"
    return ["e" + "".join(draw.choice(some) for _ in range(size))]


BELOW, BELOW_THRESHOLD, ORDERS = "just below", 0.9, "orders"

SHAPES: dict[str, Shape] = {
    "one token": one_token,
    "one word": one_word,
    "two words": two_words,
    "Thue-Morse": thue_morse,
    "Fibonacci": fibonacci,
    "loop of 7": loop(7, 61),
    "loop of 60": loop(60, 61),
    "loop of 60, rare noise": loop(60, 601),
    "loop of 1,000": loop(1000, 97),
    "loop of 50, dense noise": loop(50, 13),
    "loop and its noise": loop_and_its_noise,
    "texts of a loop": loops(60),
    "lines of a loop": lines_of_a_loop,
    "lines alike": lines_alike,
    ORDERS: orders,
    BELOW: below,
    "Hangul": hangul,
    "pieces of Hangul": pieces,
    "U+FDFA": widest,
    "flags": flags,
    "stops": stops,
    "edited": edited,
}

MARKS: dict[str, Shape] = {"marks of two classes": marks, "marks of all classes": marks_of_all_classes}
