"""The command line: the same functions, in the field's words.

``dedup repeats FILE...``   repeated blocks inside a text and across texts
``dedup find INPUT...``     duplicate documents, paragraphs or lines, in files of texts (see `dedup.files`)
``dedup match NEW... --against OLD``   what of some texts stands in others
``dedup compare A B``       two files: how similar, and where
``dedup estimate INPUT...`` what a find would do and take
``dedup apply REPORT``      what a report keeps, written to new files

Data goes to stdout (for people; JSON lines with --json), everything else to stderr; `dedup.cli.ending` has the exit
codes.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from dedup import __version__
from dedup.cli import apply, compare, find, match, repeats
from dedup.cli.ending import end, writing

__all__ = ["Group", "main"]


class Group(click.Group):
    """The commands; what ends one of them becomes an exit code and a line on stderr (`dedup.cli.ending`)."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command, and end the process with its code."""
        if not standalone_mode or "_DEDUP_COMPLETE" in os.environ:  # a shell asks
            super().main(args, prog_name, complete_var, standalone_mode, **extra)
            sys.exit(0)

        def command() -> Any:
            with writing():  # it prints the help, if that is asked for
                context = self.make_context(prog_name or "dedup", list(sys.argv[1:] if args is None else args), **extra)
            with context:
                return self.invoke(context)

        end(command)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="dedup")
def main() -> None:
    """Find repeated paragraphs and repeated whole articles, exact and nearly so."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


for command in (apply.apply, compare.compare, find.estimate, find.find, match.match, repeats.repeats):
    main.add_command(command)
