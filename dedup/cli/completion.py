"""Completion in shells: commands, options and words of options by click, and files where those are none."""

from __future__ import annotations

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

__all__ = ["VARIABLE", "register", "script"]

VARIABLE = "_DEDUP_COMPLETE"
"""The environment variable with which a shell asks for completions."""


class OrFiles(ShellComplete):
    """Completes with names of files where no word is known."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what the last word may become."""
        return super().get_completions(args, incomplete) or [CompletionItem(incomplete, type="file")]


class Bash(OrFiles, BashComplete):
    """Completion in bash."""


class Zsh(OrFiles, ZshComplete):
    """Completion in zsh."""


class Fish(OrFiles, FishComplete):
    """Completion in fish."""


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click complete with these classes."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str) -> str:
    """Return the script for a shell. It does not depend on the machine."""
    completing = SHELLS[shell](click.Command("dedup"), {}, "dedup", VARIABLE)
    return ShellComplete.source(completing).strip()
