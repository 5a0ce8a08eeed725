"""The command ``dedup``, and ``python -m dedup``. Signal handlers are installed before anything else is loaded.

What a command loads takes most of the time of a short run. So it is kept small: OpenBLAS, which numpy brings, starts no
threads, since nothing here multiplies matrices; pyarrow does not look for pandas; and no garbage is looked for among
modules, neither while they are loaded nor at the end.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

__all__ = ["listen", "main"]

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def leave(number: int, _: object) -> None:
    """End the process at once, with the exit code that shells expect. Nothing has started that needs cleaning up."""
    try:
        os.write(2, f"dedup: {SIGNALS[signal.Signals(number)]}\n".encode())
    except OSError:
        pass
    finally:
        os._exit(128 + number)


def listen() -> None:
    """Make Ctrl-C and SIGTERM end the process at once, without a traceback. A signal that is ignored stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def replace_closed_streams() -> None:
    """Open a substitute for each standard stream that was closed. Else the next file opened would get its number.

    Standard input is then empty, text for standard error is discarded, and writing to standard output is an error.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # it gets the lowest free number, which is this one
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            how = "w" if number else "r"
            setattr(sys, name, open(number, how, encoding="utf-8", closefd=False))  # noqa: SIM115


FEWEST_OBJECTS = 50_000
"""Objects that are made before the first collection of garbage; the default of Python is 700 to 2,000."""


class WithoutPandas:
    """A finder that says that pandas is not installed.

    pyarrow imports pandas, where it is installed, to see whether a list or an array is one of its objects. A command
    has none, and the import takes longer than everything else that it loads.
    """

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Raise `ModuleNotFoundError` for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main() -> None:
    """Run the command line."""
    listen()
    replace_closed_streams()
    sys.meta_path.insert(0, WithoutPandas)  # only find_spec is asked for
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(FEWEST_OBJECTS, *gc.get_threshold()[1:])
    from dedup.cli import main as command

    try:
        command()
    finally:
        gc.freeze()  # else the interpreter looks through all modules for garbage before it ends


if __name__ == "__main__":
    main()
