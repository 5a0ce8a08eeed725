"""Completion in shells: commands, options and words of options by click, and files where those are none.

click is helped in two places: the value in ``--unit=p`` is completed with the option before it, since zsh and fish
replace the whole word, and bash makes three words of it; and fish shows descriptions with a comma to their end.
"""

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
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            return [CompletionItem(f"{option}={item.value}", item.type, item.help) for item in found]
        return found or [CompletionItem(incomplete, type="file")]


class Bash(OrFiles, BashComplete):
    """Completion in bash."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the last one, and the last one. The sign in ``--unit=p`` is a word of its own."""
        args, incomplete = super().get_completion_args()
        words = [word for place, word in enumerate(args) if word != "=" or not args[place - 1].startswith("--")]
        return words, "" if incomplete == "=" else incomplete


class Zsh(OrFiles, ZshComplete):
    """Completion in zsh."""


class Fish(OrFiles, FishComplete):
    """Completion in fish."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click complete with these classes."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str) -> str:
    """Return the script for a shell. It does not depend on the machine."""
    completing = SHELLS[shell](click.Command("dedup"), {}, "dedup", VARIABLE)
    return ShellComplete.source(completing).strip()
