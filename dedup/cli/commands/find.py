"""The commands ``dedup find`` and ``dedup estimate``: find duplicates in files, and forecast the cost of a find.

A search that was stopped keeps what it committed to the work directory; the message names that folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.command import Command
from dedup.cli.ending import finish, note, progress, say, say_json
from dedup.cli.inputs import Inputs
from dedup.cli.options import (
    CHOICES,
    by_method,
    common,
    identified,
    kept,
    keyed,
    labelled,
    one_json,
    paired,
    quieted,
    reading,
    recalled,
    reported,
    resumed,
    threaded,
)
from dedup.cli.printed import Printed
from dedup.cli.printing import report_duplicates
from dedup.cli.reports import show_report, tell_output
from dedup.cli.selecting import Named, selection

if TYPE_CHECKING:
    from dedup.pipelines.find_files import FileRun
    from dedup.report.read import Report
    from dedup.results.duplicates import Duplicates

__all__ = ["estimate", "find", "search_files"]


@click.command(
    cls=Command,
    examples=[
        "dedup find articles/",
        "dedup find news.jsonl --id url --threshold 0.7 --output report",
    ],
)
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@paired
@labelled
@by_method
@recalled
@kept
@identified
@click.option(
    "--pairs",
    type=click.Choice(CHOICES["pairs"]),
    default="auto",
    show_default=True,
    help="Pairs in the report: all of large clusters too, or those of removed texts with their kept text.",
)
@reported
@click.option(
    "--memory",
    metavar="M",
    help='Memory limit, such as "4GB"; hashes that do not fit are written to the work directory.',
)
@resumed
@keyed
@reading
@common
def find(
    inputs: tuple[str, ...],
    printed: Printed,
    check: bool,
    column: str,
    id_column: str | None,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    output: str | None,
    **options: Any,
) -> None:
    """Find duplicate documents, paragraphs or lines.

    Exact and near duplicates are found. An INPUT is a text file (one document), a file of documents (.jsonl, .csv,
    .parquet, .arrow), a folder of such files, or "-" for standard input. With --output a report is written. A run that
    was stopped resumes from its work directory if the same command is given again.
    """
    from dedup.report.read import Report
    from dedup.results.duplicates import hint_after

    read = Inputs(format=format, on_error=on_error, max_errors=max_errors)
    result = search_files(inputs, read, format=format, column=column, id=id_column, output=output, **options)
    if isinstance(result, Report):
        some = show_report(result, read, printed)
        finish(found=some, check=check, rejected=read.rejected())
        return
    if output is None or not printed.for_people:
        printed.show("find", {None: result.clusters}, lambda limit: report_duplicates(result, limit))
    tell_output(output)
    note(f"{result.summary}{hint_after(result)}")
    rejected = read.rejected()
    if result.summary.texts == 1 and result.summary.unit == "document" and not rejected:
        note(
            "one text has nothing to be compared with; is each line a text? --format lines; or compare --unit paragraph"
        )
    finish(found=result.summary.clusters > 0, check=check, rejected=rejected)


@click.command(
    cls=Command,
    examples=[
        "dedup estimate corpus/",
        "dedup estimate 'corpus/*.parquet' --memory 4GB --json",
    ],
)
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@paired
@labelled
@by_method
@click.option("--memory", metavar="M", help='Memory limit of the search, such as "4GB".')
@threaded
@keyed
@reading
@one_json
@quieted
def estimate(
    inputs: tuple[str, ...],
    as_json: bool,
    column: str,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    **options: Any,
) -> None:
    """Forecast the method, memory and time of `dedup find`."""
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors)
    texts = read.open(inputs, column=column, id=None)
    from dedup.pipelines.estimate import estimate as plan_of

    plan = plan_of(texts, **options)
    if as_json:
        say_json(plan.to_dict())
    else:
        say(str(plan))
    finish(found=False, check=False, rejected=read.rejected())


def search_files(
    names: tuple[str, ...],
    inputs: Inputs,
    *,
    output: str | None,
    log_json: bool,
    threads: int | None,
    **options: Any,
) -> Duplicates | Report:
    """Search files, and write the report if an `output` folder is named. `options` are those of `find_in_files`.

    Return the result, or the report if `output` already contains the report of the same search.
    """
    from dedup.pipelines.find_files import find_in_files
    from dedup.report.existing_report import ASKED
    from dedup.report.read import Report
    from dedup.report.write import write_run_report
    from dedup.runtime.progress import Heartbeats

    asked = {name: options[name] for name in ("keep", "recall", "id", "format")}
    asked |= {"seed": options["seed"]} if options["seed"] != 1 else {}

    def write(run: FileRun, seconds: Mapping[str, float]) -> None:
        if output is None:
            return
        spent = {stage: round(value, 3) for stage, value in seconds.items()}
        write_run_report(
            output,
            run.duplicates,
            listing=run.listing,
            rejects=run.rejects,
            run={"seconds": spent, "threads": threads, ASKED: run.asked},
            options=asked,
        )

    shown = Heartbeats() if log_json else progress()
    run = find_in_files(
        names,
        output=output,
        threads=threads,
        errors=inputs.errors,
        tell=inputs.tell,
        resumed=inputs.tell_resumed,
        progress=shown,
        write=write,
        **selection(),
        **options,
    )
    if isinstance(run, Report):
        return run
    inputs.tell_unread(run.listing, options["column"])
    return run.duplicates
