"""The picture of the page in the documents: the report of the examples, as Chromium shows it.

    python -m benchmarks.publish.screenshot

It writes docs/explanation/images/page.png, of 256 colours. It needs Chromium (``CHROMIUM`` names it) and the packages
playwright and pillow.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
from pathlib import Path

import dedup
from benchmarks import needs

PATH = Path("docs/explanation/images/page.png")
EXAMPLES = Path("docs/examples/notices.jsonl")


def picture(address: str) -> bytes:
    """Return the page of an address as a PNG."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("expected Chromium, found none: name it in CHROMIUM")
    with needs.package("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1120, "height": 600})
        page.goto(address)
        page.wait_for_selector(".sides")
        page.click('button:text("keep this one instead")')
        page.mouse.move(0, 0)
        taken: bytes = page.screenshot()
        browser.close()
    return taken


def main() -> None:
    """Search the examples, open the page of the report, and write the picture."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.publish.screenshot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    image = needs.package("PIL.Image")
    found = dedup.find_duplicates(dedup.files(EXAMPLES, id="id"), progress=False)
    with tempfile.TemporaryDirectory() as folder:
        dedup.write_report(Path(folder, "report"), found)
        page = Path(folder, "page.html")
        dedup.Report.open(Path(folder, "report")).to_html(page)
        taken = picture(page.as_uri())
    image.open(io.BytesIO(taken)).convert("RGB").quantize(256).save(PATH, optimize=True)
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
