"""The command ``dedup review``: read the most doubtful removals of a report."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.command import Command
from dedup.cli.ending import say, say_json
from dedup.cli.options import quieted
from dedup.cli.printing import show_marked
from dedup.terminal import clean

__all__ = ["review"]

SPAN_FIELDS = ("start", "end", "kept_start", "kept_end", "words")
"""The fields of a span in a review, the removed text first."""


@click.command(
    cls=Command,
    examples=[
        "dedup review report",
        "dedup review report --limit 5 --full | less -R",
    ],
)
@click.argument("report")
@click.option(
    "--limit", "-n", type=int, metavar="N", default=20, show_default=True, help="Removed texts that are shown, at most."
)
@click.option("--full", is_flag=True, help="Show long texts in full, not only the parts near what they share.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text for people.")
@quieted
def review(report: str, limit: int, full: bool, as_json: bool) -> None:
    """Read the removed texts of a REPORT that are nearest to the threshold, beside the kept ones.

    REPORT is the folder that `--output` of `dedup find` named. The least similar are first, and exact copies are left
    out. What two texts share is marked, as by `dedup compare`. If the first pairs are copies to you, the threshold is
    not too low.
    """
    from dedup.options import check_whole
    from dedup.pipelines.compare import Span
    from dedup.report.read import Report

    rows = Report.open(report, verify=False).review(check_whole("limit", limit, 1, also=", or None")).to_pylist()
    for number, row in enumerate(rows, start=1):
        if as_json:
            say_json(row)
            continue
        kept, removed = (_named(row, prefix) for prefix in ("kept_", ""))
        how = f"at {row['similarity']:.3f} (they differ in {row['difference']})"
        say(f"{number}: {removed} was removed for {kept}, {how}")
        if "distance" in row:
            say(f"edit distance {row['distance']:,}")
        else:
            say(f"{row['shared']:,} of {row['size']:,} and {row['kept_size']:,} shingles are shared")
        spans = [Span(*(each[name] for name in SPAN_FIELDS)) for each in row["spans"]]
        show_marked(((removed, row["text"]), (kept, row["kept_text"])), spans, full=full)
        say()
    if not rows and not as_json:
        say("no text was removed that is not an exact copy")


def _named(row: dict[str, Any], prefix: str) -> str:
    parts = (f" {unit} {row[f'{prefix}{unit}']}" for unit in ("paragraph", "line") if f"{prefix}{unit}" in row)
    return clean(str(row[f"{prefix}id"])) + "".join(parts)
