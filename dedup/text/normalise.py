"""NFKC normalisation of the texts that need it.

The token kernel maps each code point by itself, through a table. That gives the NFKC form as long as code points do not
interact. Where they may interact (a mark that could compose with the letter before it, marks out of order, parts of
Hangul syllables), the kernel returns the text, and `normalise` replaces each such cluster by its NFKC form::

    "".join(NFKC(cluster) for cluster in clusters(text))  ==  NFKC(text)  up to what the table does

A cluster is a code point and the unsettled code points and marks after it. By the quick-check rules of Unicode, no code
point interacts with another cluster. Segments record where the new text differs from the old one.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import UNSETTLED
from dedup.text import unicode

__all__ = ["Normalised", "nfkc", "normalise"]


class Normalised(NamedTuple):
    """A text whose unsettled clusters are normalised, as UTF-8, and the places where it differs from the original."""

    data: bytes
    segments: npt.NDArray[np.int64]
    """(n, 4): start and end in `data`, start and end in the bytes of the original. Between segments both are equal."""


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


LONG_CLUSTER = 32
"""Code points. In a longer cluster, this module sorts the marks."""


def nfkc(cluster: str) -> str:
    """Return ``unicodedata.normalize("NFKC", cluster)``, in a time that is nearly linear in the length.

    Python orders marks by insertion sort, which takes quadratic time. Here a sort by combining class, from one starter
    to the next, puts them in order, so `unicodedata` only has to compose them.
    """
    if len(cluster) <= LONG_CLUSTER:
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
    """Return the (start, end) of each cluster: code points that may interact with the one before, and that one.

    A code point that is unassigned in the Unicode version of the table is not in a cluster, whatever the running Python
    knows about it: it only separates.
    """
    index, entries, _, _ = unicode.table()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    found = entries[(index[points >> 8].astype(np.int64) << 8) | points & 255]
    acting = (found & UNSETTLED != 0) | (found >> 8 & 255 != 0) & (found >> 16 == 0)
    separate = (found & unicode.UNASSIGNED != 0) | (points >= 0xD800) & (points < 0xE000)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], acting, [False])))).reshape(-1, 2)
    leads = (edges[:, 0] > 0) & ~separate[np.maximum(edges[:, 0] - 1, 0)]
    return list(zip((edges[:, 0] - leads).tolist(), edges[:, 1].tolist(), strict=True))
