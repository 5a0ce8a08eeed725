"""The options that commands share: the same names, defaults and help wherever they occur."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from dedup.cli.ending import IS_QUIET, IS_VERBOSE
from dedup.cli.printed import Printed
from dedup.cli.selecting import selecting
from dedup.errors import ParameterError
from dedup.hash_key import read_key
from dedup.options import shown
from dedup.reading import IGNORE, TOKENS, WORDS
from dedup.sources.columns import check_columns
from dedup.sources.files.formats.separated import format_of_separator
from dedup.unit import Unit

__all__ = [
    "CHOICES",
    "UNITS",
    "against_columns",
    "bounded",
    "by_method",
    "capped",
    "checked",
    "common",
    "folder",
    "identified",
    "kept",
    "keyed",
    "labelled",
    "listed",
    "one_json",
    "paired",
    "parted",
    "quieted",
    "reading",
    "reading_one",
    "recalled",
    "reported",
    "resumed",
    "threaded",
    "thresholded",
    "united",
    "worded",
]

UNITS = [str(unit) for unit in Unit]
"""What `--unit` takes."""

CHOICES = {
    "metric": ("jaccard", "containment", "edit"),
    "method": ("auto", "exact", "lsh"),
    "pairs": ("auto", "all"),
    "distinct": ("numbers", "symbols"),
    "order": ("best", "first"),
    "store": ("hashes", "text"),
}
"""What further options take. The modules that know it are slow to load."""


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


def _quiet(context: click.Context, _: click.Parameter, given: bool) -> None:
    context.meta[IS_QUIET] = given
    _check_loud(context)


def _verbose(context: click.Context, _: click.Parameter, given: bool) -> None:
    context.meta[IS_VERBOSE] = given
    _check_loud(context)


def _check_loud(context: click.Context) -> None:
    if context.meta.get(IS_QUIET) and context.meta.get(IS_VERBOSE):
        raise ParameterError("--verbose: expected no --quiet beside it, found both; leave one of the two out")


threaded = click.option(
    "--threads", "-j", type=int, metavar="N", help="Number of threads; by default one for each available processor."
)

quieted = _all_of(
    click.option(
        "--quiet",
        "-q",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_quiet,
        help="Write no summaries, hints and progress to stderr; results and errors only.",
    ),
    click.option(
        "--verbose",
        "-v",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_verbose,
        help="Write each stage and its seconds to stderr, and no progress bar.",
    ),
)
"""How much is written to standard error."""

one_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

limited = click.option(
    "--limit",
    "-n",
    type=int,
    metavar="N",
    help="Groups that are printed, at most; by default 20 on a terminal, else all.",
)

checked = click.option("--check", is_flag=True, help="Exit with code 1 if anything was found.")

_forms = _all_of(
    click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text for people."),
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with the columns of --json."),
    click.option("--count", "-c", is_flag=True, help="Print only how many texts (or parts, or repeats) were found."),
)


def listed(command: Any) -> Any:
    """Add the options that say how rows are printed; the command gets them as `printed`."""

    @wraps(command)
    def packed(*args: Any, as_json: bool, as_csv: bool, count: bool, **options: Any) -> Any:
        return command(*args, printed=Printed.check(as_json=as_json, as_csv=as_csv, count=count), **options)

    return _forms(packed)


def common(command: Any) -> Any:
    """Add the options of every search: how its result is printed (`printed`), `check` and `threads`."""

    @wraps(command)
    def packed(*args: Any, as_json: bool, as_csv: bool, count: bool, limit: int | None, **options: Any) -> Any:
        printed = Printed.check(as_json=as_json, as_csv=as_csv, count=count, limit=limit)
        return command(*args, printed=printed, **options)

    return _all_of(limited, _forms, checked, quieted, threaded)(packed)


worded = _all_of(
    click.option(
        "--ignore",
        multiple=True,
        type=click.Choice(IGNORE),
        help="Differences that do not count; can be given several times.",
    ),
    click.option(
        "--tokens",
        type=click.Choice(TOKENS),
        default=WORDS,
        show_default=True,
        help="What is compared: words, or also each symbol and punctuation mark.",
    ),
)
"""How texts become tokens."""

united = click.option(
    "--unit", "-u", type=click.Choice(UNITS), default="document", show_default=True, help="What is compared."
)

thresholded = click.option(
    "--threshold", "-t", type=float, metavar="T", default=0.8, show_default=True, help="Least similarity of a pair."
)

parted = click.option(
    "--distinct",
    multiple=True,
    type=click.Choice(CHOICES["distinct"]),
    help="Texts that differ in these alone are no pair; can be given several times.",
)

paired = _all_of(
    united,
    thresholded,
    click.option(
        "--metric",
        type=click.Choice(CHOICES["metric"]),
        default="jaccard",
        show_default=True,
        help="Similarity of sets, a text inside a longer one, or edit distance (for titles and names).",
    ),
    parted,
    worded,
    click.option(
        "--shingle",
        metavar="words:N|chars:N",
        help="What is shared; by default words:5, or words:3 for paragraphs and lines.",
    ),
)
"""Which pairs are found: of which units, and how similar."""

by_method = click.option(
    "--method", type=click.Choice(CHOICES["method"]), default="auto", show_default=True, help="How; auto is exact."
)

recalled = _all_of(
    click.option(
        "--recall",
        type=float,
        metavar="R",
        default=0.999,
        show_default=True,
        help="For lsh: least probability that a pair at the threshold is found.",
    ),
    click.option("--seed", type=int, metavar="N", default=1, show_default=True, help="For lsh: of its hash functions."),
)
"""The options of `--method lsh`."""

kept = _all_of(
    click.option(
        "--keep",
        "-k",
        metavar="[first|last|longest|shortest|none|max:COLUMN|min:COLUMN]",
        default="first",
        show_default=True,
        help="Which text of a cluster is kept.",
    ),
    click.option(
        "--min-documents",
        type=int,
        metavar="N",
        help="A cluster that occurs in fewer documents removes nothing; by default 2 with --keep none, else 1.",
    ),
)
"""Which texts are removed."""

labelled = _all_of(
    click.option("--within", metavar="COLUMN", help="Compare only texts with the same value in this column."),
    click.option("--across", metavar="COLUMN", help="Never compare texts with the same value in this column."),
)
"""Which texts are compared with each other."""

identified = click.option(
    "--id", "id_column", metavar="NAME", help="Column or JSON field of the id; by default FILE:NUMBER."
)

bounded = click.option(
    "--memory", metavar="M", help='Memory limit, such as "4GB"; if needed, the texts are read more than once.'
)

capped = click.option("--memory", metavar="M", help='Memory limit of the index, such as "500MB".')


def folder(hint: str = "") -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return what checks the name of a new folder: `ParameterError` for the name of a file, which is not written."""

    def check(_: click.Context, option: click.Parameter, name: str | None) -> str | None:
        from dedup.sources.files.formats.named import format_of_name

        if name is None or name.endswith(os.sep) or os.path.lexists(name) or format_of_name(name) is None:
            return name  # what is there already has an error of its own
        raise ParameterError(
            f"{option.opts[0]}: expected a name for a new folder, found {shown(name)}, a name for a file; choose "
            f"another, or write {name}{os.sep}{hint}"
        )

    return check


