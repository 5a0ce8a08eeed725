"""The page in a browser: how long it is written, how long a reader waits, and what memory it takes.

    python -m benchmarks.speed.bench_page file --clusters 100000      # one file, written by to_html
    python -m benchmarks.speed.bench_page served --clusters 1000000   # from `dedup show`

A cluster is two generated texts of which one has another word in the middle; their length is `--words` words. The
targets are those that are printed beside the figures.

    written     seconds of `to_html(clusters=N)`, of the clock and of the processor
    answered    seconds from the start of `dedup show` to the address
    listed      seconds from the address to the first list on the screen, of the clock; and seconds of the processor
                that the process of the page has taken until then, its start included
    titled      seconds from the start of `dedup show` until the starts of all texts can be searched
    searched    milliseconds from a letter in the search to the changed list, the longest of a few searches
    ordered     the same for another order
    opened      the same for a cluster, until both texts are seen
    browser     megabytes of the process that shows the page: what it holds at the end, and the most it held
    server      the same for `dedup show`

It needs Chromium (``CHROMIUM`` names it) and the package playwright. Times are of the clock, if nothing else is said; a
busy machine makes them longer.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from benchmarks import needs

WORDS = 40_000
"""Words of the vocabulary."""

TARGETS = {
    "file": {"written_s": 10.0, "listed_s": 1.0, "searched_ms": 100.0, "browser_mb": 300.0},
    "served": {"listed_s": 1.0},
}

CHANGED = """async ([id, value, event, seen]) => {
  const start = performance.now();
  const changed = new Promise((done) => new MutationObserver((_, observer) => {
    if (!document.querySelector(seen)) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  }).observe(document.body, { childList: true, subtree: true }));
  const node = document.querySelector(id);
  if (event === "click") node.click();
  else { node.value = value; node.dispatchEvent(new Event(event)); }
  return changed;
}"""
"""Changes something on the page; returns the milliseconds until the change is on the screen."""


def pairs(clusters: int, words: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Yield the two texts of each cluster."""
    draw = np.random.default_rng(seed)
    letters = np.array(list("abcdefghiklmnoprstuvw"))
    known = np.array(["".join(letters[draw.integers(0, 21, draw.integers(2, 11))]) for _ in range(WORDS)])
    for first in range(0, clusters, 1000):
        some = known[draw.integers(0, WORDS, (min(1000, clusters - first), words))]
        for number, text in enumerate(some.tolist(), first):
            text[0] = f"Notice{number}"
            other = [*text]
            other[words // 2] = "changed"
            yield " ".join(text), " ".join(other)


def memory_of(process: int) -> tuple[float, float]:
    """Return the megabytes that a process holds (shared ones in parts), and the most that were resident."""
    held = re.search(r"^Pss: +(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii"), re.MULTILINE)
    most = re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text(encoding="utf-8"), re.MULTILINE)
    assert held
    assert most
    return round(int(held[1]) / 1000, 1), round(int(most[1]) / 1000, 1)


