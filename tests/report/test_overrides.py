"""Decisions of a person: obeyed by `dedup apply`, checked against the report, and never in part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.errors import InputError
from dedup.report.apply import Applied, apply_report
from dedup.report.overrides import Overrides
from dedup.report.read import Report
from tests import corpora

BODY = corpora.body(seed=5, size=6)


def report_of(folder: Path, **options: Any) -> Report:
    """Search three files of copies, near copies and single texts, and write the report."""
    folder.mkdir()
    texts = [f"{text} {edition}" for text in BODY for edition in ("", "first edition", "second")]
    for name, some in (("a", texts[:7]), ("b", texts[7:12]), ("c", texts[12:])):
        lines = [json.dumps({"text": text, "key": f"{name}{i}"}) for i, text in enumerate(some)]
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    found = dedup.find_duplicates(dedup.files(folder), threshold=0.5, **options)
    dedup.write_report(folder / "report", found)
    return Report.open(folder / "report")


def written(folder: Path) -> list[str]:
    """Return the texts of all files, in order."""
    return [json.loads(line)["text"] for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def lines_of(path: Path, *lines: dict[str, Any]) -> Path:
    """Write overrides."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_overrides_are_obeyed(tmp_path: Path) -> None:
    """A text is kept that the report removes, and the other way round; the numbers say what changed."""
    report = report_of(tmp_path / "in")
    before = apply_report(report, tmp_path / "before")
    members = report.clusters.to_pylist()
    cluster = members[0]["cluster"]
    kept, other, third = (row["id"] for row in members if row["cluster"] == cluster)
    path = lines_of(
        tmp_path / "overrides.jsonl",
        {"cluster": cluster, "id": kept, "verdict": "remove", "note": "older", "report": report.seal},
        {"cluster": cluster, "id": other, "verdict": "keep", "report": report.seal},
        {"cluster": cluster, "id": third, "verdict": "unsure"},
    )
    after = apply_report(report, tmp_path / "after", overrides=path)
    assert (2, 1) == (after.also_kept, after.also_removed)
    assert (before.kept + 1, before.removed - 1) == (after.kept, after.removed)
    assert "by overrides 2 more kept and 1 more removed" in str(after)
    assert "overrides" not in str(before)
    lost = set(written(tmp_path / "before")) - set(written(tmp_path / "after"))
    won = set(written(tmp_path / "after")) - set(written(tmp_path / "before"))
    assert (1, 2) == (len(lost), len(won))


def test_annotations_obey_too(tmp_path: Path) -> None:
    """The field dedup_kept says what was decided."""
    report = report_of(tmp_path / "in")
    removed = next(row for row in report.clusters.to_pylist() if not row["kept"])
    path = lines_of(tmp_path / "o.jsonl", {"cluster": removed["cluster"], "id": removed["id"], "verdict": "keep"})
    apply_report(report, tmp_path / "out", annotate=True, overrides=path)
    name, _, number = removed["id"].rpartition(":")
    line = (tmp_path / "out" / Path(name).name).read_text().splitlines()[int(number) - 1]
    assert json.loads(line)["dedup_kept"] is True


def test_paragraphs(tmp_path: Path) -> None:
    """An id of a paragraph is its document and its number."""
    folder = tmp_path / "in"
    folder.mkdir()
    texts = [f"{BODY[0]}\n\nalone {i} in the collection, and so are these words" for i in range(3)]
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    dedup.write_report(folder / "report", dedup.find_duplicates(dedup.files(folder), unit="paragraph", threshold=1.0))
    report = Report.open(folder / "report")
    (row, *_) = [row for row in report.clusters.to_pylist() if not row["kept"]]
    name = {"document": row["id"], "paragraph": row["paragraph"]}
    path = lines_of(tmp_path / "o.jsonl", {"cluster": row["cluster"], "id": name, "verdict": "keep"})
    done = apply_report(report, tmp_path / "out", overrides=path)
    assert (1, 0) == (done.also_kept, done.also_removed)
    assert 2 == sum(BODY[0] in text for text in written(tmp_path / "out"))


