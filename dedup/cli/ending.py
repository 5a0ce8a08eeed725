"""How a command ends: with an exit code, with one line on stderr that says why, and never with a traceback.

====  ==========================================================================
0     done; or the reader of the output closed it (``| head``)
1     done, something was found, and ``--check`` was given; nothing else gives 1
2     wrong usage, no input, or no input that can be read
3     done, but some inputs were rejected
70    an internal error, a bug in dedup: ``DEDUP_DEBUG=1`` shows the traceback
74    the output cannot be written
130   ended by Ctrl-C
143   ended by SIGTERM
====  ==========================================================================

All output to stdout is written by `say` (or inside `writing`), all output to stderr by `tell`, or by `note`, which
`--quiet` silences. So an error of either stream is recognised as such, and a stderr that cannot be written to does not
stop a command.
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

from dedup.cli.wording import message_of
from dedup.errors import DedupError, StorageError
from dedup.terminal import clean, to_json

__all__ = [
    "CODES",
    "FOUND",
    "SOME_REJECTED",
    "begin",
    "end",
    "finish",
    "logged",
    "note",
    "progress",
    "quiet",
    "say",
    "say_json",
    "tell",
    "verbose",
    "writing",
]

DONE, FOUND, WRONG_USE, SOME_REJECTED, FAULT, UNWRITABLE, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 70, 74, 130, 143

CODES = {
    DONE: "done",
    FOUND: "something was found, and --check was given",
    WRONG_USE: "wrong use, nothing to read, or nothing that can be read",
    SOME_REJECTED: "done, but something could not be read, or is damaged",
    FAULT: "an internal error, a bug in dedup",
    UNWRITABLE: "the output cannot be written",
    INTERRUPTED: "ended by Ctrl-C",
    TERMINATED: "ended by SIGTERM",
}
"""What each exit code means."""

IS_QUIET = "dedup.quiet"
"""The key of the context that says that `--quiet` was given."""

IS_VERBOSE = "dedup.verbose"
"""The key of the context that says that `--verbose` was given."""

DEBUG = "DEDUP_DEBUG"
"""The environment variable that makes an internal error print its traceback."""

CLOSED_PIPE = (errno.EPIPE, errno.ESHUTDOWN) + ((errno.EINVAL,) if os.name == "nt" else ())


class UnwritableError(Exception):
    """Standard output cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Shown:
    """Whether the terminal shows a line that the next output replaces."""

    waiting = False


def begin() -> None:
    """Say on a terminal at once that a command runs: it may load its modules and files for a while."""
    try:
        if not quiet() and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
            sys.stderr.write("reading ...\r")
            sys.stderr.flush()
            _Shown.waiting = True
    except (OSError, ValueError):
        _mute(sys.stderr)


def _replace() -> None:
    if _Shown.waiting:
        _Shown.waiting = False
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Raise an `OSError` of the body, which writes to standard output, as `UnwritableError`."""
    _replace()
    try:
        yield
    except OSError as error:
        raise UnwritableError(error) from error


def say(line: str = "") -> None:
    """Write a line to standard output. Text from the input must be cleaned before (`dedup.terminal.clean`)."""
    with writing():
        click.echo(line)


def say_json(value: Any) -> None:
    """Write a value as a line of JSON to standard output."""
    say(to_json(value))


def tell(line: str) -> None:
    """Write a line to standard error, or nothing if that fails. Text from the input must be cleaned before."""
    _replace()
    try:
        click.echo(line, err=True)
    except OSError:
        _mute(sys.stderr)


def quiet() -> bool:
    """Return whether `--quiet` was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(IS_QUIET))


def note(line: str) -> None:
    """Write a line to standard error that is no error: a summary or a hint. With `--quiet` write nothing."""
    if not quiet():
        tell(line)


def progress() -> bool | None:
    """Return the option `progress` of a search: a bar on a terminal, unless `--quiet` or `--verbose` was given."""
    return False if quiet() or verbose() else None


