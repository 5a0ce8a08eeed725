"""The command ``dedup clean``: find duplicates or repeats, and write the texts without them, in one step.

It is a search with a report, and the report applied: `dedup find` or `dedup repeats`, then `dedup apply`. The report is
among the temporary files, and removed in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.cleaning import STREAM, Target
from dedup.cli.command import Command
from dedup.cli.ending import finish, note, progress, say, say_json
from dedup.cli.inputs import ByName, Inputs
from dedup.cli.options import (
    bounded,
    by_method,
    identified,
    kept,
    keyed,
    labelled,
    limited,
    one_json,
    paired,
    quieted,
    reading,
    recalled,
    resumed,
    threaded,
)
from dedup.cli.printed import Printed
from dedup.cli.printing import percent, report_duplicates, report_repeats
from dedup.cli.selecting import Named, selection
from dedup.errors import ParameterError

if TYPE_CHECKING:
    from dedup.pipelines.find_files import FileRun
    from dedup.report.apply import Applied
    from dedup.report.read import Report
    from dedup.results.duplicates import Duplicates
    from dedup.results.repeats import Repeats
    from dedup.sources.files.listing import Listing

__all__ = ["clean"]

OF_PAIRS = (
    "unit",
    "metric",
    "distinct",
    "shingle",
    "within",
    "across",
    "method",
    "recall",
    "seed",
    "keep",
    "min_documents",
    "work_dir",
    "fresh",
)
"""The options that mean nothing with `--repeats`."""


@click.command(
    cls=Command,
    examples=[
        "dedup clean article.txt --repeats --output clean.txt",
        "dedup clean corpus/ --keep longest --output clean/",
    ],
)
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--output",
    "-o",
    metavar="PATH",
    help="New file for one file, new folder for several, or - for standard output; needed but with --dry-run.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would be removed.")
@click.option(
    "--repeats", is_flag=True, help="Cut out passages that occur earlier in the same text, or in a text before it."
)
@click.option(
    "--min-words",
    "-w",
    type=int,
    metavar="N",
    default=50,
    show_default=True,
    help="With --repeats: least number of words in a repeat.",
)
@paired
@labelled
@by_method
@recalled
@kept
@identified
@bounded
@resumed
@keyed
@reading
@threaded
@limited
@one_json
@quieted
@click.pass_context
def clean(
    context: click.Context,
    /,
    inputs: tuple[str, ...],
    output: str | None,
    dry_run: bool,
    repeats: bool,
    min_words: int,
    as_json: bool,
    limit: int | None,
    id_column: str | None,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    threads: int | None,
    log_json: bool,
    **options: Any,
) -> None:
    """Write files anew without duplicates, or without repeated passages.

    An INPUT is what `dedup find` takes. It is not changed: a new file is written, with the format and the kept records
    of the input. Documents are removed; with --unit paragraph (or line) and with --repeats all records are kept, and
    what is duplicate is cut out of their texts.
    """
    if output is None and not dry_run:
        if inputs != (STREAM,):
            raise ParameterError(
                "output: expected a name for what is written, found none; give --output PATH, or --dry-run"
            )
        output = STREAM
    _check_kind(context, repeats=repeats)
    printed = Printed.check(as_json=as_json, as_csv=False, count=False, limit=limit)
    target = None if output is None else Target(output, inputs)
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    from dedup.runtime.progress import Heartbeats
    from dedup.storage.folders import scratch_folder

    applied: list[Applied] = []

    def write(report: Report, listing: Listing) -> None:
        from dedup.report.apply import foreseen

        if dry_run or target is None:
            applied.append(foreseen(report))
        else:
            applied.append(target.write(report, listing, threads=threads))

    if repeats:
        search: Callable[..., list[str]] = _repeats
        options = {name: value for name, value in options.items() if name not in OF_PAIRS} | {"min_words": min_words}
    else:
        search = _duplicates
        options["format"] = format
    with scratch_folder() as scratch:
        shown = printed if dry_run and not as_json else None
        options |= {"id": id_column, "threads": threads, "progress": Heartbeats() if log_json else progress()}
        told = search(inputs, read, scratch / "report", target, write, shown=shown, **options)
    counts = {**applied[0].to_dict(), **({"dry_run": True} if dry_run else {})}
    line = str(applied[0])
    if dry_run:
        line = f"dry run: {line.replace(' written to ', ' would be written to ', 1)}"
    to_stream = output == STREAM and not dry_run
    if as_json and not to_stream:
        say_json(counts)
    elif to_stream:
        note(line)
    else:
        say(line)
    for each in told:
        note(each)
    finish(found=False, check=False, rejected=read.rejected())


def _check_kind(context: click.Context, *, repeats: bool) -> None:
    """Raise `ParameterError` for options of the other kind of search."""
    names = OF_PAIRS if repeats else ("min_words",)
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise ParameterError(
                f"{option}: expected no such option with --repeats, found it; leave one of the two out"
                if repeats
                else f"{option}: expected --repeats with it, found none; give --repeats, or leave it out"
            )


def _check_cuts(listing: Listing, unit: str, option: str) -> None:
    """Raise `ParameterError` if there are files out of whose texts nothing can be cut."""
    from dedup.report.rewriting.records import UNCUT, no_cuts

    for entry in listing:
        if entry.format in UNCUT:
            raise ParameterError(no_cuts(f"{entry.path}, {UNCUT[entry.format]}", unit, option))


def _duplicates(
    inputs: tuple[str, ...],
    read: Inputs,
    folder: Path,
    target: Target | None,
    write: Callable[[Report, Listing], None],
    *,
    shown: Printed | None,
    **options: Any,
) -> list[str]:
    """Find duplicates, and write what is kept of the files. Return what is told at the end."""
    from dedup.pipelines.find_files import find_in_files
    from dedup.report.read import Report
    from dedup.report.write import write_run_report
    from dedup.results.duplicates import hint_after

    def check(listing: Listing) -> None:
        if options["unit"] != "document":
            _check_cuts(listing, options["unit"], "--unit")
        if target is not None:
            target.check(listing)

    def written(run: FileRun, _: Mapping[str, float]) -> None:
        write_run_report(folder, run.duplicates, listing=run.listing, rejects=run.rejects)
        if shown:
            report_duplicates(run.duplicates, shown.groups())
        write(Report.open(folder, verify=False), run.listing)

    if target is not None and target.path is not None:
        options["beside"] = target.path
    run = find_in_files(
        inputs,
        errors=read.errors,
        tell=read.tell,
        resumed=read.tell_resumed,
        write=written,
        check=check,
        **selection(),
        **options,
    )
    assert not isinstance(run, Report)
    read.tell_unread(run.listing, options["column"])
    result: Duplicates = run.duplicates
    return [f"{result.summary}{hint_after(result)}"]


def _repeats(
    inputs: tuple[str, ...],
    read: Inputs,
    folder: Path,
    target: Target | None,
    write: Callable[[Report, Listing], None],
    *,
    shown: Printed | None,
    id: str | None,
    column: Any,
    min_words: int,
    **options: Any,
) -> list[str]:
    """Find repeats, and write the files without them. Return what is told at the end."""
    from dedup.pipelines.repeats import find_repeats
    from dedup.report.apply import passages_unused
    from dedup.report.read import Report
    from dedup.report.write import write_run_report
    from dedup.results.counted import counted
    from dedup.sources.columns import plain_names

    texts = read.open(inputs, column=column, id=id)
    _check_cuts(texts.listing, "span", "--repeats")
    if target is not None:
        target.check(texts.listing)
    found: Repeats = find_repeats(texts, min_words=min_words, **options)
    write_run_report(folder, found, options={"column": plain_names(column), "id": id})
    if shown:
        report_repeats(found, ByName(texts), min_words, shown.groups())
    report = Report.open(folder, verify=False)
    write(report, texts.listing)
    told = (
        f"{counted(len(texts), 'text')}, {counted(len(found), 'repeat')}: {percent(found.coverage)} of all characters "
    )
    told += "repeat something earlier"
    return [told, *([f"dedup: {left}"] if (left := passages_unused(report)) else [])]
