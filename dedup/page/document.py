"""The page as one file: it contains all that it shows, and asks nobody for anything.

The list of groups and their texts are packed islands; the script unpacks a chunk of texts when one of them is opened.
What does not fit into the bounds is left out, and the page says so: groups beyond `clusters`, then texts beyond
`megabytes`. The largest groups come first, then those nearest to the threshold, then a fixed sample of the others.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.page.escaping import as_island, hash_of, packed, readable
from dedup.page.view import Member, Rows, View
from dedup.terminal import clean

__all__ = ["GROUPS_PACKED", "STARTS_SHOWN", "choose", "document", "groups_of", "head_of", "served_page"]

GROUPS_PACKED = 50
"""Groups whose texts are packed together."""

MEMBERS = 50
"""Members of a group whose texts are in the file."""

LONG, AROUND = 20_000, 400
"""Characters. A longer text is cut to what it shares, with so much around it."""

STARTS_SHOWN = 80
"""Characters of the start of a text in the list."""

PER_GROUP = 4
"""Bytes, at most, that say where the texts of a group are."""

STATIC = 200
"""Groups in the table for browsers without JavaScript."""

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<div id="warnings"></div>
<p id="note"></p>
<details id="help"><summary>About this page</summary>
<dl id="facts"></dl>
<p>Keys: j and k next and previous, / search, enter open, ? this help<span id="deciding">, i keep this one instead,
n not a duplicate, s unsure, u undo</span>.</p>
</details>
<details id="pictures"><summary>Histograms</summary><div id="histograms"></div></details>
</header>
<nav aria-label="groups">
<div id="controls">
<input id="search" type="search" placeholder="search names and starts of texts" aria-label="search">
<select id="sort" class="wide" aria-label="order">{orders}</select>
<input id="least" type="number" min="0" max="1" step="0.01" placeholder="least similarity"
 aria-label="least similarity">
<input id="most" type="number" min="0" max="1" step="0.01" placeholder="most similarity" aria-label="most similarity">
<input id="size" type="number" min="0" step="1" placeholder="least size" aria-label="least size">
<select id="reason" aria-label="reason"><option value="">any reason</option></select>
<select id="source" class="wide" aria-label="file"><option value="">all files</option></select>
<button id="export" class="wide" type="button"></button>
<p class="wide"><span id="found" role="status"></span>
<button id="table" class="small" type="button" title="save the list that is shown">list as CSV</button></p>
</div>
<div id="list" role="listbox" tabindex="0"><div id="space"></div></div>
</nav>
<main id="detail"></main>
<noscript>{static}</noscript>
"""

ORDERS = {
    "size": "largest first",
    "near": "nearest to the threshold",
    "least": "least similar first",
    "most": "most similar first",
    "input": "as found",
}


