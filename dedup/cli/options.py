"""The options that commands share: the same names, defaults and help wherever they occur."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from dedup.hash_key import read_key
from dedup.unit import Unit

__all__ = [
    "UNITS",
    "bounded",
    "by_method",
    "common",
    "identified",
    "keyed",
    "paired",
    "reading",
    "reported",
    "threaded",
]

UNITS = [str(unit) for unit in Unit]
"""What `--unit` takes."""


def _key(_: click.Context, __: click.Parameter, path: str | None) -> bytes | None:
    return None if path is None else read_key(path)


def _all_of(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds some options, in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


threaded = click.option("--threads", type=int, help="Threads; by default all processors that the process may use.")

common = _all_of(
    click.option("--json", "as_json", is_flag=True, help="Write JSON lines instead of a report for people."),
    click.option("--check", is_flag=True, help="Exit with code 1 if anything was found."),
    threaded,
)
"""What every search has."""

paired = _all_of(
    click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True),
    click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair."),
    click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment."),
    click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs and lines words:3.'),
)
"""Which pairs are wanted: of which units, and how similar."""

by_method = click.option("--method", default="auto", show_default=True, help="auto, exact or lsh.")

identified = click.option("--id", "id_column", help="Column or JSON field of the id; by default FILE:NUMBER.")

bounded = click.option(
    "--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.'
)

reported = click.option("--output", metavar="FOLDER", help="Write a report: a new folder, whole or not at all.")

keyed = click.option(
    "--hash-key-file",
    "hash_key",
    metavar="FILE",
    callback=_key,
    help="A secret key of the hashes, for texts of strangers; by default DEDUP_HASH_KEY, or a public key.",
)

reading = _all_of(
    click.option("--column", default="text", show_default=True, help="Column or JSON field that holds the text."),
    click.option("--format", help="What all files hold, whatever their names: jsonl, csv, txt, parquet, arrow."),
    click.option(
        "--on-error",
        type=click.Choice(["quarantine", "skip", "fail"]),
        default="quarantine",
        show_default=True,
        help="Records that cannot be read: name them, count them, or stop at the first.",
    ),
    click.option("--max-errors", help='Stop where more are rejected: a count, or a share such as "1%".'),
)
"""How files are read."""
