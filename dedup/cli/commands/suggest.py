"""The command ``dedup suggest``: which shingle and threshold fit the texts, and the command that uses them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from dedup.cli.command import Command
from dedup.cli.ending import finish, progress, say, say_json
from dedup.cli.inputs import Inputs
from dedup.cli.options import bounded, identified, keyed, one_json, quieted, reading, threaded, united, worded
from dedup.cli.selecting import Named, selection
from dedup.option_types import IgnoreOption, TokensOption, UnitOption
from dedup.sources.columns import names_of

__all__ = ["suggest"]


@click.command(
    cls=Command,
    examples=[
        "dedup suggest articles/",
        "dedup suggest titles.csv --column title --unit line",
    ],
)
@click.argument("inputs", cls=Named, metavar="INPUT...", nargs=-1, required=True)
@united
@click.option(
    "--seed",
    type=int,
    metavar="N",
    default=1,
    show_default=True,
    help="Another seed takes another sample of the texts.",
)
@worded
@identified
@bounded
@threaded
@keyed
@reading
@one_json
@quieted
def suggest(
    inputs: tuple[str, ...],
    as_json: bool,
    column: str,
    id_column: str | None,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    unit: UnitOption,
    ignore: IgnoreOption,
    tokens: TokensOption,
    seed: int,
    memory: str | None,
    threads: int | None,
    hash_key: bytes | None,
) -> None:
    """Suggest a shingle and a threshold for `dedup find`.

    A sample of the texts is compared with all texts. What is printed: how similar texts are, how similar unrelated
    texts are expected to be, some pairs, and the command to run. Nothing is removed or written.
    """
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors)
    texts = read.open(inputs, column=column, id=id_column)
    from dedup.pipelines.suggest import suggest as suggest_for

    result = suggest_for(
        texts,
        unit=unit,
        ignore=ignore,
        tokens=tokens,
        seed=seed,
        memory=memory,
        threads=threads,
        hash_key=hash_key,
        progress=progress(),
    )
    chosen: dict[str, Sequence[str]] = {"column": () if column == "text" else names_of(column)}
    alone = {"id": id_column, "format": format, "encoding": selection().get("encoding"), "max-errors": max_errors}
    chosen |= {name: () if value is None else (value,) for name, value in alone.items()}
    chosen |= {name: selection().get(name, ()) for name in ("include", "exclude")}
    chosen["on-error"] = () if on_error == "quarantine" else (on_error,)
    given = [word for name, values in chosen.items() for value in values for word in (f"--{name}", value)]
    command = " ".join([result.command.replace("INPUT", shlex.join(inputs), 1), *map(shlex.quote, given)])
    if as_json:
        say_json({**result.to_dict(), "command": command})
    else:
        say(str(result).removesuffix(result.command) + command)
    finish(found=False, check=False, rejected=read.rejected())
