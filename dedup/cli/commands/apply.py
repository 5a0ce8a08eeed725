"""The command ``dedup apply``: write new files with the records that a report keeps."""

from __future__ import annotations

import sys

import click

from dedup.cli.command import Command
from dedup.cli.ending import SOME_REJECTED, note, progress, say, say_json
from dedup.cli.options import folder, one_json, quieted

__all__ = ["apply"]


@click.command(
    cls=Command,
    codes=[SOME_REJECTED],
    examples=[
        "dedup apply report --output clean",
        "dedup apply report --output clean --overrides overrides.jsonl --overwrite",
    ],
)
@click.argument("report")
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="FOLDER",
    callback=folder(),
    help="Folder for the new files; it must be new or empty.",
)
@click.option("--annotate", is_flag=True, help="Write every record, with added fields for its decision.")
@click.option("--overwrite", is_flag=True, help="Replace the files that an earlier apply wrote there.")
@click.option("--overrides", metavar="FILE", help="Decisions, saved by the page of `dedup show` or written by hand.")
@click.option(
    "--threads", "-j", type=int, metavar="N", help="Files to write at the same time; by default one per processor."
)
@one_json
@quieted
def apply(
    report: str,
    output: str,
    annotate: bool,
    overwrite: bool,
    overrides: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Write new files with the records that a REPORT keeps.

    Each new file has the format of the file that was searched. REPORT is the folder that `dedup find --output`,
    `dedup match --output` or `dedup repeats --output` wrote; repeats are cut out of the texts. The files that were
    searched are not changed.
    """
    from dedup.report.apply import apply_report, passages_unused

    applied = apply_report(
        report,
        output,
        annotate=annotate,
        overwrite=overwrite,
        overrides=overrides,
        threads=threads,
        progress=progress(),
    )
    if as_json:
        say_json(applied.to_dict())
    else:
        say(str(applied))
        told = passages_unused(report)
        if told:
            note(f"dedup: {told}")
    if applied.rejected:
        sys.exit(SOME_REJECTED)
