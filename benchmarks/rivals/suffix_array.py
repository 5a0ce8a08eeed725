"""pydivsufsort: suffix array and LCP array over the normalised bytes of all texts, and the report made of them.

The bytes are the case-folded words of each text joined by single spaces, a zero byte after each text. Within the
clock: these bytes (the package offers no such step; the time is also given alone), the suffix array, the LCP array, and
the places that share `size` bytes or more with another place (a mask, as in the de-duplication of training sets by
suffix array); the first place of each is not worked out, which would take longer still.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

WORD = re.compile(r"\w+")


def normalised(texts: Sequence[str]) -> bytes:
    """The words of the texts, as one row of bytes."""
    return b"\0".join(" ".join(WORD.findall(text.casefold())).encode() for text in texts) + b"\0"


def repeated(data: bytes, size: int) -> npt.NDArray[np.bool_]:
    """Return which bytes are in a stretch of `size` bytes that occurs at another place too."""
    from pydivsufsort import divsufsort, kasai

    array = np.frombuffer(data, dtype=np.uint8).copy()  # it takes no array that may not be written to
    suffixes = divsufsort(array)
    shared = kasai(array, suffixes)  # of each suffix and the next one in the array
    again = np.zeros(len(array) + 1, dtype=np.int64)
    rows = np.flatnonzero(shared[:-1] >= size)
    for places in (suffixes[rows], suffixes[rows + 1]):
        np.add.at(again, places, 1)
        np.add.at(again, np.minimum(places + shared[rows], len(array)), -1)
    return np.cumsum(again[:-1]) > 0
