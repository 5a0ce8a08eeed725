"""The command ``dedup``, and ``python -m dedup``: it answers to signals before anything else is loaded."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = ["listen", "main"]

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def leave(number: int, _: FrameType | None) -> NoReturn:
    """End at once, with the code that shells expect: nothing has been begun that must be put away."""
    try:
        os.write(2, f"dedup: {SIGNALS[signal.Signals(number)]}\n".encode())
    except OSError:
        pass
    finally:
        os._exit(128 + number)


def listen() -> None:
    """End at once on Ctrl-C and SIGTERM, without a traceback, unless they are ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def stand() -> None:
    """Put something in the place of standard streams that were closed, or the next file opened would get their number.

    What is read is empty, what is said to nobody is gone, and what was asked for and cannot be written is an error.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free: this one
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            how = "w" if number else "r"
            setattr(sys, name, open(number, how, encoding="utf-8", closefd=False))  # noqa: SIM115


def main() -> None:
    """Run the command line."""
    listen()
    stand()
    from dedup.cli import main as command

    command()


if __name__ == "__main__":
    main()
