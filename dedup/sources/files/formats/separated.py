"""Separated text: its formats, the separator of each, and which of them some text may have."""

from __future__ import annotations

import csv

__all__ = ["SEPARATED", "format_of_separator", "separated_by"]

SEPARATED = {"csv": ",", "tsv": "\t", "csv-semicolon": ";", "csv-bar": "|"}
"""The formats of separated text, and the separator of each. All else is the same: quotes, line breaks, the header."""

SEPARATOR_NAMES = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|", "\\t": "\t"}
"""What a separator may be called in addition to itself."""

CHECKED_LINES = 50
"""Records whose cells are counted."""


def format_of_separator(separator: str) -> str | None:
    """Return the format of a separator, or of its name; None if there is none.

    >>> format_of_separator(";"), format_of_separator("tab"), format_of_separator("-")
    ('csv-semicolon', 'tsv', None)
    """
    wanted = SEPARATOR_NAMES.get(separator, separator)
    return next((name for name, each in SEPARATED.items() if each == wanted), None)


def separated_by(text: str, order: str, *, whole: bool, surely: bool) -> str | None:
    """Return the format of separated text that begins with `text`; None if no separator fits.

    A separator fits if it occurs in the first line, and all first records have the same number of cells, and more than
    one. Separators are tried in the `order` given. `whole` is whether there is no more text. If it is not certain that
    the text is separated (`surely` is false), then a separator with a blank after it is punctuation. If it is, then a
    separator other than a comma fits too if it occurs in the first line, and no comma does.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not whole:
        text = text.rpartition("\n")[0]
    first = text.lstrip("\n").partition("\n")[0]
    for separator in order:
        if separator not in first or (not surely and f"{separator} " in first):
            continue
        try:
            lines = csv.reader(text.split("\n"), delimiter=separator)
            rows = [row for row, _ in zip(lines, range(CHECKED_LINES)) if row]  # noqa: B905
        except csv.Error:
            continue
        rows = rows if whole or len(rows) == CHECKED_LINES else rows[:-1]
        if (len(rows) > 1 or (surely and rows)) and len({len(row) for row in rows}) == 1:
            return format_of_separator(separator)
    others = [separator for separator in order if separator != "," and separator in first]
    if surely and "," not in first and others:  # with commas there would be one column; bad records are rejected later
        return format_of_separator(max(others, key=first.count))
    return None
