"""The command ``dedup index``: make an index of texts that were seen, add to it, and ask it.

What a command changes is committed at its end, all of it or nothing. `add` commits from time to time, and goes on where
it was if it is called again. `filter-new` commits when what is new was written or printed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.command import Command
from dedup.cli.ending import SOME_REJECTED, finish, note, progress, say, say_json
from dedup.cli.inputs import ByName, Inputs
from dedup.cli.options import (
    CHOICES,
    checked,
    identified,
    keyed,
    listed,
    one_json,
    parted,
    quieted,
    reading,
    threaded,
    worded,
)
from dedup.cli.printed import Printed
from dedup.cli.printing import excerpt, report_matches
from dedup.cli.selecting import Named
from dedup.errors import InputError
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.index.index import Index

__all__ = ["index"]

as_lines = click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text for people.")


@click.group()
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
@reading
@threaded
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
    as_json: bool,
) -> None:
    """Add the texts of files to the index in PATH, duplicates too.

    An INPUT is what `dedup find` takes. A text that is in the index already, with the same id and the same words, is
    left out. So a command that was stopped goes on if it is given again.
    """
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with _opened(path, hash_key, write=True) as opened:
        texts = read.open(inputs, column=column, id=id_column)
        added = opened.add(texts, replace=replace, resume=True, threads=threads, progress=progress())
        counts = {"added": added, "known": len(texts) - added, "documents": len(opened)}
    known = f"; {counts['known']:,} were there already" if counts["known"] else ""
    _tell(as_json, counts, f"{added:,} added{known}; {counts['documents']:,} documents")
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
@reading
@listed
@checked
@quieted
@threaded
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
    **options: Any,
) -> None:
    """Find the documents of the index in PATH that are duplicates of the texts of files."""
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with _opened(path, hash_key) as opened:
        texts = read.open(inputs, column=column, id=id_column)
        result = opened.query(texts, progress=progress(), **options)
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
    help="Write the new records to this new folder, to files of the same format.",
)
@keyed
@reading
@threaded
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
    as_json: bool,
) -> None:
    """Print or write the texts of files that were not seen before, and add them to the index in PATH.

    Seen before are the documents of the index and the earlier texts of the same files, and what is similar to one of
    them. If the command is stopped, the index is as it was before.
    """
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with _opened(path, hash_key, write=True) as opened:
        texts = read.open(inputs, column=column, id=id_column)
        before = len(opened)
        found = opened.filter_new(texts, output=output, threads=threads, progress=progress())
        after = len(opened)
        if output is not None:
            if as_json:
                say_json(found.to_dict())
        else:
            for name, text in found.items():
                if as_json:
                    say_json({"id": name, "text": text})
                else:
                    say(f"{clean(name)}: {excerpt(text)}")
        sys.stdout.flush()  # an output that breaks off here leaves the index as it was
    where = "" if output is None else f", written to {clean(output)}"
    note(f"{after - before:,} of {len(texts):,} texts are new{where}; {after:,} documents")
    finish(found=False, check=False, rejected=read.rejected())


@index.command(
    cls=Command,
    examples=[
        "dedup index remove seen.index archive/a.jsonl:17",
        "dedup index remove seen.index --ids-from gone.txt",
    ],
)
@click.argument("path")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--ids-from", metavar="FILE", help='File of ids, one a line; "-" is standard input.')
@keyed
@one_json
@quieted
def remove(path: str, ids: tuple[str, ...], ids_from: str | None, hash_key: bytes | None, as_json: bool) -> None:
    """Remove documents by their ids from the index in PATH.

    All must be there, else none is removed. Their space on disk is free after `dedup index compact`.
    """
    names = [*ids, *([] if ids_from is None else _lines_of(ids_from))]
    if not names:
        raise InputError("ID...: expected ids, found none; name some, or a file of ids with --ids-from")
    with _opened(path, hash_key, write=True) as opened:
        kind = opened.id_kind
        removed = opened.remove([_number(name) for name in names] if kind in ("int", "auto") else names)
        left = len(opened)
    _tell(as_json, {"removed": removed, "documents": left}, f"{removed:,} removed; {left:,} documents")


@index.command(
    cls=Command,
    examples=[
        "dedup index merge all.index part-1.index part-2.index",
        "dedup index merge all.index part-2.index part-3.index --json",
    ],
)
@click.argument("path")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@keyed
@one_json
@quieted
def merge(path: str, others: tuple[str, ...], hash_key: bytes | None, as_json: bool) -> None:
    """Add the documents of OTHER indexes to the index in PATH.

    All must have been made with the same options, and no id may be in two of them.
    """
    with _opened(path, hash_key, write=True) as opened:
        added = sum(opened.merge(other) for other in others)
        count = len(opened)
    _tell(as_json, {"added": added, "documents": count}, f"{added:,} added; {count:,} documents")


@index.command(
    cls=Command,
    codes=[SOME_REJECTED],
    examples=[
        "dedup index check seen.index",
        "dedup index check seen.index --json",
    ],
)
@click.argument("path")
@keyed
@one_json
@quieted
def check(path: str, hash_key: bytes | None, as_json: bool) -> None:
    """Read all of the index in PATH, and name what is damaged.

    The exit code is 3 if anything is.
    """
    with _opened(path, hash_key) as opened:
        found = opened.check()
    if as_json:
        say_json({"documents": found.documents, "ok": found.ok, "problems": found.problems, "lost": found.lost})
    else:
        say(clean(f"{found.documents:,} documents, " + ("nothing damaged" if found.ok else "damaged:")))
        for problem in found.problems:
            say(f"  {clean(problem)}")
    if not found.ok:
        sys.exit(SOME_REJECTED)


@index.command(
    cls=Command,
    examples=[
        "dedup index compact seen.index",
        "dedup index compact seen.index --json",
    ],
)
@click.argument("path")
@keyed
@one_json
@quieted
def compact(path: str, hash_key: bytes | None, as_json: bool) -> None:
    """Write the index in PATH anew, without removed documents.

    Until the end both are on disk. Ids do not change.
    """
    with _opened(path, hash_key, write=True) as opened:
        before = opened.stats
        opened.compact()
        after = opened.stats
    counts = {"documents": after.documents, "bytes_before": before.bytes, "bytes": after.bytes}
    _tell(as_json, counts, f"{after.documents:,} documents; {before.bytes:,} bytes before, {after.bytes:,} bytes now")


@index.command(
    cls=Command,
    examples=[
        "dedup index stats seen.index",
        "dedup index stats seen.index --json",
    ],
)
@click.argument("path")
@keyed
@one_json
@quieted
def stats(path: str, hash_key: bytes | None, as_json: bool) -> None:
    """Print the numbers and the options of the index in PATH."""
    with _opened(path, hash_key) as opened:
        numbers, settings = opened.stats.to_dict(), opened.options
    if as_json:
        say_json({**numbers, "options": settings})
        return
    for name, number in numbers.items():
        say(f"{name.replace('_', ' '):<12} {number:,}")
    for name, value in settings.items():
        shown = " ".join(value) if isinstance(value, list) else value
        say(f"{name.replace('_', ' '):<12} {clean(shown)}".rstrip())


def _opened(path: str, hash_key: bytes | None, *, write: bool = False) -> Index:
    """Open an index."""
    from dedup.index.index import Index

    return Index.open(path, write=write, hash_key=hash_key)


def _tell(as_json: bool, counts: dict[str, Any], line: str) -> None:
    """Print numbers as one JSON object, or as a line for people."""
    if as_json:
        say_json(counts)
    else:
        say(line)


def _number(name: str) -> int:
    try:
        return int(name)
    except ValueError:
        raise InputError(
            f"ID: expected ids that are integers, as the documents of the index have, found {name!r}; name others"
        ) from None


def _lines_of(name: str) -> list[str]:
    """Return the lines of a file, or of standard input, that are not empty."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(name, "rb") as file:
                data = file.read()
    except OSError as error:
        raise InputError(
            f"--ids-from: expected a file of ids, found {name!r}: {error.strerror}; name another file"
        ) from None
    try:
        return [line for line in data.decode().removeprefix("\ufeff").splitlines() if line]
    except UnicodeDecodeError:
        raise InputError(f"--ids-from: expected ids in UTF-8, found other bytes in {name!r}; write it anew") from None
