"""Reports of the commands: a folder that can take one, the one that is there already, a new one.

What writes and reads reports is loaded only where a folder is named for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dedup import __version__
from dedup.cli.ending import say_json, tell
from dedup.cli.inputs import Inputs
from dedup.options import check_path
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.report.read import Report
    from dedup.results.matches import Matches
    from dedup.results.repeats import Repeats
    from dedup.sources.files.file_texts import FileTexts

__all__ = ["check_output", "show_report", "tell_output", "write_output"]


def check_output(output: str | None, asked: Mapping[str, Any], *sides: FileTexts) -> Report | None:
    """Refuse a folder that cannot take a report, before the search; return the report of this search that is there.

    `asked` are the options on which the report depends.
    """
    if output is None:
        return None
    from dedup.report.standing import standing_report
    from dedup.storage.folders import refuse_overlap

    output = check_path("output", output)
    refuse_overlap(output, [("the input", entry.source) for texts in sides for entry in texts.listing])
    named = zip(("texts", "against"), sides, strict=False)
    return standing_report(
        output, _with_version(asked), [(side, file) for side, texts in named for file in texts.listing]
    )


def write_output(output: str | None, result: Matches | Repeats, asked: Mapping[str, Any], **options: Any) -> None:
    """Write the report of a search if a folder is named for it."""
    if output is not None:
        from dedup.report.standing import ASKED
        from dedup.report.write import write_report

        write_report(output, result, options=options, run={ASKED: _with_version(asked)})


def _with_version(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {**asked, "version": __version__}


def show_report(report: Report, inputs: Inputs, *, as_json: bool) -> bool:
    """Say that the report of a search stands already, and print what it holds as the search would have.

    Return whether it holds anything.
    """
    from dedup.sources.files.rejects import Reject

    tell(f"dedup: the report of this search stands in {clean(report.folder)} already; nothing was left to do")
    for reject in report.rejects() if report.kind == "find" else ():  # the others have read their texts by now
        inputs.tell(Reject(**reject))
    names = {"find": ("clusters",), "repeats": ("spans",)}.get(report.kind, ("pairs", "spans"))
    rows = 0
    for name in names:
        if f"{name}.parquet" not in report.files:
            continue
        table = report.table(name)
        rows += table.num_rows
        kind = {"pairs": {"kind": "pair"}, "spans": {"kind": "passage"}}.get(name, {}) if report.kind == "match" else {}
        for row in table.to_pylist() if as_json else ():
            say_json({**kind, **row})
    return rows > 0


def tell_output(output: str | None) -> None:
    """Say where a report was written."""
    if output is not None:
        tell(f"report written to {clean(output)}")
