"""How a command ends: its exit code, one line on stderr that says why, and never a traceback.

====  ==========================================================================
0     done; or the reader of the output closed it (``| head``)
1     done, something was found, and ``--check`` was given; nothing else is 1
2     wrong use, nothing to read, or nothing that could be read
3     done, but some inputs were rejected
70    a fault of ours: ``DEDUP_DEBUG=1`` shows the traceback
74    the output cannot be written
130   ended by Ctrl-C
143   ended by SIGTERM
====  ==========================================================================

What is meant for stdout goes through `say` (or `writing`), what is meant for stderr through `tell`: so a failure of
either is never taken for another fault, and a stderr that nobody can write to stops nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn, Self

import click

from dedup.errors import DedupError, StorageError
from dedup.terminal import clean, to_json

__all__ = [
    "FOUND",
    "SOME_REJECTED",
    "end",
    "finish",
    "say",
    "say_json",
    "tell",
    "writing",
]

DONE, FOUND, WRONG_USE, SOME_REJECTED, FAULT, UNWRITABLE, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 70, 74, 130, 143

DEBUG = "DEDUP_DEBUG"
"""The variable that makes a fault of ours show its traceback."""

CLOSED = (errno.EPIPE, errno.ESHUTDOWN) + ((errno.EINVAL,) if os.name == "nt" else ())


class UnwritableError(Exception):
    """Standard output cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Tell an error of standard output from all others."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(error) from error


def say(line: str = "") -> None:
    """Write a line to standard output; what came in stands in it cleaned (`dedup.terminal.clean`)."""
    with writing():
        click.echo(line)


def say_json(value: Any) -> None:
    """Write a value as a line of JSON to standard output."""
    say(to_json(value))


def tell(line: str) -> None:
    """Write a line to standard error, if it can be written; what came in stands in it cleaned."""
    try:
        click.echo(line, err=True)
    except OSError:
        _mute(sys.stderr)


def end(command: Callable[[], Any]) -> NoReturn:
    """Run a command, and end the process with its code."""
    stops = Stops()
    try:
        with stops:
            code = _run(command, stops)
    except KeyboardInterrupt:  # while something else was being said
        os._exit(128 + (stops.number or signal.SIGINT))
    sys.exit(code)


def finish(*, found: bool, check: bool, rejected: int) -> None:
    """Exit with the code of what was rejected, or of what was found and asked for by ``--check``."""
    if rejected:
        sys.exit(SOME_REJECTED)
    if check and found:
        sys.exit(FOUND)


class Stops:
    """Ctrl-C and SIGTERM while a command runs: the first one raises `KeyboardInterrupt`, a second one ends at once."""

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                with contextlib.suppress(ValueError):  # not the main thread
                    self._before[number] = signal.signal(number, self._stop)
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._hook

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.number:
            os._exit(128 + self.number)
        self.number = number
        self._raise()

    def _raise(self) -> NoReturn:
        raise KeyboardInterrupt(*(["terminated"] if self.number == signal.SIGTERM else []))

    def _unraisable(self, fault: Any) -> None:
        """Raise anew an interruption that met code which cannot raise: a finaliser, a callback of compiled code."""
        if not issubclass(fault.exc_type, KeyboardInterrupt):
            self._hook(fault)
            return
        number, self.number = self.number or signal.SIGINT, 0
        import _thread

        _thread.interrupt_main(signal.Signals(number))


def _run(command: Callable[[], Any], stops: Stops) -> int:
    """Run a command; return its exit code, and say on stderr what went wrong."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = _code_of(command)
            with writing():
                sys.stdout.flush()
        except UnwritableError as unwritten:
            code = _unwritten(unwritten.error)
        except click.ClickException as error:
            code = _wrong_use(error)
        except DedupError as error:
            tell(f"dedup: {clean(error)}")
            code = UNWRITABLE if isinstance(error, StorageError) and error.errno else WRONG_USE
        except KeyboardInterrupt as stop:
            code = _stopped(stops.number or signal.SIGINT, stop)
        except Exception as error:  # noqa: BLE001  # the last place that can say what happened
            code = _other(error) if not stops.number else _stopped(stops.number, error)
        return 128 + stops.number if stops.number else code


def _code_of(command: Callable[[], Any]) -> int:
    try:
        code = command()
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except SystemExit as stop:
        code = stop.code
    return code if isinstance(code, int) else DONE


def _unwritten(error: OSError) -> int:
    _mute(sys.stdout)
    if error.errno in CLOSED:
        return DONE  # whoever reads has enough
    why = error.strerror or str(error)
    tell(f"dedup: expected to write to standard output, found: {why}; name a place with room that can be written to")
    return UNWRITABLE


def _wrong_use(error: click.ClickException) -> int:
    if type(error).__name__ != "NoArgsIsHelpError":  # its message is the help
        error.__dict__["message"] = clean(error.message)
    try:
        error.show()
    except OSError:
        _mute(sys.stderr)
    return error.exit_code if error.exit_code != FOUND else WRONG_USE


def _stopped(number: int, stop: BaseException) -> int:
    notes = "".join(f"; {clean(note)}" for note in getattr(stop, "__notes__", ()))
    tell(f"dedup: {'terminated' if number == signal.SIGTERM else 'interrupted'}{notes}")
    return 128 + number


def _other(error: Exception) -> int:
    """Say what else went wrong: with the system, or here."""
    if isinstance(error, OSError) and error.filename is None and error.errno in (*CLOSED, errno.ENOSPC, errno.EBADF):
        return _unwritten(error)  # the help, which is written before there is a command
    if isinstance(error, FileNotFoundError) and _nowhere():
        tell("dedup: expected a current folder, found that it was removed; change to one that is there")
        return WRONG_USE
    return _fault(error)


def _nowhere() -> bool:
    """Return whether the current folder is no more."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _fault(error: Exception) -> int:
    if os.environ.get(DEBUG):
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            tell(clean(line))
    if isinstance(error, MemoryError):
        tell("dedup: expected memory for what is searched, found none left; name a bound, as in --memory 2GB")
        return WRONG_USE
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    tell(
        f"dedup: expected no error here, found {clean(what)}; this is a fault of dedup: run the same command with "
        f"{DEBUG}=1 to see where it is, and report that"
    )
    return FAULT


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    tell(f"dedup: warning: {clean(message)}")


def _mute(stream: Any) -> None:
    """Send what a stream still holds nowhere, or it would fail once more when the process ends."""
    try:
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass
