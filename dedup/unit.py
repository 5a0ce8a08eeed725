"""The units of a search: what is compared with what."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Unit"]


class Unit(StrEnum):
    """Whole documents, or their paragraphs, or their lines that are not blank."""

    DOCUMENT = "document"
    PARAGRAPH = "paragraph"
    LINE = "line"

    @property
    def whole(self) -> bool:
        """Whether a unit is a text as it came in, not a part of one."""
        return self is Unit.DOCUMENT

    @property
    def shingle(self) -> str:
        """The shingle that units are compared by unless told otherwise."""
        return "words:5" if self.whole else "words:3"

    @property
    def place_columns(self) -> int:
        """Columns that say where a unit is: its text; of a part also its number there, its start and its end."""
        return 1 if self.whole else 4
