"""The page is a function of the result: its data, and the page without it, are what they were before.

``tests/golden/page.json`` holds digests. Where they fail on purpose, look at the page, and then

    python -m tests.page.test_golden_page
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.page import test_document

PATH = Path(__file__).parents[1] / "golden" / "page.json"


def digests_of(kind: str, folder: Path) -> dict[str, str]:
    """Write the page of a result; give the digests of its data, and of all else."""
    page = test_document.page_of(test_document.RESULTS[kind](), folder)
    data: list[Any] = [test_document.island(page, "head"), test_document.columns(page), test_document.chunks(page)]
    frame = re.sub(
        r'<script type="[^"]*" id="[^"]*">.*?</script>\n|<noscript>.*?</noscript>', "", page, flags=re.DOTALL
    )
    frame = re.sub("(<title>|<h1>).*", "", frame)
    found = {"data": json.dumps(data, sort_keys=True), "frame": frame}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in found.items()}


def generate() -> dict[str, Any]:
    """Make the file's content."""
    with tempfile.TemporaryDirectory() as folder:
        return {kind: digests_of(kind, Path(folder)) for kind in test_document.RESULTS}


@pytest.mark.parametrize("kind", test_document.RESULTS)
def test_the_page_is_what_it_was(kind: str, tmp_path: Path) -> None:
    """Its data first: if the frame alone differs, it is the looks."""
    golden = json.loads(PATH.read_text(encoding="ascii"))
    assert golden[kind] == digests_of(kind, tmp_path)


def test_there_is_one_frame() -> None:
    """All pages are the same but for their data."""
    golden = json.loads(PATH.read_text(encoding="ascii"))
    assert set(test_document.RESULTS) == set(golden)
    assert 1 == len({each["frame"] for each in golden.values()})


if __name__ == "__main__":
    PATH.write_text(json.dumps(generate(), indent=1) + "\n", encoding="ascii")
