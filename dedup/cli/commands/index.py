"""The command ``dedup index``: make an index of texts that were seen, add to it, and ask it.

What a command changes is committed at its end, all of it or nothing. `add` commits on the way
(`dedup.index.adding.incoming`), and goes on where it was if it is called again. `filter-new` commits when what is new
was written or printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.command import Command, CommandGroup, Commands
from dedup.cli.ending import finish, note, progress, say, say_json
from dedup.cli.inputs import ByName, Inputs
from dedup.cli.options import (
    CHOICES,
    capped,
    checked,
    folder,
    identified,
    keyed,
    listed,
    one_json,
    parted,
    quieted,
    reading_one,
    threaded,
    worded,
)
from dedup.cli.printed import Printed
from dedup.cli.printing import excerpt, report_matches
from dedup.cli.selecting import Named
from dedup.results.counted import counted
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.index.index import Index

__all__ = ["index", "opened", "tell_counts"]

as_lines = click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text for people.")


UPKEEP = dict.fromkeys(("remove", "merge", "check", "compact", "stats"), "upkeep")
"""The commands that are in another module."""


@click.group(cls=CommandGroup, commands=Commands(UPKEEP))
def index() -> None:
    """Remember texts on disk, and find those that were seen before.

    An index is a folder. One command at a time may change it, any number may read it.

    \b
    dedup index create seen.index
    dedup index filter-new seen.index monday.jsonl --output new/monday
    dedup index filter-new seen.index tuesday.jsonl --output new/tuesday
    dedup index query seen.index letter.txt
    """


@index.command(
    cls=Command,
    examples=[
        "dedup index create seen.index",
        "dedup index create seen.index --threshold 0.7 --shingle chars:9",
    ],
)
@click.argument("path")
@click.option(
    "--threshold", "-t", type=float, metavar="T", default=0.8, show_default=True, help="Lowest threshold of a query."
)
@click.option("--shingle", metavar="words:N|chars:N", help="What is shared; by default words:5.")
@parted
@click.option("--containment", is_flag=True, help="Make `query --metric containment` possible; takes more space.")
@click.option(
    "--method",
    type=click.Choice(CHOICES["method"][1:]),
    default="exact",
    show_default=True,
    help="lsh takes less space, and finds 99.9 % of the pairs.",
)
@click.option(
    "--store",
    type=click.Choice(CHOICES["store"]),
    default="hashes",
    show_default=True,
    help="What is kept of a text.",
)
@click.option("--passages", type=int, metavar="N", help="With --store text: make passages of N words or more findable.")
@worded
@keyed
@one_json
@quieted
def create(path: str, as_json: bool, **options: Any) -> None:
    """Make an empty index in the new folder PATH.

    The options hold for all that is added later.
    """
    from dedup.index.index import Index

    with Index.create(path, **options) as made:
        settings = made.options
    if as_json:
        say_json({"path": path, **settings})
    else:
        say(f"made an index in {clean(path)}: {settings['shingle']}, threshold {settings['threshold']:g}")


@index.command(
    cls=Command,
    examples=[
        "dedup index add seen.index archive/",
        "dedup index add seen.index articles.parquet --column body --id url --replace",
    ],
)
@click.argument("path")
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@click.option("--replace", is_flag=True, help="Put a text in the place of another one that has its id.")
@identified
@keyed
@reading_one
@threaded
@capped
@one_json
@quieted
def add(
    path: str,
    inputs: tuple[str, ...],
    replace: bool,
    id_column: str | None,
    hash_key: bytes | None,
    column: str,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    threads: int | None,
    memory: str | None,
    as_json: bool,
) -> None:
    """Add the texts of files to the index in PATH, duplicates too.

    An INPUT is what `dedup find` takes. A text that is in the index already, with the same id and the same words, is
    left out. So a command that was stopped goes on if it is given again: it
    commits each time that 17 million shingles (words) were added.
    """
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with opened(path, hash_key, write=True, memory=memory) as held:
        texts = read.open(inputs, column=column, id=id_column)
        added = held.add(texts, replace=replace, resume=True, threads=threads, progress=progress())
        counts = {"added": added, "known": len(texts) - added, "documents": len(held)}
    known = f"; {counts['known']:,} were there already" if counts["known"] else ""
    tell_counts(as_json, counts, f"{added:,} added{known}; {counted(counts['documents'], 'document')}")
    finish(found=False, check=False, rejected=read.rejected())


@index.command(
    cls=Command,
    examples=[
        "dedup index query seen.index letter.txt",
        "dedup index query seen.index today.jsonl --threshold 0.9 --limit 1 --json",
    ],
)
@click.argument("path")
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--threshold", "-t", type=float, metavar="T", help="Least similarity of a pair; by default that of the index."
)
@click.option(
    "--metric",
    type=click.Choice(CHOICES["metric"][:2]),
    default="jaccard",
    show_default=True,
    help="containment if the index allows it.",
)
@click.option("--limit", "-n", type=int, metavar="N", help="Documents for each text, at most.")
@click.option(
    "--order", type=click.Choice(CHOICES["order"]), default="best", show_default=True, help="Which ones with --limit."
)
@identified
@keyed
@reading_one
@listed
@checked
@quieted
@threaded
@capped
def query(
    path: str,
    inputs: tuple[str, ...],
    hash_key: bytes | None,
    id_column: str | None,
    column: str,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    printed: Printed,
    check: bool,
    memory: str | None,
    **options: Any,
) -> None:
    """Find the documents of the index in PATH that are duplicates of the texts of files."""
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with opened(path, hash_key, memory=memory) as held:
        texts = read.open(inputs, column=column, id=id_column)
        result = held.query(texts, progress=progress(), **options)
    printed.show("match", {None: result.pairs}, lambda _: report_matches(result, ByName(texts)))
    note(str(result.summary))
    finish(found=result.summary.pairs > 0, check=check, rejected=read.rejected())


@index.command(
    name="filter-new",
    cls=Command,
    examples=[
        "dedup index filter-new seen.index today.jsonl --output new",
        "cat today.jsonl | dedup index filter-new seen.index - --id url --json",
    ],
)
@click.argument("path")
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@identified
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    callback=folder(),
    help="Write the new records to this new folder, to files of the same format.",
)
@keyed
@reading_one
@threaded
@capped
@as_lines
@quieted
def filter_new(
    path: str,
    inputs: tuple[str, ...],
    id_column: str | None,
    output: str | None,
    hash_key: bytes | None,
    column: str,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    threads: int | None,
    memory: str | None,
    as_json: bool,
) -> None:
    """Print or write the texts of files that were not seen before, and add them to the index in PATH.

    Seen before are the documents of the index and the earlier texts of the same files, and what is similar to one of
    them. If the command is stopped, the index is as it was before.
    """
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with opened(path, hash_key, write=True, memory=memory) as held:
        texts = read.open(inputs, column=column, id=id_column)
        before = len(held)
        if output is not None:
            written = held.filter_new(texts, output=output, threads=threads, progress=progress())
            if as_json:
                say_json(written.to_dict())
        else:
            for name, text in held.filter_new(texts, threads=threads, progress=progress()).items():
                if as_json:
                    say_json({"id": name, "text": text})
                else:
                    say(f"{clean(name)}: {excerpt(text)}")
        after = len(held)
        sys.stdout.flush()  # an output that breaks off here leaves the index as it was
    where = "" if output is None else f", written to {clean(output)}"
    note(f"{after - before:,} of {len(texts):,} texts are new{where}; {counted(after, 'document')}")
    finish(found=False, check=False, rejected=read.rejected())


@contextmanager
def opened(path: str, hash_key: bytes | None, *, write: bool = False, memory: str | None = None) -> Iterator[Index]:
    """Open an index; close it at the end, with a bar as the command was told."""
    from dedup.index.index import Index

    with Index.open(path, write=write, hash_key=hash_key, memory=memory) as held:
        yield held
        held.close(progress=progress())


def tell_counts(as_json: bool, counts: dict[str, Any], line: str) -> None:
    """Print numbers as one JSON object, or as a line for people."""
    if as_json:
        say_json(counts)
    else:
        say(line)
