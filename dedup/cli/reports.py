"""Reports of the commands: check the folder, show a report that already exists, write a new one.

The modules that read and write reports are loaded only if `--output` names a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dedup import __version__
from dedup.cli.ending import note
from dedup.cli.inputs import Inputs
from dedup.cli.printed import Printed
from dedup.options import check_path
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.report.read import Report
    from dedup.results.matches import Matches
    from dedup.results.repeats import Repeats
    from dedup.sources.files.file_texts import FileTexts

__all__ = ["check_output", "show_report", "tell_output", "write_output"]


def check_output(output: str | None, kind: str, asked: Mapping[str, Any], *sides: FileTexts) -> Report | None:
    """Check before the search that a report can be written to the folder `output`.

    Return the report in it if it is of the same search, else None. `kind` is the command, `asked` are the options on
    which a report depends. Raises `ParameterError` if the folder cannot be used.
    """
    if output is None:
        return None
    from dedup.report.existing_report import existing_report
    from dedup.storage.folders import refuse_overlap

    output = check_path("output", output)
    refuse_overlap(output, [("the input", entry.source) for texts in sides for entry in texts.listing])
    named = zip(("texts", "against"), sides, strict=False)
    return existing_report(
        output, kind, _with_version(asked), [(side, file) for side, texts in named for file in texts.listing]
    )


def write_output(output: str | None, result: Matches | Repeats, asked: Mapping[str, Any], **options: Any) -> None:
    """Write the report of a search, if `output` names a folder."""
    if output is not None:
        from dedup.report.existing_report import ASKED
        from dedup.report.write import write_run_report

        write_run_report(output, result, options=options, run={ASKED: _with_version(asked)})


def _with_version(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {**asked, "version": __version__}


def show_report(report: Report, inputs: Inputs, printed: Printed) -> bool:
    """Write to stderr that the report of this search already exists, and print its rows if asked to.

    Return whether it has any rows.
    """
    from dedup.sources.files.rejects import Reject

    note(f"dedup: {clean(report.folder)} already contains the report of this search; nothing was searched")
    for reject in report.rejects() if report.kind == "find" else ():  # the others name rejects when they open the texts
        inputs.tell(Reject(**reject))
    names = {"find": ("clusters",), "repeats": ("spans",)}.get(report.kind, ("pairs", "spans"))
    kinds = {"pairs": "pair", "spans": "passage"} if report.kind == "match" else {}
    tables = {kinds.get(name): report.table(name) for name in names if f"{name}.parquet" in report.files}
    if not printed.for_people:
        printed.show(report.kind, tables, lambda _: None)
    return any(table.num_rows for table in tables.values())


def tell_output(output: str | None) -> None:
    """Write to stderr where the report was written."""
    if output is not None:
        note(f"report written to {clean(output)}")
