"""The scripts of the benchmarks, as they are called: each has help, and says what it needs and does not find."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

needs = pytest.importorskip("benchmarks.needs")

ROOT = Path(needs.__file__).parent
SCRIPTS = sorted(
    f"benchmarks.{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}"
    for path in ROOT.rglob("*.py")
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
)

WITHOUT_DATA = [
    "benchmarks.corpora.named ota_dev",
    "benchmarks.quality.quality_noise",
    "benchmarks.quality.quality_passages planted",
    "benchmarks.quality.quality_passages verses",
    "benchmarks.quality.quality_plagdet ota_dev",
    "benchmarks.quality.quality_scripts",
    "benchmarks.speed.bench_repeats one --corpus civil_codes_dev",
    "benchmarks.speed.bench_repeats one --corpus ota_dev",
    "benchmarks.speed.ceiling ota_dev",
    "benchmarks.tuning.seen_twice_twice_slots --corpus ota_dev",
]
"""Commands that read the real data."""

MISTAKES = {
    "benchmarks.corpora.named no_such_set": "corpus: expected .* found 'no_such_set'",
    "benchmarks.corpora.named generated:many": "corpus: expected .* found 'generated:many'",
    "benchmarks.speed.bench_repeats one --corpus generated": "corpus: expected .* found 'generated'",
}
"""Commands that ask for what is not there, and what they end with."""


def ended(command: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a command in this process; return what it ends with: a status or a message."""
    script, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.delitem(sys.modules, script, raising=False)  # else runpy warns
    with pytest.raises(SystemExit) as end:
        runpy.run_module(script, run_name="__main__")
    return end.value.code


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_help(script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how it is called, and does nothing."""
    if script == "benchmarks.publish.page":
        pytest.importorskip("matplotlib")
    assert 0 == ended(f"{script} --help", monkeypatch)
    assert capsys.readouterr().out.startswith("usage: python -m benchmarks.")


@pytest.mark.parametrize("command", WITHOUT_DATA)
def test_a_script_asks_for_the_data(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the variable is not set or leads elsewhere."""
    monkeypatch.setenv("DEDUP_BENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("DEDUP_DATA", raising=False)
    assert re.search("needs the environment variable DEDUP_DATA", str(ended(command, monkeypatch)))
    monkeypatch.setenv("DEDUP_DATA", str(tmp_path))
    assert re.search("expected .* in the folder that DEDUP_DATA names", str(ended(command, monkeypatch)))


@pytest.mark.parametrize("command", MISTAKES)
def test_a_script_says_what_it_expected(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name of a corpus ends with a message."""
    monkeypatch.setenv("DEDUP_BENCH_CACHE", str(tmp_path))
    assert re.search(MISTAKES[command], str(ended(command, monkeypatch)))


def test_sets_that_are_not_there_are_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script of several corpora measures the others."""
    bench = pytest.importorskip("benchmarks.speed.bench_repeats")
    monkeypatch.delenv("DEDUP_DATA", raising=False)
    monkeypatch.setattr(bench, "in_child", lambda *arguments: {"arguments": arguments})
    monkeypatch.setattr(sys, "argv", ["bench_repeats", "against", "--tool", "dedup"])
    bench.main()
    out, err = capsys.readouterr()
    assert ["generated:30000"] == [json.loads(line)["arguments"][3] for line in out.splitlines()]
    assert 2 == err.count("skipped: ")


def test_one_place_reads_the_variable() -> None:
    """All scripts ask `benchmarks.needs`, so all of them say the same."""
    users = {
        path.name
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == "DEDUP_DATA"
    }
    assert {"needs.py"} == users


def test_chained_seeds_find_an_edited_passage() -> None:
    """The rival of passages joins seeds across an edit on both sides, keeps sources apart, and drops short chains."""
    from benchmarks.quality.quality_plagdet import by_seeds

    words = [f"word{i}" for i in range(60)]
    source, other = " ".join(words), " ".join(f"other{i}" for i in range(60))
    edited = [*words[:30], "changed", *words[31:]]
    page = " ".join(["before", *edited, "after", *other.split(" ")[:20]])
    (found,) = by_seeds([other, source], [page], 0.8, size=3, gap=5, least=40)
    assert (0, 1) == (found.page, found.source)
    assert " ".join(edited) == page[found.start : found.end]
    assert (0, len(source)) == (found.source_start, found.source_end)
    assert 3 == len(by_seeds([other, source], [page], 0.8, size=3, gap=0, least=20))


@pytest.mark.parametrize("rival", ("by_distance", "by_matching", "by_datasketch", "by_gaoya"))
def test_rivals_find_copies_at_their_best_threshold(rival: str) -> None:
    """Each rival of the suggestions finds all copies and nothing else, where nothing else is alike."""
    pytest.importorskip({"by_distance": "rapidfuzz", "by_matching": "difflib"}.get(rival, rival.removeprefix("by_")))
    from benchmarks.quality import quality_suggest

    texts, groups = [], []
    for number in range(30):
        words = [f"word{number * 7919 + place * 104729}" for place in range(8)]
        texts += [" ".join(words), " ".join([*words[:7], "changed"])]
        groups += [number, number]
    given = () if rival in ("by_distance", "by_matching") else ("words:1", 0.7)
    found, threshold = getattr(quality_suggest, rival)(texts, np.array(groups), *given)
    assert found >= (0.95 if given else 1.0)  # sketches estimate
    assert 0 <= threshold < 1
