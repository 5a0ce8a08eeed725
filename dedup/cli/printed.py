"""How results are printed: for people, as JSON lines, as CSV, or as one number; all of them, or the first groups.

A group is a cluster, a repeat, or a text with its matches.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dedup.cli.ending import say, say_json
from dedup.errors import ParameterError
from dedup.options import check_whole
from dedup.terminal import clean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Printed", "rest"]

ON_A_TERMINAL = 20
"""Groups that are printed on a terminal if `--limit` is not given."""

GROUP_COLUMNS = {"find": "cluster", "match": "left", "repeats": None}
"""By kind of result, the column that is the same in all rows of a group; None: each row is a group."""


@dataclass(frozen=True)
class Printed:
    """What is printed of a result: `as_json`, `as_csv` or `count`, or else text for people; `limit` groups at most."""

    as_json: bool
    as_csv: bool
    count: bool
    limit: int | None

    @classmethod
    def check(cls, *, as_json: bool, as_csv: bool, count: bool, limit: int | None = None) -> Printed:
        """Return the options, or raise `ParameterError` if they exclude each other."""
        chosen = [name for name, on in (("--json", as_json), ("--csv", as_csv), ("--count", count)) if on]
        if len(chosen) > 1:
            raise ParameterError(
                f"{chosen[1]}: expected no {chosen[0]} beside it, found both; leave one of the two out"
            )
        if limit is not None:
            limit = check_whole("limit", limit, 1, also=", or None")
        return cls(as_json, as_csv, count, limit)

    @property
    def for_people(self) -> bool:
        """Whether text for people is printed."""
        return not (self.as_json or self.as_csv or self.count)

    def groups(self) -> int | None:
        """Return how many groups are printed for people, at most; None: all."""
        return ON_A_TERMINAL if self.limit is None and sys.stdout.isatty() else self.limit

    def show(self, kind: str, tables: Mapping[str | None, pa.Table], people: Callable[[int | None], None]) -> None:
        """Print a result: `tables` by the kind of their rows, or what `people` prints of so many groups at most."""
        if self.count:
            say(str(_count(kind, tables.values())))
        elif self.as_json:
            for name, row in self._rows(kind, tables):
                say_json(row if name is None else {"kind": name, **row})
        elif self.as_csv:
            self._csv(kind, tables)
        else:
            people(self.groups())

    def _rows(self, kind: str, tables: Mapping[str | None, pa.Table]) -> Iterator[tuple[str | None, dict[str, Any]]]:
        """Yield the rows of the first groups, each with the kind of its row."""
        column = GROUP_COLUMNS[kind]
        first: set[Any] | None = None
        if self.limit is not None and column is not None:
            names = dict.fromkeys(name for table in tables.values() for name in table.column(column).to_pylist())
            first = set(list(names)[: self.limit])
        for name, table in tables.items():
            if first is None and self.limit is not None:
                table = table.slice(0, self.limit)
            for row in table.to_pylist():
                if first is None or row[str(column)] in first:
                    yield name, row

    def _csv(self, kind: str, tables: Mapping[str | None, pa.Table]) -> None:
        columns = list(dict.fromkeys(name for table in tables.values() for name in table.column_names))
        typed = ["kind"] if None not in tables else []
        on_terminal = sys.stdout.isatty()

        def line(cells: Iterable[Any]) -> str:
            text = io.StringIO()
            csv.writer(text, lineterminator="").writerow(["" if cell is None else _cell(cell) for cell in cells])
            return clean(text.getvalue()) if on_terminal else text.getvalue()

        say(line([*typed, *columns]))
        for name, row in self._rows(kind, tables):
            say(line([*([name] if typed else []), *(row.get(column) for column in columns)]))


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _count(kind: str, tables: Iterable[pa.Table]) -> int:
    """Return the number of a result: removed texts (or paragraphs, lines), repeats, or texts that match."""
    if kind == "find":
        return sum(table.column("kept").to_pylist().count(False) for table in tables)
    if kind == "repeats":
        return sum(table.num_rows for table in tables)
    return len({name for table in tables for name in table.column("left").to_pylist()})


def rest(shown: int | None, count: int, noun: str) -> str | None:
    """Return the line about groups that are not printed, or None if all `count` are."""
    if shown is None or count <= shown:
        return None
    more = count - shown
    return f"{more:,} more {noun}{'' if more == 1 else 's'}; --limit {count} shows all"
