"""Records that could not be read, and what is done about them.

A record that cannot be read is not a text: it has no row and is never compared. It keeps its number, so the numbers of
other records do not depend on it. This module decides whether the search continues.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

from dedup.errors import InputError, ParameterError
from dedup.options import check_word, shown
from dedup.sources.files.formats.named import WITHOUT_COLUMNS

__all__ = ["Errors", "Reject", "check_extra", "no_texts", "none_readable"]

POLICIES = ("quarantine", "skip", "fail")


class Reject(NamedTuple):
    """A record, or a file, that cannot be read.

    Attributes
    ----------
    file : its path, as it was named or found
    line : number of the line (of the row, in tables) from 1; None if the whole file is meant
    offset : where in the file it is, in bytes of the decompressed stream; None in tables
    reason : why it cannot be read
    """

    file: str
    line: int | None
    offset: int | None
    reason: str

    @property
    def place(self) -> str:
        """Return ``file`` or ``file:line``."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, as in a line of ``rejects.jsonl``."""
        return self._asdict()

    def __str__(self) -> str:
        """Return it as a line of text."""
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True)
class Errors:
    """What is done about records that cannot be read.

    Attributes
    ----------
    on_error : "quarantine" (continue, and name each), "skip" (continue, and count them), or "fail" (stop at the first)
    max_errors : stop if more are rejected: a count, or a share of all records such as "1%"; None: never

    Raises `ParameterError` if one of them has a wrong value.
    """

    on_error: str = "quarantine"
    max_errors: int | str | None = None

    def __post_init__(self) -> None:
        check_word("on_error", self.on_error, POLICIES)
        self.limit(0)

    def limit(self, records: int) -> float | None:
        """Return how many of `records` records may be rejected; None for all."""
        if self.max_errors is None:
            return None
        if isinstance(self.max_errors, Integral) and not isinstance(self.max_errors, bool) and self.max_errors >= 0:
            return int(self.max_errors)
        if isinstance(self.max_errors, str):
            match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*", self.max_errors)
            if match and match[2] and float(match[1]) <= 100:
                return records * float(match[1]) / 100
            if match and match[1].isdigit() and not match[2]:
                return int(match[1])
        raise ParameterError(
            f'max_errors: expected a count from 0 on or a share of all records such as "1%", '
            f"found {shown(self.max_errors)}"
        )

    def check(self, rejects: int, records: int, first: Reject | None, *, done: bool) -> None:
        """Raise `InputError` if the search must stop.

        So far, `rejects` of `records` records (rejects included) were rejected; `first` was the first. A share is only
        checked when all records are `done`, so it does not matter where in the corpus the bad records are.
        """
        if first is None or not rejects:
            return
        if self.on_error == "fail":
            raise InputError(f'{first}; mend it, or pass on_error="quarantine" to continue without it')
        share = isinstance(self.max_errors, str) and "%" in self.max_errors
        limit = self.limit(records)
        if limit is not None and rejects > limit and (done or not share):
            some = f"{rejects:,} of {records:,} records" if done else "more"
            raise InputError(
                f"max_errors: expected at most {self.max_errors} rejected, found {some}; the first: {first}; mend "
                "them, or allow more"
            )


def none_readable(
    names: Sequence[str],
    rejects: Sequence[Reject],
    unread: str,
    *,
    explained: bool,
    forced: bool,
    chosen: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> InputError:
    """Return the error if no name gives a readable file; `explained` is whether the rejects say what to do.

    `forced` is whether the format was given, `unread` describes the files in the folders that are not read, and
    `chosen` are the patterns of names that are included and excluded.
    """
    why = [*map(str, rejects[:3]), *([unread] if unread else [])]
    found = f" ({'; '.join(why)})" if why else ""
    what = "" if explained else "; name files, or folders of files, that are there and can be read"
    if unread:
        what = "; to read these files, name them or a pattern"
        what += "" if forced else ", and give their format with format= (--format)"
    elif any(chosen):
        given = (f"{word} {', '.join(some)}" for word, some in zip(("include", "exclude"), chosen, strict=True) if some)
        what = f"; only what the patterns choose is read ({' and '.join(given)})"
    return InputError(
        f"expected readable texts, found none in {', '.join(map(_quoted, names)) or 'no paths'}{found}{what}"
    )


def _quoted(name: str) -> str:
    return f"'{name}'"


def check_extra(option: str, column: str | None, formats: Iterable[str], some: Sequence[str]) -> None:
    """Raise `ParameterError` if an option names a column (None: it does not), and all files are plain text."""
    if column is not None and set(formats) <= WITHOUT_COLUMNS:
        other = "name another policy" if option == "keep" else "leave it out"
        raise ParameterError(
            f"{option}: expected files with a column {json.dumps(column, ensure_ascii=False)}, found plain text in "
            f"{', '.join(some)}; {other}, or give their format with format= (--format)"
        )


def no_texts(paths: Sequence[str], found: str, first: Reject | None, rejected: int) -> InputError:
    """Return the error if there are no texts to search: what was `found`, and how many records were rejected."""
    why = f"; {rejected:,} {'was' if rejected == 1 else 'were'} rejected, the first: {first}" if first else ""
    advised = first is not None and ";" in first.reason and not first.reason.endswith(("was read", "was used"))
    what = "name files that hold texts" if first is None else "mend what was rejected, or name other files"
    return InputError(f"expected texts, found {found} {', '.join(paths)}{why}{'' if advised else f'; {what}'}")
