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
``dedup completion SHELL``             print the completion script of a shell
``dedup man``                          print the manual page
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
from dedup.cli.command import Commands
from dedup.cli.ending import end, writing

__all__ = ["Group", "main"]

EXAMPLES = (
    "dedup find articles/                           # near-duplicate documents",
    "dedup clean article.txt --repeats -o new.txt   # an article whose body occurs twice",
    "dedup COMMAND --help                           # options, examples, exit codes",
)
"""At the end of the help."""


SECTIONS = {
    "Find": ("find", "repeats", "match", "compare", "suggest", "estimate"),
    "Look and clean": ("clean", "show", "review", "apply"),
    "Remember": ("index",),
    "Set up": ("completion", "man", "warmup"),
}
"""The commands in the help, in order."""

HOMES = {
    "apply": "apply",
    "clean": "clean",
    "compare": "compare",
    "completion": "shell",
    "estimate": "find",
    "find": "find",
    "index": "index",
    "man": "shell",
    "match": "match",
    "repeats": "repeats",
    "review": "review",
    "show": "show",
    "suggest": "suggest",
    "warmup": "warmup",
}
"""The module in `dedup.cli.commands` that has a command."""


class Group(click.Group):
    """The group of commands. An error of a command becomes an exit code and a line on stderr (`dedup.cli.ending`)."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named; ``dedup help COMMAND`` is ``dedup COMMAND --help``."""
        if args[0] == "help" and not ctx.resilient_parsing:
            args = [*args[1:], "--help"] if args[1:] else ["--help"]
            if len(args) == 1:
                self.parse_args(ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands in sections."""
        width = max(map(len, self.commands))
        for title, names in SECTIONS.items():
            rows = [(name, self.commands[name].get_short_help_str(200)) for name in names]
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), says) for name, says in rows])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write examples of the commands that are used most."""
        with formatter.section("Examples"):
            for line in EXAMPLES:
                formatter.write(f"  {line}\n")

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
            from dedup.cli.completion import VARIABLE, register

            register()
            super().main(args, prog_name or "dedup", complete_var or VARIABLE, standalone_mode, **extra)
            sys.exit(0)

        def command() -> Any:
            with writing():  # prints the help, if the arguments ask for it
                context = self.make_context(prog_name or "dedup", list(sys.argv[1:] if args is None else args), **extra)
            with context:
                return self.invoke(context)

        end(command)


@click.group(cls=Group, commands=Commands(HOMES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", prog_name="dedup")
def main() -> None:
    """Find duplicate and near-duplicate texts, and passages that texts share."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
