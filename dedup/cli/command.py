"""What all commands have in common: help in groups with examples and exit codes, and options that occur once.

A command is loaded when it is asked for: a run of one does not read the modules of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import click

from dedup.cli.ending import CODES, FOUND, SOME_REJECTED, begin, logged, quiet, verbose
from dedup.cli.wording import in_options
from dedup.errors import DedupError, ParameterError

__all__ = ["OPTION_GROUPS", "Command", "CommandGroup", "Commands", "groups_of"]

OPTION_GROUPS = {
    "What is found": (
        "repeats unit threshold metric shingle distinct ignore tokens within across method recall seed min_words "
        "passage_threshold passages pairs order containment"
    ),
    "What is kept": "keep min_documents overrides annotate replace store",
    "Input": (
        "report against column against_column id_column against_id delimiter format encoding include exclude "
        "files_from on_error max_errors ids_from"
    ),
    "Output": (
        "output overwrite dry_run html clusters megabytes port no_browser full limit count as_csv as_json check quiet "
        "verbose log_json"
    ),
    "How it runs": "threads memory work_dir fresh hash_key",
}
"""The groups of options in a help text, and the parameters in each, in order."""


class Commands(MutableMapping[str, click.Command]):
    """Commands by name, each loaded from its module when it is first looked up.

    `homes` are the modules in `dedup.cli.commands`, by name; the command has the same name there. A command that is set
    needs no module.
    """

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = dict(homes)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module = import_module(f"dedup.cli.commands.{self._homes[name]}")
            self._loaded[name] = getattr(module, name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._homes.pop(name, None)
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        yield from self._homes
        yield from (name for name in self._loaded if name not in self._homes)

    def __len__(self) -> int:
        return len(self._homes.keys() | self._loaded.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._homes or name in self._loaded


class Command(click.Command):
    """A command.

    `examples` are shown at the end of its help, `codes` are exit codes that it gives beside the usual, and `at_once`
    commands do not say that they have begun.
    """

    def __init__(
        self, *args: Any, examples: Iterable[str] = (), codes: Iterable[int] = (), at_once: bool = False, **how: Any
    ) -> None:
        super().__init__(*args, **how)
        self.examples = tuple(examples)
        self._codes = tuple(codes)
        self._at_once = at_once

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises `ParameterError` if an option with one value is given twice."""
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(list(args))
            asks_help = any(isinstance(each, click.Option) and each.is_eager and each.is_flag for each in order)
            for each in () if asks_help else order:
                one = isinstance(each, click.Option) and not (each.is_flag or each.multiple or each.count)
                if one and order.count(each) > 1:
                    raise ParameterError(
                        f"{each.opts[0]}: expected one value, found {order.count(each)}; leave one out"
                    )
        try:
            return super().parse_args(ctx, args)
        except DedupError as error:
            in_options(error, self)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        if not self._at_once:
            if not (ctx.params.get("log_json") or verbose()):
                begin()
            _expect(ctx.find_root().invoked_subcommand, ctx.params)
        try:
            with logged():
                return super().invoke(ctx)
        except DedupError as error:
            in_options(error, self)
            raise

    def codes(self) -> dict[int, str]:
        """Return the exit codes that this command gives, and what each means."""
        names = {each.name for each in self.params}
        some = {FOUND} if "check" in names else set()
        some |= {SOME_REJECTED} if "on_error" in names else set()
        return {
            code: says for code, says in CODES.items() if code in some | set(self._codes) | {0, 2, 70, 74, 130, 143}
        }

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in their groups."""
        for title, options in groups_of(self, ctx).items():
            records = [record for option in options if (record := option.get_help_record(ctx)) is not None]
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the examples and the exit codes."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in self.codes().items()])


class CommandGroup(click.Group):
    """Commands under one name. Its help ends with the exit codes of all of them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the whole first sentence of its help."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(200)) for name in self.list_commands(ctx)]
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in CODES.items()])


def groups_of(command: click.Command, context: click.Context) -> dict[str, list[click.Option]]:
    """Return the options of a command that are shown, in groups; groups without options are left out."""
    options = [each for each in command.get_params(context) if isinstance(each, click.Option) and not each.hidden]
    found: dict[str, list[click.Option]] = {}
    for title, names in OPTION_GROUPS.items():
        places = {name: place for place, name in enumerate(names.split())}
        inside = sorted((each for each in options if each.name in places), key=lambda each: places[str(each.name)])
        if inside:
            found[title] = inside
        options = [each for each in options if each not in inside]
    if options:
        found["Other"] = options
    return found


def _expect(command: str | None, options: Mapping[str, Any]) -> None:
    """Record which command runs, so that missing kernels that it calls are compiled in parallel."""
    if command == "clean":
        command = "repeats" if options.get("repeats") else "find"
    if command not in {None, "apply", "warmup"}:
        from dedup.kernels import native, warming

        if not native.COMPLETE:
            warming.expect(command, quiet=quiet())
