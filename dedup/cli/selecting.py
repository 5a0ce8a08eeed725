"""The options that say which files are read, and in which encoding; and the arguments that name files.

They hold for all files of a command, and are kept in its context: `Inputs` takes them from there.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from dedup.cli.ending import tell
from dedup.errors import InputError

__all__ = ["Named", "encoded", "selecting", "selection"]

SELECTION, NAMED_INPUTS, NAMES_IN_PIPE = "dedup.selection", "dedup.names", "dedup.names_in_pipe"
"""The places in the context of a command: of the options, of the names from ``--files-from``, and whether these were
read from standard input."""


class Named(click.Argument):
    """Names of files, to which those of ``--files-from`` are added."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return the names, and where they come from."""
        value, source = super().consume_value(ctx, opts)
        names = ctx.meta.get(NAMED_INPUTS, ())
        if not names:
            return value, source
        given = value if isinstance(value, (list, tuple)) else ()
        if "-" in given and ctx.meta.get(NAMES_IN_PIPE):
            raise InputError(
                "--files-from: expected one use of standard input, found names and texts in it; name a file"
            )
        return (*given, *names), ParameterSource.COMMANDLINE


def selection() -> dict[str, Any]:
    """Return the options of the command that runs: encoding, include, exclude; those that were given."""
    context = click.get_current_context(silent=True)
    return {} if context is None else dict(context.meta.get(SELECTION, {}))


def _keep(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value in (None, ()):
        return
    if option.name == "encoding":
        from dedup.sources.files.encodings import check_encoding

        value = check_encoding(value)
    context.meta.setdefault(SELECTION, {})[option.name] = value


def _names(context: click.Context, _: click.Parameter, path: str | None) -> None:
    """Keep the names in a file: one a line, or separated by NUL as ``find -print0`` writes them."""
    if path is None:
        return
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
            context.meta[NAMES_IN_PIPE] = True
        else:
            with open(path, "rb") as file:
                data = file.read()
    except (OSError, AttributeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"--files-from: expected a file of names, found {path}: {why}; name a file") from None
    data = data.removeprefix(codecs.BOM_UTF8)
    ends = b"\0" if b"\0" in data else b"\n"
    names = [os.fsdecode(line.removesuffix(b"\r") if ends == b"\n" else line) for line in data.split(ends)]
    context.meta[NAMED_INPUTS] = tuple(name for name in names if name)
    if not context.meta[NAMED_INPUTS]:
        tell(f"dedup: no names in {path}")


def selecting(command: Any) -> Any:
    """Add the options to a command."""
    for option in reversed(SELECTING):
        command = option(command)
    return command


encoded = click.option(
    "--encoding",
    expose_value=False,
    callback=_keep,
    help="Encoding of all text files that have no byte order mark, such as cp1252; by default UTF-8.",
)

SELECTING = (
    encoded,
    click.option(
        "--include",
        metavar="GLOB",
        multiple=True,
        expose_value=False,
        callback=_keep,
        help='Of the files in folders, read only these, such as "*.md"; can be given several times.',
    ),
    click.option(
        "--exclude",
        metavar="GLOB",
        multiple=True,
        expose_value=False,
        callback=_keep,
        help='Do not read these files and folders, such as "drafts/"; can be given several times.',
    ),
    click.option(
        "--files-from",
        metavar="FILE",
        is_eager=True,  # before the names, to which these are added
        expose_value=False,
        callback=_names,
        help='Read the names in FILE too, one a line, or "-" for standard input.',
    ),
)