def test_user_ids_that_are_numbers(tmp_path: Path) -> None:
    """A number is not its text."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": BODY[0], "key": i}) + "\n" for i in (7, 8)))
    dedup.write_report(folder / "report", dedup.find_duplicates(dedup.files(folder, id="key")))
    report = Report.open(folder / "report")
    path = lines_of(tmp_path / "o.jsonl", {"cluster": 0, "id": 8, "verdict": "keep"})
    assert 2 == apply_report(report, tmp_path / "out", overrides=path).kept
    with pytest.raises(InputError, match="expected a member of cluster 0"):
        apply_report(report, tmp_path / "no", overrides=lines_of(path, {"cluster": 0, "id": "8", "verdict": "keep"}))


BAD: dict[str, tuple[Any, str]] = {
    "no json": ("{", "expected a JSON object"),
    "no object": ("[1]", "expected an object with cluster, id and verdict"),
    "no verdict": ({"cluster": 0, "id": "x"}, "expected an object with cluster, id and verdict"),
    "another verdict": (
        {"cluster": 0, "id": "x", "verdict": "delete"},
        "verdict: expected 'keep', 'remove' or 'unsure'",
    ),
    "a list": ({"cluster": 0, "id": "x", "verdict": ["keep"]}, "verdict: expected"),
    "no number": ({"cluster": "0", "id": "x", "verdict": "keep"}, "cluster: expected a whole number"),
    "a flag": ({"cluster": True, "id": "x", "verdict": "keep"}, "cluster: expected a whole number"),
    "another report": ({"cluster": 0, "id": "x", "verdict": "keep", "report": "f" * 32}, "about another search"),
    "no member": ({"cluster": 0, "id": "x", "verdict": "keep"}, "expected a member of cluster 0"),
    "no cluster": ({"cluster": 10**9, "id": "x", "verdict": "keep"}, "expected a member of cluster 1000000000"),
    "below": ({"cluster": -1, "id": "x", "verdict": "keep"}, "expected a member of cluster -1"),
    "a list of ids": ({"cluster": 0, "id": ["x"], "verdict": "keep"}, "expected a member of cluster 0"),
    "deep": ("[" * 100_000, "expected a JSON object"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lines(case: str, tmp_path: Path) -> None:
    """Each is named by its line, and nothing is written."""
    report = report_of(tmp_path / "in")
    line, says = BAD[case]
    path = tmp_path / "overrides.jsonl"
    path.write_text("\n" + (line if isinstance(line, str) else json.dumps(line)) + "\n")
    with pytest.raises(InputError, match=rf"overrides.jsonl:2: .*{says}"):
        apply_report(report, tmp_path / "out", overrides=path)
    assert not (tmp_path / "out").exists()


def test_contradictions_and_lost_clusters(tmp_path: Path) -> None:
    """Two verdicts about one text, or a cluster of which nothing is left, are errors."""
    report = report_of(tmp_path / "in")
    kept = next(row for row in report.clusters.to_pylist() if row["kept"])
    line = {"cluster": kept["cluster"], "id": kept["id"]}
    path = lines_of(tmp_path / "o.jsonl", {**line, "verdict": "keep"}, {**line, "verdict": "remove"})
    with pytest.raises(InputError, match="expected one verdict"):
        Overrides(path, report)
    with pytest.raises(InputError, match="all are removed; keep one of them"):
        apply_report(report, tmp_path / "out", overrides=lines_of(path, {**line, "verdict": "remove"}))
    assert isinstance(apply_report(report, tmp_path / "out", overrides=lines_of(path)), Applied)


def test_no_file_and_another_kind(tmp_path: Path) -> None:
    """A file that is not there, that is no text, and a report of a match."""
    report = report_of(tmp_path / "in")
    for name, data in (("none", None), ("bytes", b"\xff\xfe\x00")):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match="expected a file of overrides"):
            Overrides(tmp_path / name, report)
    with pytest.raises(InputError, match="expected 268,435,456 bytes of overrides at most, found more"):
        Overrides("/dev/zero", report)
    matched = dedup.match(
        dedup.files(tmp_path / "in" / "a.jsonl"), dedup.files(tmp_path / "in" / "b.jsonl"), min_words=None
    )
    dedup.write_report(tmp_path / "match", matched)
    with pytest.raises(InputError, match="expected decisions about a report of find"):
        Overrides(lines_of(tmp_path / "o.jsonl"), Report.open(tmp_path / "match"))
