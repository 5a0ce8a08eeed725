"""The command ``dedup repeats``: find repeated text within a text and across texts."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.command import Command
from dedup.cli.ending import finish, note, progress
from dedup.cli.inputs import ByName, Inputs
from dedup.cli.options import bounded, common, identified, keyed, reading, reported, worded
from dedup.cli.printed import Printed
from dedup.cli.printing import report_repeats
from dedup.cli.reports import check_output, show_report, tell_output, write_output
from dedup.cli.selecting import Named
from dedup.hash_key import choose_key
from dedup.option_types import IgnoreOption, TokensOption
from dedup.sources.columns import plain_names

__all__ = ["repeats"]


@click.command(
    cls=Command,
    examples=[
        "dedup repeats article.txt",
        "dedup repeats pages/ --min-words 30 --threshold 1.0 --json",
    ],
)
@click.argument("files", cls=Named, metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--min-words", "-w", type=int, metavar="N", default=50, show_default=True, help="Least number of words in a repeat."
)
@click.option(
    "--threshold", "-t", type=float, metavar="T", default=0.8, show_default=True, help="Least similarity of a repeat."
)
@worded
@identified
@bounded
@reported
@keyed
@reading
@common
def repeats(
    files: tuple[str, ...],
    min_words: int,
    threshold: float,
    ignore: IgnoreOption,
    tokens: TokensOption,
    id_column: str | None,
    memory: str | None,
    hash_key: bytes | None,
    printed: Printed,
    check: bool,
    threads: int | None,
    column: str,
    output: str | None,
    **how: Any,
) -> None:
    """Find repeated text within a text and across texts.

    A repeat is a span of text that also occurs earlier: in the same text, or in a text before it. Files are read in the
    order of their paths. A FILE is a text in UTF-8, a file of texts (.jsonl, .csv, .parquet, .arrow), a folder of such
    files, or "-" for standard input.
    """
    inputs = Inputs(**how)
    texts = inputs.open(files, column=column, id=id_column)
    from dedup.pipelines.repeats import find_repeats
    from dedup.results.repeat import left_whole

    asked = {
        "id": id_column,
        "column": plain_names(column),
        "min_words": min_words,
        "threshold": threshold,
        "format": how["format"],
    }
    asked |= {"ignore": ignore, "tokens": tokens, **inputs.asked()}
    asked["hash_key"] = choose_key(hash_key).fingerprint
    existing = check_output(output, "repeats", asked, texts)
    if existing is not None:
        some = show_report(existing, inputs, printed)
        finish(found=some, check=check, rejected=inputs.rejected())
        return
    how_found: dict[str, Any] = {"min_words": min_words, "threshold": threshold}
    found = find_repeats(
        texts,
        **how_found,
        ignore=ignore,
        tokens=tokens,
        memory=memory,
        hash_key=hash_key,
        threads=threads,
        progress=progress(),
    )
    write_output(output, found, asked, column=plain_names(column), id=id_column, **how_found)
    if printed.for_people:
        report_repeats(found, ByName(texts), min_words, printed.groups())
        if left := left_whole(found.table.column("paragraphs").to_numpy()):
            note(f"dedup: {left}")
    else:
        printed.show("repeats", {None: found.table}, lambda _: None)
    tell_output(output)
    finish(found=len(found) > 0, check=check, rejected=inputs.rejected())
