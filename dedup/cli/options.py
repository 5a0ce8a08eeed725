"""The options that commands share: the same names, defaults and help wherever they occur."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from dedup.cli.selecting import selecting
from dedup.errors import ParameterError
from dedup.hash_key import read_key
from dedup.options import shown
from dedup.reading import WORDS
from dedup.sources.columns import check_columns
from dedup.sources.files.formats.separated import format_of_separator
from dedup.unit import Unit

__all__ = [
    "UNITS",
    "bounded",
    "by_method",
    "common",
    "identified",
    "keyed",
    "labelled",
    "paired",
    "reading",
    "reading_columns",
    "reported",
    "threaded",
    "worded",
]

UNITS = [str(unit) for unit in Unit]
"""What `--unit` takes."""


def _key(_: click.Context, __: click.Parameter, path: str | None) -> bytes | None:
    return None if path is None else read_key(path)


def _format(context: click.Context, _: click.Parameter, given: str | None) -> str | None:
    """Return the format, which a delimiter gives too."""
    delimiter = context.params.pop("delimiter", None)
    if delimiter is None:
        return given
    found = format_of_separator(delimiter)
    if found is None:
        raise ParameterError(
            "--delimiter: expected a comma, tab, semicolon or bar, or one of these words, found "
            f"{shown(delimiter)}; write a file with another one anew"
        )
    if given not in (None, "csv", found):
        raise ParameterError(
            f"--delimiter: expected no --format, or --format csv, found --format {given}; leave one out"
        )
    return found


def _all_of(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds these options, in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


threaded = click.option("--threads", type=int, help="Number of threads; by default one for each available processor.")

common = _all_of(
    click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text for people."),
    click.option("--check", is_flag=True, help="Exit with code 1 if anything was found."),
    threaded,
)
"""The options of every search."""

worded = _all_of(
    click.option(
        "--ignore",
        multiple=True,
        metavar="WORD",
        help="accents, markup, hyphenation, numbers: differences that do not count; can be given several times.",
    ),
    click.option(
        "--tokens", default=WORDS, show_default=True, help="words, or all: each symbol and punctuation mark is one too."
    ),
)
"""How texts become tokens."""

paired = _all_of(
    click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True, help="What is compared."),
    click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair."),
    click.option(
        "--metric",
        default="jaccard",
        show_default=True,
        help="jaccard, containment (a text inside a longer one), or edit (by edit distance: titles, names).",
    ),
    click.option(
        "--distinct",
        multiple=True,
        metavar="WORD",
        help="numbers, symbols: texts that differ in these alone are no pair; can be given several times.",
    ),
    worded,
    click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, or words:3 for paragraphs and lines.'),
)
"""Which pairs are found: of which units, and how similar."""

by_method = click.option("--method", default="auto", show_default=True, help="exact, lsh, or auto, which is exact.")

labelled = _all_of(
    click.option("--within", metavar="COLUMN", help="Compare only texts with the same value in this column."),
    click.option("--across", metavar="COLUMN", help="Never compare texts with the same value in this column."),
)
"""Which texts are compared with each other."""

identified = click.option("--id", "id_column", help="Column or JSON field of the id; by default FILE:NUMBER.")

bounded = click.option("--memory", help='Memory limit, such as "4GB"; if needed, the texts are read more than once.')

reported = click.option(
    "--output", metavar="FOLDER", help="Write a report to this new folder, completely or not at all."
)

keyed = click.option(
    "--hash-key-file",
    "hash_key",
    metavar="FILE",
    callback=_key,
    help="File with a secret hash key, for untrusted texts; by default the variable DEDUP_HASH_KEY, or a public key.",
)


def _columns(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str | None:
    return check_columns(names)


def _column(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str:
    if len(names) > 1:
        found = " and ".join(map(shown, names))
        raise ParameterError(f"--column: expected one column, found {found}; search one at a time, or find documents")
    return names[0]


_columns_option = click.option(
    "--column",
    multiple=True,
    default=("text",),
    show_default="text",
    callback=_columns,
    help="Column or JSON field of the text; can be given several times: the texts are joined.",
)

_formats = _all_of(
    click.option(
        "--delimiter",
        is_eager=True,  # before --format, which takes it
        help="What separates cells in all files: a comma, tab, semicolon or bar, or one of these words.",
    ),
    click.option(
        "--format",
        callback=_format,
        help="Format of all files: jsonl, json, csv, tsv, txt, lines (a text a line), parquet, arrow.",
    ),
    click.option(
        "--on-error",
        type=click.Choice(["quarantine", "skip", "fail"]),
        default="quarantine",
        show_default=True,
        help="Records that cannot be read: name each (quarantine), count them (skip), or stop at the first (fail).",
    ),
    click.option("--max-errors", help='Stop if more records than this are rejected: a count, or a share such as "1%".'),
)

_column_option = click.option(
    "--column",
    multiple=True,  # so that a second one is an error
    default=("text",),
    show_default="text",
    callback=_column,
    help="Column or JSON field of the text.",
)

reading = _all_of(_column_option, _formats, selecting)
"""How files are read."""

reading_columns = _all_of(_columns_option, _formats, selecting)
"""The same for documents, whose results have no places in the text: of one column, or of several."""
