"""Normalisation of the texts that need it.

The token kernel folds every code point through one table. That is the NFKC form wherever code
points do not act on each other. Where they may (a mark that could compose with the letter before it, marks out of
order, Hangul pieces), the kernel gives the text back, and `normalise` replaces each such cluster by its NFKC form::

    "".join(NFKC(cluster) for cluster in clusters(text))  ==  NFKC(text)  up to what the table does

A cluster is a code point and the unsettled ones and marks behind it; by the Unicode quick-check rules nothing
reaches across its borders. Segments note where the new text is out of step with the old one.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.text import unicode

__all__ = ["Normalised", "nfkc", "normalise"]


class Normalised(NamedTuple):
    """A text whose unsettled clusters are normalised, as UTF-8, and where it is out of step with the original."""

    data: bytes
    segments: npt.NDArray[np.int64]
    """(n, 4): from and to in `data`, from and to in the original's bytes; in between, both run in step."""


def normalise(data: bytes) -> Normalised:
    """Normalise each unsettled cluster of the UTF-8 text `data` (lone surrogates allowed)."""
    text = data.decode("utf-8", "surrogatepass")
    pieces: list[str] = []
    segments: list[tuple[int, int, int, int]] = []
    at = new_byte = old_byte = 0
    for first, end in _clusters(text):
        cluster = text[first:end]
        normal = nfkc(cluster)
        if normal == cluster:
            continue
        before = text[at:first]
        size = len(before.encode("utf-8", "surrogatepass"))
        new_end = new_byte + size + len(normal.encode())
        old_end = old_byte + size + len(cluster.encode())
        segments.append((new_byte + size, new_end, old_byte + size, old_end))
        pieces += (before, normal)
        at, new_byte, old_byte = end, new_end, old_end
    pieces.append(text[at:])
    return Normalised("".join(pieces).encode("utf-8", "surrogatepass"), np.array(segments, np.int64).reshape(-1, 4))


MANY = 32
"""Code points; in a longer cluster the marks are sorted here."""


def nfkc(cluster: str) -> str:
    """Return ``unicodedata.normalize("NFKC", cluster)``, in time that grows with the length alone.

    Python puts marks in order by insertion, which takes the square of their number. Here they are sorted by their
    combining class, from one starter to the next, which leaves `unicodedata` nothing to do but to compose.
    """
    if len(cluster) <= MANY:
        return unicodedata.normalize("NFKC", cluster)
    points = np.frombuffer(cluster.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    distinct, places = np.unique(points, return_inverse=True)
    apart = [unicodedata.normalize("NFKD", chr(point)) for point in distinct.tolist()]
    sizes = np.array([len(text) for text in apart], dtype=np.int64)
    pool = np.frombuffer("".join(apart).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    first = np.cumsum(sizes) - sizes
    counts = sizes[places]
    inside = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    pieces = np.repeat(first[places], counts) + inside  # of the pool, for each code point
    classes = np.array([unicodedata.combining(chr(point)) for point in pool.tolist()], dtype=np.int64)[pieces]
    runs = np.cumsum(classes == 0)
    order = np.argsort((runs << 8) + classes, kind="stable")
    return unicodedata.normalize("NFC", pool[pieces[order]].tobytes().decode("utf-32-le", "surrogatepass"))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each cluster: a run of code points that act on what stands before, and that one.

    What is unassigned in the table's Unicode version stays out, whatever the running Python knows of it: it only
    separates.
    """
    index, entries, _, _ = unicode.table()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    found = entries[(index[points >> 8].astype(np.int64) << 8) | points & 255]
    acting = (found & unicode.UNSETTLED != 0) | (found >> 8 & 255 != 0) & (found >> 16 == 0)
    alone = (found & unicode.UNASSIGNED != 0) | (points >= 0xD800) & (points < 0xE000)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], acting, [False])))).reshape(-1, 2)
    leads = (edges[:, 0] > 0) & ~alone[np.maximum(edges[:, 0] - 1, 0)]
    return list(zip((edges[:, 0] - leads).tolist(), edges[:, 1].tolist(), strict=True))