def looked_at(address: str, started: float | None = None) -> dict[str, Any]:
    """Open a page in the browser and use it; `started` is when the server was started."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("expected Chromium, found none: name it in CHROMIUM")
    row: dict[str, Any] = {}
    with needs.package("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto("about:blank")
        clock = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(".row .title", timeout=120_000)
        row["listed_s"] = round(time.perf_counter() - clock, 2)
        session = browser.new_browser_cdp_session()
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        row["listed_cpu_s"] = round(max(each["cpuTime"] for each in found if each["type"] == "renderer"), 2)
        page.wait_for_selector(".sides", timeout=120_000)
        row["both_texts_s"] = round(time.perf_counter() - clock, 2)
        if started is not None:
            page.wait_for_selector("body[data-read=all]", timeout=1_200_000)
            row["titled_s"] = round(time.perf_counter() - started, 1)
        known = page.locator(".row .title").nth(3).inner_text()
        searches = ["e", "no", "notice1", "notice77 ", known[:30], "no text has this", ""]
        times = [page.evaluate(CHANGED, ["#search", each, "input", "#space"]) for each in searches]
        row["searched_ms"] = round(max(times), 1)
        row["searches_ms"] = [round(each, 1) for each in times]
        orders = ("near", "least", "most", "input", "size")
        row["ordered_ms"] = round(max(page.evaluate(CHANGED, ["#sort", by, "change", "#space"]) for by in orders), 1)
        page.wait_for_timeout(200)
        page.evaluate("document.querySelector('#list').scrollTop = 1e9")
        page.wait_for_timeout(500)
        row["last"] = page.locator(".row .title").last.inner_text()[:20]
        page.evaluate("document.querySelector('#detail').replaceChildren()")
        row["opened_ms"] = round(page.evaluate(CHANGED, [".row:last-child", "", "click", "#detail > *"]), 1)
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        sizes = [memory_of(each["id"]) for each in found if each["type"] == "renderer"]
        row["browser_mb"], row["browser_most_mb"] = max(sizes)
        browser.close()
    return row


def of_file(clusters: int, words: int, megabytes: float) -> dict[str, Any]:
    """Measure one file."""
    texts = [text for pair in pairs(clusters, words) for text in pair]
    result = dedup.find_duplicates(texts, threshold=0.5, progress=False)
    assert len(result.summary.to_dict()) > 0  # what `print(result)` computes: it is not a part of the page
    assert len(result) == clusters
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        clock, cpu = time.perf_counter(), time.process_time()
        result.to_html(path, clusters=clusters, megabytes=megabytes)
        row = {
            "written_s": round(time.perf_counter() - clock, 2),
            "written_cpu_s": round(time.process_time() - cpu, 2),
            "file_mb": round(path.stat().st_size / 1e6, 1),
        }
        return row | looked_at(path.as_uri())


def of_server(clusters: int, words: int, folder: Path) -> dict[str, Any]:
    """Measure the page of a report, which is kept in a folder for the next measurement."""
    if not (folder / "report").exists():
        with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
            for pair in pairs(clusters, words):
                file.writelines(f'{{"text": "{text}"}}\n' for text in pair)
        result = dedup.find_duplicates(dedup.files(folder / "texts.jsonl"), threshold=0.5, progress=False)
        assert len(result) == clusters
        dedup.write_report(folder / "report", result)
    clock = time.perf_counter()
    command = [sys.executable, "-m", "dedup", "show", str(folder / "report"), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        address = server.stdout.readline().strip()
        row: dict[str, Any] = {"answered_s": round(time.perf_counter() - clock, 2)}
        try:
            row |= looked_at(address, clock)
            row["server_mb"], row["server_most_mb"] = memory_of(server.pid)
        finally:
            server.terminate()
    return row


def main() -> None:
    """Measure, and print one JSON line with the targets that were missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.bench_page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=list(TARGETS))
    parser.add_argument("--clusters", type=int, default=100_000)
    parser.add_argument("--words", type=int, help="per text (default: 300 for the file, 40 for the server)")
    parser.add_argument("--megabytes", type=float, default=25, help="bound of the file")
    parser.add_argument("--folder", type=Path, help="where the report is kept (default: a temporary folder)")
    chosen = parser.parse_args()
    row: dict[str, Any] = {"what": chosen.what, "clusters": chosen.clusters}
    if chosen.what == "file":
        row |= of_file(chosen.clusters, chosen.words or 300, chosen.megabytes)
    elif chosen.folder is not None:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        row |= of_server(chosen.clusters, chosen.words or 40, chosen.folder)
    else:
        with tempfile.TemporaryDirectory() as name:
            row |= of_server(chosen.clusters, chosen.words or 40, Path(name))
    row["missed"] = {name: most for name, most in TARGETS[chosen.what].items() if row[name] > most}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
