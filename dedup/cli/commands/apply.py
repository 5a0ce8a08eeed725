"""The command ``dedup apply``: write new files with the records that a report keeps."""

from __future__ import annotations

import sys

import click

from dedup.cli.ending import SOME_REJECTED, say, say_json, tell

__all__ = ["apply"]


@click.command()
@click.argument("report")
@click.option("--output", required=True, metavar="FOLDER", help="Folder for the new files; it must be new or empty.")
@click.option("--annotate", is_flag=True, help="Write every record, with added fields for its decision.")
@click.option("--overwrite", is_flag=True, help="Replace the files that an earlier apply wrote there.")
@click.option("--overrides", metavar="FILE", help="Decisions, saved by the page of `dedup show` or written by hand.")
@click.option("--threads", type=int, help="Files to write at the same time; by default one per processor.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
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

    Each new file has the format of the file that was searched. REPORT is the folder that `dedup find --output` or
    `dedup match --output` wrote. The files that were searched are not changed.
    """
    from dedup.report.apply import apply_report, passages_unused

    applied = apply_report(
        report, output, annotate=annotate, overwrite=overwrite, overrides=overrides, threads=threads, progress=None
    )
    if as_json:
        say_json(applied.to_dict())
    else:
        say(str(applied))
        told = passages_unused(report)
        if told:
            tell(f"dedup: {told}")
    if applied.rejected:
        sys.exit(SOME_REJECTED)
