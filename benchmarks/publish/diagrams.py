"""Diagrams of the flow, from text: ``python -m benchmarks.publish.diagrams``.

Each ``docs/explanation/images/NAME.txt`` gives ``NAME.svg`` beside it. A line of the text is a row of boxes, separated
by bars; what follows a colon is written smaller. The first line, after a sharp, is the title. Every box has an arrow to
each box of the next row if one of the rows has a single box, else to the one below it. The same text gives the same
bytes.
"""

from __future__ import annotations

import argparse
import itertools
from html import escape
from pathlib import Path
from typing import NamedTuple

IMAGES = Path(__file__).parents[2] / "docs" / "explanation" / "images"

TITLE_WIDTH, NOTE_WIDTH = 7.6, 6.2
"""Pixels of a character, of the words of a box and of the note below them."""

PAD, HEIGHT, GAP, DOWN = 16, 50, 24, 34
"""Pixels: at both sides of a text, of a box, between two boxes, between two rows."""


class Box(NamedTuple):
    """A box: its words, the note below them, where it is, and how wide."""

    words: str
    note: str
    left: float
    top: float
    width: float

    @property
    def middle(self) -> float:
        """Where an arrow begins or ends."""
        return self.left + self.width / 2


def rows_of(text: str) -> tuple[str, list[list[tuple[str, str]]]]:
    """Return the title, and the words and the note of each box, row by row."""
    title, *lines = [line for line in text.splitlines() if line.strip()]
    parts = [[box.partition(":") for box in line.split("|")] for line in lines]
    return title.removeprefix("#").strip(), [[(words.strip(), note.strip()) for words, _, note in row] for row in parts]


def placed(rows: list[list[tuple[str, str]]]) -> tuple[list[list[Box]], float, float]:
    """Return the boxes, and the width and height of the picture."""
    widths = [[2 * PAD + max(len(w) * TITLE_WIDTH, len(n) * NOTE_WIDTH) for w, n in row] for row in rows]
    width = max(sum(row) + GAP * (len(row) - 1) for row in widths)
    found: list[list[Box]] = []
    for number, (row, own) in enumerate(zip(rows, widths, strict=True)):
        left = GAP + (width - sum(own) - GAP * (len(own) - 1)) / 2
        found.append([])
        for (words, note), wide in zip(row, own, strict=True):
            found[-1].append(Box(words, note, left, GAP + number * (HEIGHT + DOWN), wide))
            left += wide + GAP
    return found, width + 2 * GAP, 2 * GAP + len(rows) * (HEIGHT + DOWN) - DOWN


def picture(text: str) -> str:
    """Return the SVG of a text."""
    title, rows = rows_of(text)
    boxes, width, height = placed(rows)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img" font-family="system-ui, sans-serif">'
        ),
        f"<title>{escape(title)}</title>",
        (
            '<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto">'
            '<path d="M0 0L10 5L0 10z" fill="#5c6b7a"/></marker></defs>'
        ),
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#ffffff"/>',
    ]
    for above, below in itertools.pairwise(boxes):
        for one, start in enumerate(above):
            for other, end in enumerate(below):
                if 1 in {len(above), len(below)} or one == other:
                    lines.append(
                        f'<line x1="{start.middle:.1f}" y1="{start.top + HEIGHT}" x2="{end.middle:.1f}" '
                        f'y2="{end.top - 2}" stroke="#5c6b7a" stroke-width="1.4" marker-end="url(#end)"/>'
                    )
    for row in boxes:
        for box in row:
            lines.append(
                f'<rect x="{box.left:.1f}" y="{box.top}" width="{box.width:.1f}" height="{HEIGHT}" rx="6" '
                'fill="#eef4fb" stroke="#3b6ea5"/>'
            )
            at = box.top + (21 if box.note else 30)
            lines.append(
                f'<text x="{box.middle:.1f}" y="{at}" text-anchor="middle" font-size="14" fill="#14273a">'
                f"{escape(box.words)}</text>"
            )
            if box.note:
                lines.append(
                    f'<text x="{box.middle:.1f}" y="{box.top + 39}" text-anchor="middle" font-size="11.5" '
                    f'fill="#44566a">{escape(box.note)}</text>'
                )
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Draw all."""
    argparse.ArgumentParser(prog="python -m benchmarks.publish.diagrams", description=__doc__).parse_args()
    for source in sorted(IMAGES.glob("*.txt")):
        drawn = source.with_suffix(".svg")
        drawn.write_text(picture(source.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {drawn}")


if __name__ == "__main__":
    main()
