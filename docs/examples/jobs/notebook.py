"""A notebook: a search, the table that it shows, and a page to keep. The page: how-to/look-at-what-was-found.md."""

from pathlib import Path

import dedup

texts = ["The swing bridge at Quillmouth is closed.", "the swing bridge at quillmouth is closed!", "A market."]
result = dedup.find_duplicates(texts)
shown = result._repr_html_()  # what a notebook calls
assert "<table" in shown
result.to_html("page.html")
assert "Quillmouth" in Path("page.html").read_text(encoding="utf-8")
assert result.filter(texts) == [texts[0], texts[2]]
