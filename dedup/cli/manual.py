"""The manual page, in the language of man: all commands, options, examples and exit codes, as the help has them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import click

from dedup import __version__
from dedup.cli.command import Command, groups_of
from dedup.cli.ending import CODES

__all__ = ["manual"]


def manual(root: click.Group, context: click.Context) -> str:
    """Return the page of a group of commands. It depends on the version alone."""
    lines = [f'.TH DEDUP 1 "" "dedup {__version__}" "User Commands"', ".nh", ".ad l", ".SH NAME"]
    lines += [r"dedup \- find duplicate and near-duplicate texts, and passages that texts share", ".SH SYNOPSIS"]
    lines += [rf"\fBdedup\fR {_escaped('COMMAND [OPTIONS] ARGUMENTS')}", ".SH DESCRIPTION"]
    lines += [*_text(root.help or ""), ".SH COMMANDS"]
    for path, command in _commands(root, "dedup"):
        lines += _command(path, command, context)
    lines += [".SH EXIT STATUS", *_listed({str(code): says for code, says in CODES.items()})]
    lines += [".SH ENVIRONMENT", *_listed(VARIABLES)]
    return "\n".join(lines) + "\n"


VARIABLES = {
    "DEDUP_HASH_KEY": "A secret hash key, for untrusted texts; see --hash-key-file.",
    "DEDUP_DEBUG": "If set, an internal error shows its traceback.",
    "NO_COLOR": "If set, shared text is in brackets and not in colours.",
    "TMPDIR": "The folder of temporary files.",
}
"""What the page says of the environment."""


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        inner = f"{path} {name}"
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        elif not command.hidden:
            yield inner, command


def _command(path: str, command: click.Command, parent: click.Context) -> list[str]:
    """Return the lines about a command."""
    context = click.Context(command, info_name=path, parent=None, terminal_width=1 << 10)
    context.help_option_names = parent.help_option_names
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [rf".SS \fB{_escaped(path)}\fR {_escaped(usage)}", *_text(command.help or "")]
    for title, options in groups_of(command, context).items():
        records = dict(record for option in options if (record := option.get_help_record(context)) is not None)
        if title != "Other":
            lines += [".PP", rf"\fI{_escaped(title)}\fR", *_listed(records)]
    if isinstance(command, Command) and command.examples:
        lines += [".PP", r"\fIExamples\fR", ".PP", ".nf", ".RS", *map(_line, command.examples), ".RE", ".fi"]
    return lines


def _listed(rows: Mapping[str, str]) -> list[str]:
    """Return a list of terms with what is said of each."""
    return [line for term, says in rows.items() for line in (".TP", rf"\fB{_escaped(term)}\fR", _line(says))]


def _text(text: str) -> list[str]:
    """Return the paragraphs of a help text."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        kept = paragraph.startswith("\b")
        rows = [_line(row) for row in paragraph.removeprefix("\b").strip().splitlines()]
        found += [".PP", *([".nf", ".RS", *rows, ".RE", ".fi"] if kept else rows)]
    return found


def _line(text: str) -> str:
    line = _escaped(text)
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _escaped(text: str) -> str:
    return " ".join(text.splitlines()).replace("\\", r"\e").replace("-", r"\-")
