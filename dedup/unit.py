"""The units of a search: documents, paragraphs or lines."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Unit"]


class Unit(StrEnum):
    """What is compared: whole documents, their paragraphs, or their lines that are not blank."""

    DOCUMENT = "document"
    PARAGRAPH = "paragraph"
    LINE = "line"

    @property
    def whole(self) -> bool:
        """Whether a unit is a complete document, not a part of one."""
        return self is Unit.DOCUMENT

    @property
    def shingle(self) -> str:
        """The default shingle for this unit."""
        return "words:5" if self.whole else "words:3"

    @property
    def place_columns(self) -> int:
        """The number of columns that locate a unit: its document; for a part also its number there, start and end."""
        return 1 if self.whole else 4
