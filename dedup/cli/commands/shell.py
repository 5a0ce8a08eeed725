"""The commands ``dedup completion`` and ``dedup man``: what a shell and ``man`` know of the command line."""

from __future__ import annotations

import click

from dedup.cli.command import Command
from dedup.cli.ending import say

__all__ = ["completion", "man"]


@click.command(
    cls=Command,
    at_once=True,
    examples=[
        "dedup completion bash > ~/.local/share/bash-completion/completions/dedup",
        "dedup completion zsh > ~/.zfunc/_dedup                  # a folder in $fpath",
        "dedup completion fish > ~/.config/fish/completions/dedup.fish",
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script with which a shell completes commands, options and their values.

    Save it where the shell looks for it, as in the examples, and start a new shell.
    """
    from dedup.cli.completion import script

    say(script(shell))


@click.command(
    cls=Command,
    at_once=True,
    examples=[
        "dedup man | man -l -",
        "dedup man > ~/.local/share/man/man1/dedup.1",
    ],
)
@click.pass_context
def man(context: click.Context) -> None:
    """Print the manual page, in the format of man."""
    from dedup.cli.manual import manual

    root = context.find_root()
    assert isinstance(root.command, click.Group)
    say(manual(root.command, root).rstrip("\n"))
