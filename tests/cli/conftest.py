"""What holds for each command that a test of this folder calls: its messages name options that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from dedup.cli import main

OPTION = re.compile(r"(?<![\w-])(?<!pandoc )--[a-z][a-z_-]*[a-z]")
NAMED = re.compile(r"(?:dedup |`(?!dedup ))((?:index )?[a-z][a-z-]*)")


def command_of(words: list[str]) -> tuple[str, click.Command]:
    """Give the command that some words of a command line name, and its name; a group, if they name no command."""
    command: click.Command = main
    name: list[str] = []
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        if found is None:
            break
        command = found
        name.append(word)
    return " ".join(name), command


def options_of(command: click.Command) -> set[str]:
    """Give the long options of a command; --help and --version are those of all."""
    own = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    return own | {"--help", "--version"}


def foreign_options(message: str, words: list[str]) -> list[str]:
    """Give the options in a message of a command that neither it has nor the command that is named before them.

    Options that the user wrote, which the message quotes, do not count.
    """
    _, own = command_of(words)
    if isinstance(own, click.Group):
        return []
    given = {word.partition("=")[0] for word in words}
    found = []
    for option in OPTION.finditer(message):
        commands = [own]
        if named := [other for other in NAMED.finditer(message, 0, option.start()) if command_of(other[1].split())[0]]:
            commands.append(command_of(named[-1][1].split())[1])
        if option[0] not in given and not any(option[0] in options_of(each) for each in commands):
            found.append(option[0])
    return found


@pytest.fixture(autouse=True)
def advice_that_can_be_followed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look at all messages of all commands that a test calls in this process."""
    invoke = CliRunner.invoke

    def checked(self: CliRunner, cli: Any, args: Any = None, *more: Any, **options: Any) -> Result:
        done = invoke(self, cli, args, *more, **options)
        words = args.split() if isinstance(args, str) else [*map(str, args or ())]
        if cli is main:
            for line in done.stderr.splitlines():
                assert not foreign_options(line, words), f"dedup {' '.join(words)}: {line}"
        return done

    monkeypatch.setattr(CliRunner, "invoke", checked)
    yield
