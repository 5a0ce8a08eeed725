"""The command ``dedup match``: find texts and passages of one collection that also occur in another."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from dedup.cli.command import Command
from dedup.cli.ending import finish, note, progress
from dedup.cli.inputs import ByName, Inputs
from dedup.cli.options import against_columns, bounded, common, identified, keyed, paired, reading, reported
from dedup.cli.printed import Printed
from dedup.cli.printing import report_matches
from dedup.cli.reports import check_output, show_report, tell_output, write_output
from dedup.cli.selecting import Named
from dedup.errors import ParameterError
from dedup.hash_key import choose_key
from dedup.sources.columns import plain_names

__all__ = ["match"]


def _refuse(_: click.Context, option: click.Parameter, value: str | None) -> None:
    """Raise the error for an option of `find` that means nothing here, and say what to do."""
    if value is not None:
        instead = {
            "within": "search the texts of each value by themselves, in files of their own",
            "across": "search both sides together by `find --across`, or leave it out: no side is compared with itself",
        }[str(option.name)]
        raise ParameterError(f"--{option.name}: expected no column in a match, found {value!r}; {instead}")


@click.command(
    cls=Command,
    examples=[
        "dedup match letter.txt --against archive/",
        "dedup match train.jsonl --against test.jsonl --min-words 20 --output report",
    ],
)
@click.argument("new", cls=Named, metavar="NEW...", nargs=-1, required=True)
@click.option(
    "--against",
    multiple=True,
    required=True,
    metavar="OLD",
    help="Texts to compare with; can be given several times.",
)
@paired
@click.option("--within", hidden=True, expose_value=False, callback=_refuse)
@click.option("--across", hidden=True, expose_value=False, callback=_refuse)
@click.option(
    "--min-words",
    "-w",
    type=int,
    metavar="N",
    default=50,
    show_default=True,
    help="Least number of words in a passage.",
)
@click.option(
    "--passage-threshold",
    type=float,
    metavar="T",
    default=0.8,
    show_default=True,
    help="Least similarity of a passage: 1.0 is word for word.",
)
@click.option("--no-passages", "passages", flag_value=False, default=True, help="Find similar texts only, no passages.")
@identified
@against_columns
@click.option("--against-id", metavar="NAME", help="Column or JSON field of the id in OLD; by default FILE:NUMBER.")
@bounded
@reported
@keyed
@reading
@common
@click.pass_context
def match(
    context: click.Context,
    /,
    new: tuple[str, ...],
    against: tuple[str, ...],
    printed: Printed,
    passages: bool,
    check: bool,
    threads: int | None,
    column: str,
    id_column: str | None,
    against_column: str | None,
    against_id: str | None,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    output: str | None,
    **options: Any,
) -> None:
    """Find texts and passages of NEW that also occur in OLD.

    Texts are found if they are exact or near duplicates, passages if they are equal, with edits or without. NEW and OLD
    are text files (one text each), files of texts (.jsonl, .csv, .parquet, .arrow), folders of such files, or "-" for
    standard input. Two texts of the same side are never compared.
    """
    from dedup.sources.two_sided import naming, renaming

    if "-" in new and "-" in against:
        raise ParameterError('--against: "-" is standard input, which NEW reads already; name a file')
    if not passages:
        for name in ("min_words", "passage_threshold"):
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                option = f"--{name.replace('_', '-')}"
                raise ParameterError(f"{option}: expected no such option with --no-passages, found it; leave one out")
        options["min_words"] = None
    inputs = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with naming("NEW"):
        left = inputs.open(new, column=column, id=id_column)
    with naming("--against"):
        right = inputs.open(against, column=column if against_column is None else against_column, id=against_id)
    from dedup.pipelines.match import match as match_texts
    from dedup.results.summary import LOWER_THRESHOLD, hint_of

    theirs = None if against_column is None else plain_names(against_column)
    named = {"column": plain_names(column), "id": id_column, "against_column": theirs, "against_id": against_id}
    asked = {name: value for name, value in options.items() if name not in ("memory", "hash_key")}
    asked |= {**named, "format": format, "hash_key": choose_key(options["hash_key"]).fingerprint, **inputs.asked()}
    existing = check_output(output, "match", asked, left, right)
    if existing is not None:
        some = show_report(existing, inputs, printed)
        finish(found=some, check=check, rejected=inputs.rejected())
        return
    with renaming({"texts": "NEW", "against": "--against"}):
        result = match_texts(left, right, threads=threads, progress=progress(), **options)
    write_output(output, result, asked, **named)
    tables: dict[str | None, Any] = {"pair": result.pairs, **({"passage": result.passages} if passages else {})}
    printed.show("match", tables, lambda limit: report_matches(result, ByName(left), limit))
    tell_output(output)
    note(f"{result.summary}{hint_of(result.closest, result.summary.unit, LOWER_THRESHOLD)}")
    found = result.summary.pairs > 0 or bool(result.summary.passages)
    finish(found=found, check=check, rejected=inputs.rejected())
