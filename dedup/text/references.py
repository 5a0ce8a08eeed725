"""The character references of HTML, as the trie that the kernel of markup walks."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["References", "table"]


class References(NamedTuple):
    """The names of references, as a trie with the text of each, and the code points of numbers.

    `dedup.kernels.markup` describes the arrays. `controls` are the code points of the numbers 128 to 159: those of
    windows-1252.
    """

    letters: npt.NDArray[np.uint8]
    children: npt.NDArray[np.int32]
    siblings: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int32]
    data: npt.NDArray[np.uint8]
    controls: npt.NDArray[np.int32]


@lru_cache(maxsize=1)
def table() -> References:
    """Return the references (made once per process)."""
    from html.entities import html5

    letters, children, siblings, rows = [0], [0], [0], [0]
    texts = [text.encode() for text in html5.values()]
    for row, name in enumerate(html5, start=1):
        node = 0
        for letter in name.encode():
            child = children[node]
            while child and letters[child] != letter:
                child = siblings[child]
            if not child:
                child = len(letters)
                letters.append(letter)
                children.append(0)
                siblings.append(children[node])
                rows.append(0)
                children[node] = child
            node = child
        rows[node] = row
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    controls = np.array([_control(byte) for byte in range(0x80, 0xA0)], dtype=np.int32)
    first, following, row_of = (np.array(column, dtype=np.int32) for column in (children, siblings, rows))
    return References(np.array(letters, dtype=np.uint8), first, following, row_of, starts, data, controls)


def _control(byte: int) -> int:
    """Return the code point of a byte of windows-1252; those without one are their own."""
    return ord(bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)))
