"""The command ``dedup compare``: show how similar two texts are, and what they share."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.command import Command
from dedup.cli.ending import say, say_json
from dedup.cli.inputs import read_one
from dedup.cli.options import CHOICES, keyed, one_json, quieted, worded
from dedup.cli.printing import percent, show_marked
from dedup.terminal import clean

__all__ = ["compare"]


@click.command(
    cls=Command,
    examples=[
        "dedup compare draft.txt final.txt",
        "dedup compare a.txt b.txt --metric edit --full --json",
    ],
)
@click.argument("a")
@click.argument("b")
@click.option("--shingle", metavar="words:N|chars:N", help="What is shared; by default words:5.")
@click.option(
    "--metric",
    type=click.Choice(CHOICES["metric"]),
    default="jaccard",
    show_default=True,
    help="With edit, show the edit distance too.",
)
@click.option("--full", is_flag=True, help="Show long texts in full, not only the parts near what they share.")
@worded
@keyed
@one_json
@quieted
def compare(
    a: str,
    b: str,
    shingle: str | None,
    metric: str,
    ignore: tuple[str, ...],
    tokens: str,
    full: bool,
    hash_key: bytes | None,
    as_json: bool,
) -> None:
    """Compare the texts of two files, and mark what they share.

    Shared text is coloured on a terminal. If the output is not a terminal, or NO_COLOR is set, it is in numbered
    brackets.
    """
    left, right = read_one(a), read_one(b)
    from dedup.pipelines.compare import compare as compare_texts

    options: Any = {"metric": metric, "ignore": ignore, "tokens": tokens}
    result = compare_texts(left, right, shingle=shingle, hash_key=hash_key, **options)
    if as_json:
        fields = {name: getattr(result, name) for name in result.__dataclass_fields__ if name != "spans"}
        if result.distance is None:
            del fields["distance"], fields["similarity"]
        spans = [span._asdict() for span in result.spans]
        say_json({"left": a, "right": b, **fields, "spans": spans})
        return
    say(f"jaccard {result.jaccard:.3f}: {result.shared:,} shared shingles")
    say(f"{percent(result.left_in_right)} of the {result.left_size:,} shingles of {clean(a)} are in {clean(b)}")
    say(f"{percent(result.right_in_left)} of the {result.right_size:,} shingles of {clean(b)} are in {clean(a)}")
    if result.distance is not None and result.similarity is not None:
        say(f"edit distance {result.distance:,}: similarity {result.similarity:.3f}")
    show_marked(((a, left), (b, right)), result.spans, full=full)
