"""The command ``dedup compare``: show how similar two texts are, and what they share."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from dedup.cli.command import Command
from dedup.cli.ending import say, say_json
from dedup.cli.inputs import read_one
from dedup.cli.options import CHOICES, keyed, one_json, quieted, worded
from dedup.cli.printing import percent, show_marked
from dedup.cli.selecting import encoded, selection
from dedup.errors import ParameterError
from dedup.terminal import clean

__all__ = ["compare"]


@click.command(
    cls=Command,
    examples=[
        "dedup compare draft.txt final.txt --full",
        "dedup compare news.jsonl:17 news.jsonl:4 --report report",
    ],
)
@click.argument("a")
@click.argument("b")
@click.option("--shingle", metavar="words:N|chars:N", help="What is shared; by default words:5.")
@click.option(
    "--metric",
    type=click.Choice(CHOICES["metric"]),
    default="jaccard",
    show_default=True,
    help="With edit, show the edit distance too.",
)
@click.option(
    "--report", metavar="FOLDER", help="A and B are ids of texts that were searched, and options those of the search."
)
@click.option("--full", is_flag=True, help="Show long texts in full, not only the parts near what they share.")
@worded
@keyed
@encoded
@one_json
@quieted
@click.pass_context
def compare(
    context: click.Context,
    /,
    a: str,
    b: str,
    report: str | None,
    shingle: str | None,
    metric: str,
    ignore: tuple[str, ...],
    tokens: str,
    full: bool,
    hash_key: bytes | None,
    as_json: bool,
) -> None:
    """Compare the texts of two files, or of two rows of a report, and mark what they share.

    Shared text is coloured on a terminal. If the output is not a terminal, or NO_COLOR is set, it is in numbered
    brackets.
    """
    options: dict[str, Any] = {"shingle": shingle, "metric": metric, "ignore": ignore, "tokens": tokens}
    if report is None:
        left, right = read_one(a), read_one(b)
    elif selection():
        raise ParameterError(
            "encoding: expected no such option with --report, found it; leave it out: the texts are read as they were "
            "searched"
        )
    else:
        left, right, searched = _rows(report, a, b)
        given = {name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
        options |= {name: value for name, value in searched.items() if name in options.keys() - given}
    from dedup.pipelines.compare import compare as compare_texts

    result = compare_texts(left, right, hash_key=hash_key, **options)
    if as_json:
        fields = {name: getattr(result, name) for name in result.__dataclass_fields__ if name != "spans"}
        if result.distance is None:
            del fields["distance"], fields["similarity"]
        spans = [span._asdict() for span in result.spans]
        say_json({"left": a, "right": b, **fields, "spans": spans})
        return
    say(f"jaccard {result.jaccard:.3f}: {result.shared:,} shared shingles")
    say(f"{percent(result.left_in_right)} of the {result.left_size:,} shingles of {clean(a)} are in {clean(b)}")
    say(f"{percent(result.right_in_left)} of the {result.right_size:,} shingles of {clean(b)} are in {clean(a)}")
    if result.distance is not None and result.similarity is not None:
        say(f"edit distance {result.distance:,}: similarity {result.similarity:.3f}")
    show_marked(((a, left), (b, right)), result.spans, full=full)


def _rows(folder: str, a: str, b: str) -> tuple[str, str, dict[str, Any]]:
    """Return two texts of a report, and the options of its search. In a match, B is a text of OLD."""
    from dedup.report.inputs import text_named
    from dedup.report.read import Report

    report = Report.open(folder, verify=False)
    other = "against" if report.kind == "match" else "texts"
    return text_named(report, "texts", a), text_named(report, other, b), report.options
