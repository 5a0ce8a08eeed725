"""The table that a notebook shows: static and escaped, legible without a style."""

from __future__ import annotations

import html
import math

import numpy as np

from dedup.page.escaping import readable
from dedup.page.view import View
from dedup.terminal import clean

__all__ = ["static_table"]

TABLE_ROWS = 20
"""Groups in the table."""

CELL_CHARACTERS = 400
"""Characters of a name or a value, at most: so a table has at most 100 kB."""


def static_table(view: View) -> str:
    """Return a view as a table of HTML: its facts, its warnings and its largest groups."""
    facts = "".join(f"<tr><th>{_cell(name)}</th><td>{_cell(value)}</td></tr>" for name, value in view.facts[:20])
    warnings = "".join(f"<p><b>warning:</b> {_cell(warning)}</p>" for warning in view.warnings[:10])
    largest = np.argsort(-view.size, kind="stable")[:TABLE_ROWS]
    rows = "".join(
        f"<tr><td>{_cell(name)}</td><td>{int(view.size[row]):,}</td>"
        f"<td>{'' if math.isnan(value := float(view.similarity[row])) else format(value, '.3f')}</td>"
        f"<td>{_cell(start)}</td></tr>"
        for row, name, start in zip(largest.tolist(), view.names(largest), view.starts(largest), strict=True)
    )
    listed = f"<table><tr><th>{view.words.group}</th><th>{view.words.members}</th><th>similarity</th><th>text</th></tr>"
    listed = f"{listed}{rows}</table>" if rows else f"<p>{_cell(view.nothing)}</p>"
    more = f"<p>{len(view) - TABLE_ROWS:,} more; .to_html(path) shows all</p>" if len(view) > TABLE_ROWS else ""
    return (
        f"<div><b>{_cell(view.title)}</b>{warnings}{listed}{more}"
        f"<details><summary>options and numbers</summary><table>{facts}</table></details></div>"
    )


def _cell(value: object) -> str:
    shown = clean(readable(str(value)))
    return html.escape(shown if len(shown) <= CELL_CHARACTERS else shown[: CELL_CHARACTERS - 3] + "...")
