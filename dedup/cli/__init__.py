"""The command line.

``dedup clean INPUT... --output PATH`` write files without duplicates or repeats, in one step
``dedup repeats FILE...``              find repeated text within a text and across texts
``dedup find INPUT...``                find duplicate documents, paragraphs or lines in files (see `dedup.files`)
``dedup match NEW... --against OLD``   find texts and passages of one collection that also occur in another
``dedup compare A B``                  show how similar two texts are, and what they share
``dedup estimate INPUT...``            forecast the method, memory and time of a find
``dedup suggest INPUT...``             suggest a shingle and a threshold for a find
``dedup show REPORT``                  look at a report in a browser
``dedup review REPORT``                read the most doubtful removals of a report
``dedup apply REPORT``                 write new files with the records that a report keeps
``dedup index COMMAND PATH...``        remember texts on disk, and find those that were seen before
``dedup warmup``                       compile the kernels beforehand

Results are printed to stdout, as text or as JSON lines (--json). All other messages are printed to stderr. The exit
codes are listed in `dedup.cli.ending`.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from dedup import __version__
from dedup.cli.commands import apply, clean, compare, find, index, match, repeats, review, show, suggest, warmup
from dedup.cli.ending import end, writing

__all__ = ["Group", "main"]


class Group(click.Group):
    """The group of commands. An error of a command becomes an exit code and a line on stderr (`dedup.cli.ending`)."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command, and end the process with its exit code."""
        if not standalone_mode or "_DEDUP_COMPLETE" in os.environ:  # a shell asks for completions
            super().main(args, prog_name, complete_var, standalone_mode, **extra)
            sys.exit(0)

        def command() -> Any:
            with writing():  # prints the help, if the arguments ask for it
                context = self.make_context(prog_name or "dedup", list(sys.argv[1:] if args is None else args), **extra)
            with context:
                return self.invoke(context)

        end(command)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="dedup")
def main() -> None:
    """Find duplicate and near-duplicate texts, and passages that texts share."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warmup.expect(click.get_current_context().invoked_subcommand)


for command in (
    apply.apply,
    clean.clean,
    compare.compare,
    find.estimate,
    find.find,
    index.index,
    match.match,
    repeats.repeats,
    review.review,
    show.show,
    suggest.suggest,
    warmup.warmup,
):
    main.add_command(command)
