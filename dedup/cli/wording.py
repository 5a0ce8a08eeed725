"""The errors of a command line, in the words of dedup: what was expected, what was found, and what to do.

Errors of the arguments, which click raises, look like those of the library. A name in the message of an option is that
of the command line (``--min-words``, not ``min_words``). A misspelled option, command, column or value is answered with
the one that was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from dedup.errors import DedupError

__all__ = ["closest", "in_options", "message_of"]

OTHER_NAMES = {
    "--text-key": "--column",
    "--text-column": "--column",
    "--text-field": "--column",
    "--field": "--column",
    "--id-column": "--id",
    "--similarity": "--threshold",
    "--ngram": "--shingle",
    "--ngrams": "--shingle",
    "--ngram-size": "--shingle",
    "--jobs": "--threads",
    "--workers": "--threads",
    "--num-proc": "--threads",
    "--out": "--output",
    "--output-dir": "--output",
    "--silent": "--quiet",
    "--separator": "--delimiter",
    "--sep": "--delimiter",
    "--max-memory": "--memory",
    "--head": "--limit",
    "--top": "--limit",
}
"""Names that other tools have for an option."""

OTHER_WORDS = {"newest": "max:COLUMN", "latest": "max:COLUMN", "oldest": "min:COLUMN", "earliest": "min:COLUMN"}
"""Words that are meant for `--keep`, and what it takes for them."""

PYTHON = (" or callable(id, text)", ", or None", ", or several of them in a list")
"""Parts of messages about what an option takes in Python alone."""

NOT_A = {"integer": "a whole number", "float": "a number"}
NOT_A_NUMBER = re.compile(r"'(.*)' is not a valid (integer|float)\.$", re.DOTALL)
NOT_ONE_OF = re.compile(r"('.*'|\".*\") is not (?:one of .*|'.*')\.$", re.DOTALL)
IN_QUOTES = re.compile(r"'([^']+)'")
NO_COLUMN = re.compile(r"\"([^\"]*)\": no such column .*; found (.*)$", re.DOTALL)
NO_WORD = re.compile(r"[\w-]+: expected (.*'.*), found '([^']*)'$", re.DOTALL)
OPTION_NAMED = re.compile(r"((?:(?:NEW|--against): (?!column|id))?)(\w+)(: |=)")
TO_PASS = re.compile(r'pass (\w+)="([\w-]+)"')
OF_A_SIDE = re.compile(r"((?:NEW|--against): \w+)=(?=\")")


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of the `known` words that was probably meant, or None."""
    from difflib import get_close_matches

    names = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), names, 1, 0.6)
    return names[found[0]] if found else None


def message_of(error: click.ClickException) -> str:
    """Return the message of an error that click raised, without the name of the program."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "dedup"
    if isinstance(error, click.exceptions.NoSuchOption):
        return _no_option(error.option_name, context, path)
    if isinstance(error, click.exceptions.NoSuchCommand):
        known = list(context.command.commands) if context and isinstance(context.command, click.Group) else []
        name = str(getattr(error, "command_name", "")) or error.message.split("'")[1]
        meant = closest(name, known)
        how = f"did you mean {path} {meant}?" if meant else f"{path} --help lists the commands"
        return f"expected a command of {path}, found {name!r}; {how}"
    if isinstance(error, click.exceptions.MissingParameter) and error.param is not None:
        return _missing(error.param, context, path)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return _bad_value(error.param, error.message)
    if isinstance(error, click.BadOptionUsage):
        found = "none" if "requires" in error.message else error.message.rstrip(".")
        wanted = "no value" if "take a value" in error.message else "a value"
        how = "leave the value out" if wanted == "no value" else "give one, or leave the option out"
        return f"{error.option_name}: expected {wanted}, found {'one' if wanted == 'no value' else found}; {how}"
    if extra := re.match(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL):
        return (
            f"expected no more arguments of {path}, found {extra[1]!r}; leave it out ({path} --help says what it takes)"
        )
    return f"{error.message.rstrip('.')}; {path} --help says how to use it" if context is not None else error.message


def _no_option(name: str, context: click.Context | None, path: str) -> str:
    options = (
        [each for each in context.command.get_params(context) if isinstance(each, click.Option)] if context else []
    )
    known = [name for each in options if not each.hidden for name in each.opts if name.startswith("--")]
    other = OTHER_NAMES.get(name.replace("_", "-"))
    meant = other if other in known else closest(name, known) if name.startswith("--") else None
    if name in ("--version", "-V"):
        how = "dedup --version prints it"
    else:
        how = f"did you mean {meant}?" if meant else f"{path} --help lists them"
    return f"{name}: expected an option of {path}, found none of this name; {how}"


def _missing(param: click.Parameter, context: click.Context | None, path: str) -> str:
    name = _shown(param)
    if isinstance(param, click.Option):
        value = param.metavar or str(param.type.name).upper()
        return f"{name}: expected it to be given, found none; give {name} {value}"
    usage = " ".join(context.command.collect_usage_pieces(context)) if context is not None else ""
    return f"{name}: expected a name, found none; write {path} {usage}".rstrip()


def _bad_value(param: click.Parameter, message: str) -> str:
    name = _shown(param)
    if number := NOT_A_NUMBER.match(message):
        return f"{name}: expected {NOT_A[number[2]]}, found {number[1]!r}"
    if isinstance(param.type, click.Choice) and (word := NOT_ONE_OF.match(message)):
        found, choices = word[1][1:-1], [str(each) for each in param.type.choices]
        wanted = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        meant = closest(found, choices)
        return f"{name}: expected {wanted}, found {found!r}" + (f"; did you mean {meant!r}?" if meant else "")
    return f"{name}: {message.rstrip('.')}"


def _shown(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return param.opts[0]
    return param.metavar or (param.name or "").upper()


def in_options(error: DedupError, command: click.Command) -> None:
    """Write the message of an error anew: with the names of the options of `command`, and with what was meant."""
    if not error.args or not isinstance(error.args[-1], str):
        return
    message = error.args[-1]
    for only_python in PYTHON:
        message = message.replace(only_python, "")
    if "did you mean" not in message and (meant := _meant(message)):
        message += f"; did you mean {meant!r}?"
    names = {each.opts[0].removeprefix("--").replace("-", "_"): each.opts[0] for each in command.params if each.opts}
    options = {name: option for name, option in names.items() if option.startswith("--")}
    if (named := OPTION_NAMED.match(message)) and named[2] in options:
        between = ": " if named[3] == ": " else " "
        message = f"{named[1]}{options[named[2]]}{between}{message[named.end() :]}"
    message = OF_A_SIDE.sub(r"\1 ", message, count=1)
    message = TO_PASS.sub(lambda said: f"pass {options[said[1]]} {said[2]}" if said[1] in options else said[0], message)
    error.args = (*error.args[:-1], message)


def _meant(message: str) -> str | None:
    """Return the column or the word that was probably meant by the one that a message does not know."""
    if found := NO_COLUMN.search(message):
        return closest(found[1], IN_QUOTES.findall(found[2]))
    if found := NO_WORD.match(message):
        return OTHER_WORDS.get(found[2]) or closest(found[2], IN_QUOTES.findall(found[1]))
    return None
