"""Commands of ``dedup index`` that keep an index in order: remove, merge, check, compact, stats."""

from __future__ import annotations

import sys

import click

from dedup.cli.command import Command
from dedup.cli.commands.index import opened, tell_counts
from dedup.cli.ending import SOME_REJECTED, progress, say, say_json
from dedup.cli.options import capped, keyed, one_json, quieted
from dedup.errors import InputError
from dedup.results.counted import counted
from dedup.terminal import clean

__all__ = ["check", "compact", "merge", "remove", "stats"]

SHOWN_PROBLEMS = 40
"""Problems of an index that are printed; all of them with --json."""

UNITS_OF_STATS = {"in_memory": " documents, in no segment yet"}
"""What numbers of an index count, where their names do not say it."""


@click.command(
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
    with opened(path, hash_key, write=True) as held:
        kind = held.id_kind
        removed = held.remove([_number(name) for name in names] if kind in ("int", "auto") else names)
        left = len(held)
    tell_counts(as_json, {"removed": removed, "documents": left}, f"{removed:,} removed; {counted(left, 'document')}")


@click.command(
    cls=Command,
    examples=[
        "dedup index merge all.index part-1.index part-2.index",
        "dedup index merge all.index part-2.index part-3.index --json",
    ],
)
@click.argument("path")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@keyed
@capped
@one_json
@quieted
def merge(path: str, others: tuple[str, ...], hash_key: bytes | None, memory: str | None, as_json: bool) -> None:
    """Add the documents of OTHER indexes to the index in PATH.

    All must have been made with the same options, and no id may be in two of them.
    """
    with opened(path, hash_key, write=True, memory=memory) as held:
        added = sum(held.merge(other) for other in others)
        count = len(held)
    tell_counts(as_json, {"added": added, "documents": count}, f"{added:,} added; {counted(count, 'document')}")


@click.command(
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
    """Read all of the index in PATH, and name what is damaged and what to do.

    The exit code is 3 if anything is. Its files are read one by one, so this works for an index that other commands
    refuse.
    """
    from dedup.index.index import Index

    found = Index.check_files(path, hash_key=hash_key, progress=progress())
    if as_json:
        names = ("documents", "ok", "problems", "lost", "advice")
        say_json({name: getattr(found, name) for name in names})
    else:
        known = found.documents or found.ok  # a damaged manifest has none
        count = f"{counted(found.documents, 'document')}, " if known else ""
        say(count + ("nothing damaged" if found.ok else "damaged:"))
        for problem in found.problems[:SHOWN_PROBLEMS]:
            say(f"  {clean(problem)}")
        if len(found.problems) > SHOWN_PROBLEMS:
            say(f"  and {len(found.problems) - SHOWN_PROBLEMS:,} more; --json has all")
        if found.advice:
            say(found.advice)
    if not found.ok:
        sys.exit(SOME_REJECTED)


@click.command(
    cls=Command,
    examples=[
        "dedup index compact seen.index",
        "dedup index compact seen.index --json",
    ],
)
@click.argument("path")
@keyed
@capped
@one_json
@quieted
def compact(path: str, hash_key: bytes | None, memory: str | None, as_json: bool) -> None:
    """Write the index in PATH anew, without removed documents.

    Until the end both are on disk. Ids do not change. The newest documents get postings, for which a command need not
    read them any more, so an index from which nothing was removed may grow.
    """
    with opened(path, hash_key, write=True, memory=memory) as held:
        before = held.stats
        held.compact()
        after = held.stats
    counts = {"documents": after.documents, "bytes_before": before.bytes, "bytes": after.bytes}
    line = f"{counted(after.documents, 'document')}; {before.bytes:,} bytes before, {after.bytes:,} bytes now"
    if after.bytes > before.bytes and before.in_memory:
        line += f": {before.in_memory:,} had no postings on disk"
    tell_counts(as_json, counts, line)


@click.command(
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
    with opened(path, hash_key) as held:
        numbers, settings = held.stats.to_dict(), held.options
    if as_json:
        say_json({**numbers, "options": settings})
        return
    for name, number in numbers.items():
        say(f"{name.replace('_', ' '):<12} {number:,}{UNITS_OF_STATS.get(name, '')}")
    for name, value in settings.items():
        shown = " ".join(value) if isinstance(value, list) else value
        say(f"{name.replace('_', ' '):<12} {clean(shown)}".rstrip())


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