reported = click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    callback=folder("; to write rows to a file: --json or --csv, and > FILE"),
    help="Write a report to this new folder, completely or not at all.",
)

resumed = _all_of(
    click.option(
        "--work-dir",
        metavar="FOLDER",
        help="Folder for intermediate results, from which a stopped run resumes; by default OUTPUT.work, if one is "
        "needed.",
    ),
    click.option(
        "--fresh", is_flag=True, help="Start over, and delete the intermediate results in the work directory."
    ),
    click.option("--log-json", is_flag=True, help="Write progress to stderr as JSON lines."),
)
"""How a long run goes on after it was stopped, and how it tells how far it is."""

keyed = click.option(
    "--hash-key-file",
    "hash_key",
    metavar="FILE",
    callback=_key,
    help="File with a secret hash key, for untrusted texts; by default the variable DEDUP_HASH_KEY, or a public key.",
)


def _columns(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str | None:
    return check_columns(names) if names else None


def _column(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str:
    if len(names) > 1:
        found = " and ".join(map(shown, names))
        raise ParameterError(f"--column: expected one column for an index, found {found}; join them first")
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

reading = _all_of(_columns_option, _formats, selecting)
"""How files are read: one column of texts, or several."""

reading_one = _all_of(_column_option, _formats, selecting)
"""The same for an index, which takes one column."""

against_columns = click.option(
    "--against-column",
    multiple=True,
    metavar="NAME",
    callback=_columns,
    help="Column or JSON field of the text in OLD, as --column; by default the same.",
)
