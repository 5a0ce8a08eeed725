"""The command ``dedup apply``: what a report decided, done."""

from __future__ import annotations

import sys

import click

from dedup.cli.ending import SOME_REJECTED, say, say_json

__all__ = ["apply"]


@click.command()
@click.argument("report")
@click.option("--output", required=True, metavar="FOLDER", help="A new or empty folder for the files.")
@click.option("--annotate", is_flag=True, help="Write every record, with what was decided about it.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier apply wrote there.")
@click.option("--threads", type=int, help="Files written at a time; by default all processors.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def apply(report: str, output: str, annotate: bool, overwrite: bool, threads: int | None, as_json: bool) -> None:
    """Write the records that a REPORT keeps, in their own format, to new files.

    REPORT is the folder that `dedup find --output` or `dedup match --output` wrote. No input is changed.
    """
    from dedup.report.apply import apply_report

    applied = apply_report(report, output, annotate=annotate, overwrite=overwrite, threads=threads, progress=None)
    if as_json:
        say_json(applied.to_dict())
    else:
        say(str(applied))
    if applied.rejected:
        sys.exit(SOME_REJECTED)
