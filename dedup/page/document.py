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

from dedup.page.escaping import as_island, hash_of, packed, packed_bytes, readable
from dedup.page.listing import ROWS_PACKED, Listing, largest_first, reasons_of
from dedup.page.view import Member, Rows, View
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.threads import map_blocks, thread_count
from dedup.terminal import clean

__all__ = ["GROUPS_PACKED", "STARTS_SHOWN", "choose", "document", "groups_of", "head_of", "served_page"]

GROUPS_PACKED = 50
"""Groups whose texts are packed together."""

MEMBERS = 50
"""Members of a group whose texts are in the file."""

LONG, AROUND = 20_000, 400
"""Characters. A longer text in a file is cut to what it shares, with so much around it."""

STARTS_SHOWN = 80
"""Characters of the start of a text in the list."""

PER_GROUP, PER_PART = 6, 60
"""Bytes, at most, that say where the texts of a group are, and that stand around packed data."""

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
    listing = Listing.of(view, rows)
    numbers, names = listing.numbers(), listing.blocks()
    static = _static(listing)
    room -= sum(len(part) for part in (_asset("page.css"), _asset("page.js"), static, numbers, *names))
    room -= PER_GROUP * len(rows) + PER_PART * (len(names) + len(ranked) // GROUPS_PACKED) + 4096
    room -= len(as_island(listing.first(rows)))
    chunks: list[str] = []
    with_text = 0
    parts = [ranked[first : first + GROUPS_PACKED] for first in range(0, len(ranked) if texts else 0, GROUPS_PACKED)]
    made = (list(groups_of(view, some)) for some in parts)  # in this thread, while another one packs
    for groups, packed_groups in map_blocks(_with_packed, made, min(thread_count(None), 2), ahead=1):
        some, part = groups, packed_groups
        while len(part) > room and len(some) > 1:
            some = some[: len(some) // 2]
            part = packed(some)
        if len(part) > room:
            break
        room -= len(part)
        with_text += len(some)
        chunks.append(part)
        if len(some) < len(groups):
            break
    place = np.full(len(view), -1, dtype=np.int64)  # of a group among those with a text: its chunk, and its place there
    place[ranked[:with_text]] = np.arange(with_text)
    places = place[rows]
    head = {**head_of(view), "shown": len(rows), "packed": GROUPS_PACKED, "block": ROWS_PACKED}
    head["note"] = _note(view, len(rows), len(rows) - with_text, clusters=clusters, megabytes=megabytes, texts=texts)
    yield frame(view.title, _asset("page.js"), static)
    yield _island("head", as_island(head), "json")
    yield _island("first", as_island(listing.first(places)), "json")
    yield f"<script>{_asset('page.js')}</script>\n"  # it shows the first rows, while the browser reads on
    islands = {"numbers": numbers, "places": packed_bytes(places.astype("<i4").tobytes())}
    islands |= {f"names-{number}": part for number, part in enumerate(names)}
    islands |= {f"chunk-{number}": part for number, part in enumerate(chunks)}
    for name, part in islands.items():
        yield _island(name, part, "octet-stream")
    yield "</body>\n</html>\n"


def _with_packed(groups: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    return groups, packed(groups)


def _island(name: str, content: str, kind: str) -> str:
    return f'<script type="application/{kind}" id="{name}">{content}</script>\n'


def served_page(title: str, head: dict[str, Any], first: list[dict[str, Any]]) -> tuple[str, str]:
    """Return the page that asks a server for all but its first rows, and its policy as a header."""
    script = _asset("page.js")
    islands = _island("head", as_island(head), "json") + _island("first", as_island(first), "json")
    page = frame(title, script, "<p>This page needs JavaScript.</p>", served=True)
    return f"{page}{islands}<script>{script}</script>\n</body>\n</html>\n", _policy(script, served=True)


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
        "reasons": reasons_of(view),
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

    A third are the largest and a third are nearest to the threshold, in turns; the rest is a fixed sample.
    """
    everyone = np.arange(len(view), dtype=np.int64)
    away = np.where(np.isnan(view.similarity), np.inf, np.abs(view.similarity - view.threshold))
    share = -(-most // 3)
    largest, nearest = largest_first(view, everyone)[:share], np.argsort(away, kind="stable")[:share]
    both = np.column_stack((largest, nearest)).ravel()
    chosen = both[np.sort(np.unique(both, return_index=True)[1])][:most]
    others = np.setdiff1d(everyone, chosen, assume_unique=True)
    wanted = min(most - len(chosen), len(others))
    picked = others[sorted_unique(np.linspace(0, len(others) - 1, wanted).astype(np.int64))] if wanted else others[:0]
    return np.concatenate((chosen, picked))


def groups_of(view: View, rows: Rows, longest: int = LONG) -> Iterator[dict[str, Any]]:
    """Yield some groups with their texts, as JSON; texts of more than `longest` characters are cut."""
    for row, members in zip(rows.tolist(), view.members(rows, MEMBERS), strict=True):
        spans = [span for member in members for span in member.spans]
        main = _member(members[0], [span[:2] for span in spans], longest)
        others = [_member(member, [span[2:] for span in member.spans], longest) for member in members[1:]]
        yield {"members": [main, *others], "left_out": int(view.size[row]) - len(members) if view.decides else 0}


def _member(member: Member, shared: list[tuple[int, ...]], longest: int) -> dict[str, Any]:
    text = readable(member.text)
    found: dict[str, Any] = {
        "id": member.id,
        "name": readable(clean(member.name)),
        "length": len(text),
        "pieces": [[start, text[start:end]] for start, end in pieces(len(text), shared, longest)],
        "similarity": member.similarity,
        "evidence": list(member.evidence),
        "spans": [list(map(int, span)) for span in member.spans],
        "difference": member.difference,
        "differs": member.differs,
    }
    return found if member.kept is None else {**found, "kept": member.kept}


def pieces(length: int, shared: list[tuple[int, ...]], longest: int = LONG) -> list[tuple[int, int]]:
    """Return the parts of a text that are shown: all of it, or of a long one its start and the ends of shared spans."""
    if length <= longest:
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
        if taken > longest:
            break
    return merged


def _static(listing: Listing) -> str:
    """Return the table for browsers without JavaScript."""
    view = listing.view
    shown = min(len(listing.rows), STATIC)
    rows = "".join(
        f"<tr><td>{html.escape(listing.names[i])}</td><td>{int(view.size[row])}</td>"
        f"<td>{'' if math.isnan(value := float(view.similarity[row])) else format(value, '.3f')}</td>"
        f"<td>{html.escape(listing.starts[i])}</td></tr>"
        for i, row in enumerate(listing.rows[:shown].tolist())
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