def verbose() -> bool:
    """Return whether `--verbose` was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(IS_VERBOSE))


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """With `--verbose`, write the log named "dedup" to standard error: each line with the seconds since the start."""
    if not verbose():
        yield
        return
    import logging
    import platform
    import time

    from dedup import __version__

    begun = time.monotonic()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(f"dedup: {time.monotonic() - begun:6.2f} s: {clean(record.getMessage())}")

    log, handler = logging.getLogger("dedup"), Told()
    before, ended = log.level, "done"
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        log.info("dedup %s, Python %s, %s", __version__, platform.python_version(), platform.platform())
        yield
    except (KeyboardInterrupt, Exception) as stop:
        ended = "interrupted" if isinstance(stop, KeyboardInterrupt) else "ended by an error"
        raise
    finally:
        log.info(ended)
        log.removeHandler(handler)
        log.setLevel(before)


def end(command: Callable[[], Any]) -> NoReturn:
    """Run a command, and end the process with its exit code."""
    stops = Stops()
    try:
        with stops:
            code = _run(command, stops)
    except KeyboardInterrupt:  # while the message of another end was being written
        os._exit(128 + (stops.number or signal.SIGINT))
    sys.exit(code)


def finish(*, found: bool, check: bool, rejected: int) -> None:
    """Exit with 3 if any input was rejected, with 1 if anything was found and ``--check`` was given; else return."""
    if rejected:
        sys.exit(SOME_REJECTED)
    if check and found:
        sys.exit(FOUND)


@contextlib.contextmanager
def until_interrupted() -> Iterator[None]:
    """Let Ctrl-C end the body and not the command: the body has no other end."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as stop:
        if stop.args:  # terminated, not Ctrl-C
            raise
    finally:
        signal.signal(signal.SIGINT, before)


class Stops:
    """Handle Ctrl-C and SIGTERM while a command runs: the first raises `KeyboardInterrupt`, the second ends at once."""

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
        """Raise an interrupt again if it came in code that cannot raise: a finaliser, a callback of compiled code."""
        if not issubclass(fault.exc_type, KeyboardInterrupt):
            self._hook(fault)
            return
        number, self.number = self.number or signal.SIGINT, 0
        import _thread

        _thread.interrupt_main(signal.Signals(number))


def _run(command: Callable[[], Any], stops: Stops) -> int:
    """Run a command and return its exit code. Write to stderr what went wrong."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = _code_of(command)
            with writing():  # and what `begin` wrote goes
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
        except Exception as error:  # noqa: BLE001  # the last place where an error can be reported
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
    if error.errno in CLOSED_PIPE:
        return DONE  # the reader needs no more
    why = error.strerror or str(error)
    tell(f"dedup: expected to write to standard output, found: {why}; write to a place that is writable and has space")
    return UNWRITABLE


def _wrong_use(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # the message of that error is the help
        tell(error.message)
    else:
        tell(f"dedup: {clean(message_of(error))}")
    return error.exit_code if error.exit_code != FOUND else WRONG_USE


def _stopped(number: int, stop: BaseException) -> int:
    notes = "".join(f"; {clean(note)}" for note in getattr(stop, "__notes__", ()))
    tell(f"dedup: {'terminated' if number == signal.SIGTERM else 'interrupted'}{notes}")
    return 128 + number


def _other(error: Exception) -> int:
    """Report any other error, of the system or of dedup, and return the exit code."""
    if (
        isinstance(error, OSError)
        and error.filename is None
        and error.errno in (*CLOSED_PIPE, errno.ENOSPC, errno.EBADF)
    ):
        return _unwritten(error)  # raised by the help, which is written before a command runs
    if isinstance(error, FileNotFoundError) and _without_folder():
        tell("dedup: expected a current folder, found that it was removed; change to a folder that exists")
        return WRONG_USE
    return _fault(error)


def _without_folder() -> bool:
    """Return whether the current folder was removed."""
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
        tell(
            "dedup: expected enough memory for the search, found none left; search fewer texts, or set a limit, as in "
            "`dedup find --memory 2GB`"
        )
        return WRONG_USE
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    tell(
        f"dedup: expected no internal error, found {clean(what)}; this is a bug in dedup: run the same command with "
        f"{DEBUG}=1 to see the traceback, and report it"
    )
    return FAULT


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    note(f"dedup: warning: {clean(message)}")


def _mute(stream: Any) -> None:
    """Discard what is still in the buffer of a stream. Else writing it would fail again when the process ends."""
    try:
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass
