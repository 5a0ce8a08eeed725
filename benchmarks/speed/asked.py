"""What measurements of some corpora are asked on the command line, and where their figures are kept."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import needs
from benchmarks.corpora import named


def asking(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser for the names of corpora and a file for the figures; more options can be added."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--output", type=Path, help="a file that a line of JSON is added to for each corpus")
    return parser


def chosen_corpora(chosen: argparse.Namespace) -> Iterator[named.Corpus]:
    """Yield the corpora that were asked for; one whose data are not here is skipped, and that is said."""
    for name in chosen.corpus:
        try:
            corpus = named.prepared(name)
        except needs.MissingDataError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        yield corpus


def keep(chosen: argparse.Namespace, record: dict[str, Any]) -> None:
    """Add a line with the figures of a corpus to the file that was asked for, if any."""
    if chosen.output:
        with chosen.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, sort_keys=True) + "\n")
