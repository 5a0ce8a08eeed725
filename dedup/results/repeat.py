"""One repeat: a span of a text that repeats an earlier span."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dedup.results.counted import counted

__all__ = ["Repeat", "RepeatInColumns", "left_whole"]


class Repeat(NamedTuple):
    """A span of a document that repeats an earlier span, its source.

    ``text[start:end]`` repeats ``source_text[source_start:source_end]``, in characters. `words` is the number of tokens
    in the repeat, `paragraphs` the number of complete paragraphs in it, `similarity` is matched tokens / tokens of the
    longer side.
    """

    document: int | str
    start: int
    end: int
    source_document: int | str
    source_start: int
    source_end: int
    words: int
    paragraphs: int
    similarity: float


class RepeatInColumns(Repeat):
    """A repeat of a search of several columns: a `Repeat` with the names of the columns after its other fields.

    The repeat begins at character `start` of the text in `column`, and ends at `end` of that in `end_column`; a repeat
    may begin in a title and end in the text. Likewise its source, from `source_column` to `source_end_column`.
    """

    __slots__ = ()

    _fields = (*Repeat._fields, "column", "end_column", "source_column", "source_end_column")  # type: ignore[assignment]

    column: str = property(itemgetter(9))  # type: ignore[assignment]
    end_column: str = property(itemgetter(10))  # type: ignore[assignment]
    source_column: str = property(itemgetter(11))  # type: ignore[assignment]
    source_end_column: str = property(itemgetter(12))  # type: ignore[assignment]

    def __new__(cls, *values: Any, **named: Any) -> Self:
        """Take the fields, in order or by their names."""
        fields = (*values, *(named.pop(name) for name in cls._fields[len(values) :]))
        if named or len(fields) != len(cls._fields):
            raise TypeError(f"expected the fields {', '.join(cls._fields)}, found {len(fields)} and {sorted(named)}")
        return tuple.__new__(cls, fields)

    def _replace(self, **named: Any) -> Self:
        return type(self)(**{**self._asdict(), **named})

    def __repr__(self) -> str:
        return f"RepeatInColumns({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"


def left_whole(paragraphs: npt.NDArray[np.int64]) -> str:
    """Return in words that repeats without a complete paragraph are not cut out; "" if each has one.

    `paragraphs` has how many each repeat has.
    """
    inside = int((paragraphs == 0).sum())
    if not inside:
        return ""
    return (
        f"{counted(inside, 'repeat')} without a complete paragraph: apply and clean leave these as they are; in "
        "Python, without_repeats(whole_paragraphs=False) cuts them out"
    )