def document(view: View, *, clusters: int, megabytes: float, texts: bool) -> Iterator[str]:
    """Yield the page in parts: a function of the view and of the bounds alone."""
    ranked = choose(view, clusters)
    room = int(megabytes * 1_000_000)
    rows = np.sort(ranked)
    columns = columns_of(view, rows)
    static = _static(columns, view)
    index = packed(columns)
    room -= sum(len(part) for part in (_asset("page.css"), _asset("page.js"), static, index))
    room -= PER_GROUP * len(rows) + 4096
    chunks: list[str] = []
    with_text = 0
    for first in range(0, len(ranked) if texts else 0, GROUPS_PACKED):
        some = ranked[first : first + GROUPS_PACKED]
        groups = list(groups_of(view, some))
        part = packed(groups)
        while len(part) > room and len(groups) > 1:
            groups = groups[: len(groups) // 2]
            part = packed(groups)
        if len(part) > room:
            break
        room -= len(part)
        with_text += len(groups)
        chunks.append(part)
        if len(groups) < len(some):
            break
    place = np.full(len(view), -1, dtype=np.int64)  # of a group among those with a text: its chunk, and its place there
    place[ranked[:with_text]] = np.arange(with_text)
    head = {**head_of(view), "shown": len(rows), "packed": GROUPS_PACKED}
    head["note"] = _note(view, len(rows), len(rows) - with_text, clusters=clusters, megabytes=megabytes, texts=texts)
    yield frame(view.title, _asset("page.js"), static)
    yield f'<script type="application/json" id="head">{as_island(head)}</script>\n'
    yield f'<script type="application/octet-stream" id="index">{index}</script>\n'
    yield f'<script type="application/octet-stream" id="places">{packed(place[rows].tolist())}</script>\n'
    yield f"<script>{_asset('page.js')}</script>\n"  # before the texts: the list is shown while these are read
    for number, part in enumerate(chunks):
        yield f'<script type="application/octet-stream" id="chunk-{number}">{part}</script>\n'
    yield "</body>\n</html>\n"


def served_page(title: str, head: dict[str, Any]) -> tuple[str, str]:
    """Return the page that asks a server for its rows and texts, and its policy as a header."""
    script = _asset("page.js")
    island = f'<script type="application/json" id="head">{as_island(head)}</script>\n'
    page = frame(title, script, "<p>This page needs JavaScript.</p>", served=True)
    return f"{page}{island}<script>{script}</script>\n</body>\n</html>\n", _policy(script, served=True)


def _policy(script: str, *, served: bool) -> str:
    """Return the policy that lets this script and this style run, and nothing else; a served page asks its server."""
    connect = "connect-src 'self'; " if served else ""
    return (
        f"default-src 'none'; script-src '{hash_of(script)}'; style-src '{hash_of(_asset('page.css'))}'; "
        f"img-src data:; {connect}base-uri 'none'; form-action 'none'"
    )


def frame(title: str, script: str, static: str, *, served: bool = False) -> str:
    """Return the page without its data and script."""
    style, policy = _asset("page.css"), _policy(script, served=served)
    orders = "".join(f'<option value="{key}">{text}</option>' for key, text in ORDERS.items())
    shown = html.escape(readable(title))
    return FRAME.format(policy=policy, title=shown, style=style, orders=orders, static=static)


def head_of(view: View) -> dict[str, Any]:
    """Return what the head of the page says, as JSON."""
    return {
        "kind": view.kind,
        "words": view.words._asdict(),
        "facts": [[name, readable(str(value))] for name, value in view.facts],
        "warnings": [readable(clean(warning)) for warning in view.warnings],
        "histograms": [each._asdict() for each in view.histograms],
        "sources": [readable(path) for path in view.sources],
        "threshold": view.threshold,
        "count": len(view),
        "shown": len(view),
        "served": False,
        "numbered": view.kind == "find",
        "decides": view.decides,
        "nothing": view.nothing,
        "without": "The texts of this group are not in this file: allow more megabytes, or use dedup show.",
        "seal": view.seal,
        "note": "",
    }


def choose(view: View, most: int) -> npt.NDArray[np.int64]:
    """Return the groups of a page, at most `most`, the most interesting first.

    A third are the largest, a third are nearest to the threshold, and the rest is a fixed sample.
    """
    everyone = np.arange(len(view), dtype=np.int64)
    largest = everyone[np.argsort(-view.size, kind="stable")]
    away = np.where(np.isnan(view.similarity), np.inf, np.abs(view.similarity - view.threshold))
    nearest = everyone[np.argsort(away, kind="stable")]
    share = -(-most // 3)
    chosen = list(dict.fromkeys([*largest[:share].tolist(), *nearest[:share].tolist()]))[:most]
    if len(chosen) < min(most, len(view)):
        others = np.setdiff1d(everyone, chosen)
        wanted = min(most - len(chosen), len(others))
        picked = others[np.unique(np.linspace(0, len(others) - 1, wanted).astype(np.int64))]
        chosen += picked.tolist()
    return np.array(chosen, dtype=np.int64)


def columns_of(view: View, rows: npt.NDArray[np.int64]) -> dict[str, list[Any]]:
    """Return the columns of the list of groups."""
    return {
        "number": view.number[rows].tolist(),
        "size": view.size[rows].tolist(),
        "similarity": [None if math.isnan(value) else round(value, 6) for value in view.similarity[rows].tolist()],
        "reason": view.reason[rows].tolist(),
        "source": [0] * len(rows) if view.source is None else view.source[rows].tolist(),
        "name": list(map(readable, view.names(rows))),
        "title": list(map(readable, view.starts(rows))),
    }


def groups_of(view: View, rows: Rows) -> Iterator[dict[str, Any]]:
    """Yield some groups with their texts, as JSON."""
    for row, members in zip(rows.tolist(), view.members(rows, MEMBERS), strict=True):
        spans = [span for member in members for span in member.spans]
        main = _member(members[0], [span[:2] for span in spans])
        others = [_member(member, [span[2:] for span in member.spans]) for member in members[1:]]
        yield {"members": [main, *others], "left_out": int(view.size[row]) - len(members) if view.decides else 0}


def _member(member: Member, shared: list[tuple[int, ...]]) -> dict[str, Any]:
    text = readable(member.text)
    found: dict[str, Any] = {
        "id": member.id,
        "name": readable(clean(member.name)),
        "length": len(text),
        "pieces": [[start, text[start:end]] for start, end in pieces(len(text), shared)],
        "similarity": member.similarity,
        "evidence": list(member.evidence),
        "spans": [list(map(int, span)) for span in member.spans],
        "difference": member.difference,
        "differs": member.differs,
    }
    return found if member.kept is None else {**found, "kept": member.kept}


def pieces(length: int, shared: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Return the parts of a text that are shown: all of it, or of a long one its start and the ends of shared spans."""
    if length <= LONG:
        return [(0, length)]
    wanted = [(0, 2 * AROUND)]
    for start, end in sorted(shared):
        if end - start <= 4 * AROUND:
            wanted.append((start - AROUND, end + AROUND))
        else:
            wanted += [(start - AROUND, start + AROUND), (end - AROUND, end + AROUND)]
    merged: list[tuple[int, int]] = []
    taken = 0
    for start, end in sorted((max(0, start), min(length, end)) for start, end in wanted):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
        taken += end - start
        if taken > LONG:
            break
    return merged


def _static(columns: dict[str, list[Any]], view: View) -> str:
    """Return the table for browsers without JavaScript."""
    shown = min(len(columns["name"]), STATIC)
    rows = "".join(
        f"<tr><td>{html.escape(columns['name'][i])}</td><td>{columns['size'][i]}</td>"
        f"<td>{'' if columns['similarity'][i] is None else format(columns['similarity'][i], '.3f')}</td>"
        f"<td>{html.escape(columns['title'][i])}</td></tr>"
        for i in range(shown)
    )
    return (
        f"<p>This page needs JavaScript to show texts. {shown:,} of {len(view):,} groups:</p><table>"
        f"<tr><th>{view.words.group}</th><th>{view.words.members}</th><th>similarity</th><th>text</th></tr>{rows}</table>"
    )


def _note(view: View, shown: int, without: int, *, clusters: int, megabytes: float, texts: bool) -> str:
    """Return what the page leaves out; an empty text if nothing."""
    said = []
    if shown < len(view):
        said.append(f"{shown:,} of {len(view):,} groups are in this file (clusters={clusters:,})")
    if not texts:
        said.append("the texts were left out (texts=False)")
    elif without:
        said.append(f"the texts of {without:,} groups did not fit (megabytes={megabytes:g})")
    return "; ".join(said)


def _asset(name: str) -> str:
    from importlib import resources

    return resources.files("dedup.page").joinpath(name).read_text(encoding="utf-8")
