"""The report of a search of files: what it says, its bytes, and that it is whole or not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError, StorageError
from dedup.report import read, write
from dedup.report.read import Report
from dedup.report.write import write_run_report
from dedup.sources.texts import BlockLimits
from dedup.storage import folders
from tests import corpora, corpus_files, strategies

OPTIONS: list[dict[str, Any]] = [
    {},
    {"unit": "paragraph", "threshold": 0.6},
    {"unit": "line", "threshold": 0.6},
    {"metric": "containment", "threshold": 0.7},
    {"method": "lsh", "threshold": 0.7},
]


def three_files(folder: Path) -> corpus_files.Corpus:
    """Give families, articles and empty texts in three files."""
    texts = corpora.families(count=6, size=5)
    articles = [corpora.doubled_article(seed).text for seed in (1, 2)]
    return corpus_files.json_lines(folder, [[*texts[:17], None], [*articles, "", texts[3]], texts[17:]])


def written(folder: Path, corpus: corpus_files.Corpus, **options: Any) -> Report:
    """Search a corpus and write the report."""
    write_run_report(folder, dedup.find_duplicates(corpus.texts, **options), listing=corpus.listing)
    return Report.open(folder)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Give the bytes of all files but the one that may differ."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "run.json"}


@pytest.mark.parametrize("options", OPTIONS)
def test_the_report_says_what_the_result_says(options: dict[str, Any], tmp_path: Path) -> None:
    """The tables on disk are those of the result, and the summary is its summary."""
    corpus = three_files(tmp_path / "in")
    result = dedup.find_duplicates(corpus.texts, **options)
    found = written(tmp_path / "out", corpus, **options)
    assert result.pairs.num_rows > 5
    assert found.pairs.to_pylist() == result.pairs.to_pylist()
    assert found.clusters.to_pylist() == result.clusters.to_pylist()
    assert found.pairs.schema.equals(result.pairs.schema)
    assert found.clusters.schema.equals(result.clusters.schema)
    assert found.summary == json.loads(json.dumps(result.summary.to_dict()))
    assert found.kind == "find"
    assert found.options["unit"] == options.get("unit", "document")
    assert [18, 4, 13] == [each.records for each in found.inputs]
    assert [each.path for each in corpus.listing] == [each.path for each in found.inputs]
    assert [each.mtime_ns for each in corpus.listing] == [each.mtime_ns for each in found.inputs]


@given(strategies.corpora(), st.integers(1, 4), st.sampled_from(["document", "paragraph", "line"]))
def test_decisions_are_the_clusters_by_record(texts: list[str], cut: int, unit: str) -> None:
    """In input order, each member once, exactly one kept in each cluster, and as the clusters say."""
    n = len(texts)
    files = [min(row // cut, 3) for row in range(n)]
    records = [row + 1 - files.index(files[row]) for row in range(n)]
    located = corpus_files.FileTexts(texts, [f"f{i}" for i in range(4)], files, records)
    result = dedup.find_duplicates(located, unit=unit, threshold=0.5, shingle="words:2")
    rows = result._evidence.decision_rows().to_pylist()
    places = [(row["file"], row["record"], row.get(unit)) for row in rows]
    assert sorted(set(places)) == places
    kept = [row["cluster"] for row in rows if row["kept"]]
    assert sorted(kept) == list(range(len({row["cluster"] for row in rows})))
    named = {(f"f{row['file']}:{row['record']}", row.get(unit)): row for row in rows}
    clusters = result.clusters.to_pylist()
    assert len(named) == len(clusters)
    for row in clusters:
        mine = named[row["id"], row.get(unit)]
        assert {key: row[key] for key in row if key in mine} == {key: mine[key] for key in mine if key in row}


@pytest.mark.parametrize("options", OPTIONS)
def test_the_same_bytes_however_it_was_made(options: dict[str, Any], tmp_path: Path) -> None:
    """Threads, blocks and a second run change no byte of any file but run.json."""
    corpus = three_files(tmp_path / "in")
    written(tmp_path / "one", corpus, threads=1, **options)
    written(tmp_path / "two", corpus, threads=2, **options)
    corpus.texts.limits = BlockLimits(size=700)
    assert len(list(corpus.texts.blocks())) > 1
    written(tmp_path / "small", corpus, threads=8, **options)
    written(tmp_path / "bounded", corpus, threads=1, memory="50MB", **options)
    expected = bytes_of(tmp_path / "one")
    assert len(expected) == 6
    for name in ("two", "small", "bounded"):
        assert expected == bytes_of(tmp_path / name)


def test_run_and_report_are_separate(tmp_path: Path) -> None:
    """Host, seconds and versions are in run.json, and in no other file."""
    corpus = three_files(tmp_path / "in")
    result = dedup.find_duplicates(corpus.texts)
    write_run_report(tmp_path / "out", result, listing=corpus.listing, run={"seconds": {"read": 12.5}})
    found = Report.open(tmp_path / "out")
    assert found.run["seconds"] == {"read": 12.5}
    assert found.run["folder"] == os.getcwd()
    assert {"host", "versions", "platform"} <= set(found.run)
    for name, data in bytes_of(tmp_path / "out").items():
        assert found.run["host"].encode() not in data or len(found.run["host"]) < 4, name
        assert b"seconds" not in data, name
        assert str(corpus.listing[0].mtime_ns).encode() not in data, name


def test_a_row_group_at_a_time(tmp_path: Path) -> None:
    """Many row groups hold the same rows as one."""
    corpus = three_files(tmp_path / "in")
    one = written(tmp_path / "one", corpus)
    _, _, tables, _, _ = write.parts_of(dedup.find_duplicates(corpus.texts), group=4)
    assert set(tables) == {"pairs", "clusters", "decisions"}
    import pyarrow.parquet as pq

    for name, groups in tables.items():
        write.write_table(tmp_path / name, groups)
        many = pq.ParquetFile(tmp_path / name)
        rows = one.table(name).num_rows
        assert rows > 8
        assert many.num_row_groups == -(-rows // 4)
        assert one.table(name).to_pylist() == many.read().to_pylist()


def test_nothing_found(tmp_path: Path) -> None:
    """Tables without rows have their columns, of the same types."""
    corpus = corpus_files.json_lines(tmp_path / "in", [["one text of its own", "another one, different"]])
    found = written(tmp_path / "out", corpus)
    full = written(tmp_path / "full", three_files(tmp_path / "in"))
    for name in ("pairs", "clusters", "decisions"):
        assert 0 == found.table(name).num_rows
        assert full.table(name).schema.equals(found.table(name).schema)
    assert 0 == found.summary["clusters"]


def test_rejects_are_listed_and_counted(tmp_path: Path) -> None:
    """Each rejected record is a line, and counted with its file."""
    corpus = three_files(tmp_path / "in")
    rejects = [
        corpus_files.Reject(corpus.listing[0].path, 5, 812, "not JSON"),
        corpus_files.Reject(corpus.listing[2].path, None, None, "no such file"),
        corpus_files.Reject(corpus.listing[2].path, 9, 1, 'odd "name" \ud800'),
    ]
    result = dedup.find_duplicates(corpus.texts)
    write_run_report(tmp_path / "out", result, listing=corpus.listing, rejects=iter(rejects))
    found = Report.open(tmp_path / "out")
    assert [reject._asdict() for reject in rejects] == list(found.rejects())
    assert [1, 0, 2] == [each.rejected for each in found.inputs]


def test_repeats_and_matches(tmp_path: Path) -> None:
    """Their tables, summaries and inputs of both sides."""
    corpus = three_files(tmp_path / "in")
    repeats = dedup.find_repeats(corpus.texts)
    write_run_report(tmp_path / "repeats", repeats, listing=corpus.listing)
    found = Report.open(tmp_path / "repeats")
    assert ("repeats", len(repeats)) == (found.kind, found.summary["repeats"])
    assert found.spans.to_pylist() == repeats.table.to_pylist()
    assert len(repeats) > 0
    with pytest.raises(InputError, match="no table 'pairs'"):
        _ = found.pairs

    old = corpus_files.json_lines(tmp_path / "old", [corpora.families(count=6, size=5)[::5]])
    matches = dedup.match(corpus.texts, old.texts, min_words=20)
    write_run_report(tmp_path / "match", matches, listing=corpus.listing, against=old.listing)
    found = Report.open(tmp_path / "match")
    assert found.pairs.to_pylist() == matches.pairs.to_pylist()
    assert found.spans.to_pylist() == matches.passages.to_pylist()
    assert ["texts"] * 3 + ["against"] == [each.side for each in found.inputs]
    rows = found.decisions.to_pylist()
    assert matches.matched.to_pylist() == [f"{found.inputs[row['file']].path}:{row['record']}" for row in rows]
    best = {row["left"]: row["jaccard"] for row in sorted(matches.pairs.to_pylist(), key=lambda row: row["jaccard"])}
    assert [best[name] for name in matches.matched.to_pylist()] == [row["similarity"] for row in rows]
    assert len(rows) > 3
    pairs_only = dedup.match(corpus.texts, old.texts, min_words=None)
    write_run_report(tmp_path / "pairs", pairs_only, listing=corpus.listing, against=old.listing)
    assert "spans.parquet" not in Report.open(tmp_path / "pairs").files


# ------------------------------------------------------------------------------------ damage


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    """A report of which a byte was changed, or an end cut off, is not opened."""
    corpus = corpus_files.json_lines(tmp_path / "in", [["a b c d e f", "A b c d e f", "other"]])
    folder = tmp_path / "out"
    written(folder, corpus)
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        step = 1 if os.environ.get("DEDUP_HYPOTHESIS") == "long" else 37
        for at in range(0, len(data), step):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(StorageError, match="make the report again|make it again"):
                Report.open(folder)
            path.write_bytes(data[:at])
            with pytest.raises(StorageError):
                Report.open(folder)
        path.unlink()
        with pytest.raises(StorageError, match=path.name):
            Report.open(folder)
        path.write_bytes(data)
    assert 1 == Report.open(folder).summary["clusters"]


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says both versions."""
    with monkeypatch.context() as patch:
        patch.setattr(read, "VERSION", 7)
        patch.setattr(write, "VERSION", 7)
        written(tmp_path / "out", corpus_files.json_lines(tmp_path / "in", [["a"]]))
    with pytest.raises(StorageError, match="of version 1, found 'dedup report' version 7"):
        Report.open(tmp_path / "out")


def test_no_report(tmp_path: Path) -> None:
    """A folder that is none is named."""
    with pytest.raises(StorageError, match="report.json: expected a part of a report, found none"):
        Report.open(tmp_path)


# ------------------------------------------------------------------- whole, or not there


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever write to disk fails: no folder, no temporary folder next to it, and the message says why."""
    corpus = three_files(tmp_path / "in")
    result = dedup.find_duplicates(corpus.texts)
    real = os.fsync
    calls = 0

    def failing(at: int) -> Any:
        def fsync(handle: int) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        return fsync

    for at in range(1, 40):
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing(at))
            try:
                write_run_report(tmp_path / "out", result, listing=corpus.listing)
            except StorageError as error:
                assert "No space left" in str(error)
            else:
                break
        if calls < 9:  # the last call comes after the rename: then all is there
            assert ["in"] == sorted(path.name for path in tmp_path.iterdir())
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert at == 10, "7 files, their folder, the folder above: each call was made to fail"
    Report.open(tmp_path / "out")


def test_what_killed_runs_left_is_swept(tmp_path: Path) -> None:
    """Unfinished folders without a writer are removed; those of a living writer are kept."""
    left = tmp_path / ".out.0123456789abcdef.partial"
    left.mkdir()
    (left / "pairs.parquet").write_bytes(b"half")
    with folders.whole_folder(tmp_path / "out") as first:
        assert not left.exists()
        (first / "a").write_text("1")
        with folders.whole_folder(tmp_path / "out") as second:
            assert first.exists()
            (second / "a").write_text("2")
        assert "2" == (tmp_path / "out" / "a").read_text()
        shutil.rmtree(tmp_path / "out")
    assert "1" == (tmp_path / "out" / "a").read_text()
    assert ["out"] == [path.name for path in tmp_path.iterdir()]


def test_existing_folders(tmp_path: Path) -> None:
    """An empty one is used; a full one is refused, unless it is a report and may be replaced."""
    corpus = three_files(tmp_path / "in")
    result = dedup.find_duplicates(corpus.texts)
    (tmp_path / "out").mkdir()
    write_run_report(tmp_path / "out", result, listing=corpus.listing)
    with pytest.raises(ParameterError, match="expected a new or an empty folder"):
        write_run_report(tmp_path / "out", result, listing=corpus.listing)
    before = bytes_of(tmp_path / "out")
    write_run_report(tmp_path / "out", dedup.find_duplicates(["a", "a"]), listing=corpus.listing, replace=True)
    assert before != bytes_of(tmp_path / "out")
    assert ["in", "out"] == sorted(path.name for path in tmp_path.iterdir())
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    with pytest.raises(StorageError):
        write_run_report(mine, result, listing=corpus.listing, replace=True)
    assert "dear" == (mine / "letter.txt").read_text()
    with pytest.raises(ParameterError, match="found the file"):
        write_run_report(mine / "letter.txt", result, listing=corpus.listing)


@pytest.mark.parametrize("how", ["equal", "holds", "link", "link to the folder above", "hard link"])
def test_output_that_is_an_input_is_refused(how: str, tmp_path: Path) -> None:
    """By name, by links, and by what lies in it."""
    corpus = three_files(tmp_path / "in")
    result = dedup.find_duplicates(corpus.texts)
    before = {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    output = {
        "equal": Path(corpus.listing[0].path),
        "holds": tmp_path / "in",
        "link": tmp_path / "link",
        "link to the folder above": tmp_path / "above" / "in",
        "hard link": tmp_path / "hard",
    }[how]
    (tmp_path / "link").symlink_to(corpus.listing[0].path)
    (tmp_path / "above").symlink_to(tmp_path)
    os.link(corpus.listing[0].path, tmp_path / "hard")
    for replace in (False, True):
        with pytest.raises(ParameterError, match="output: .* (is|contains) the input"):
            write_run_report(output, result, listing=corpus.listing, replace=replace)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}


# -------------------------------------------------------------------------------- the summary


def test_the_summary_shows_clusters_and_samples() -> None:
    """The largest clusters by size, then by place; samples from the least similar to the most."""
    base = " ".join(f"w{i}" for i in range(200))
    near = [base.replace(" w50 ", " x "), base.replace(" w50 ", " x ").replace(" w90 ", " y "), base + " z"]
    result = dedup.find_duplicates([*near, base, "small one", "Small one", "small ONE", "pair", "Pair"], threshold=0.5)
    summary = result.summary
    assert [4, 3, 2] == [size for size, _ in summary.largest]
    assert ["small one", "pair"] == [text for _, text in summary.largest[1:]]
    assert 3 == len(summary.samples)
    values = [similarity for _, _, similarity, _ in summary.samples]
    assert sorted(values) == values
    assert values[-1] < 1.0, "near copies come before exact ones"
    known = {(row["id"], row["kept_id"]): row["similarity"] for row in result.clusters.to_pylist()}
    for removed, kept, similarity, _ in summary.samples:
        assert known[removed, kept] == similarity
    assert "cluster of 4: 'w0 w1" in str(summary)
    assert "for example: " in str(summary)
    exact = dedup.find_duplicates(["pair", "Pair"]).summary
    assert ((1, 0, 1.0, "Pair"),) == exact.samples


@pytest.mark.parametrize(("count", "lost", "warned"), [(100, 100, True), (100, 80, False), (99, 99, False)])
def test_a_file_that_loses_too_much_is_named(count: int, lost: int, warned: bool) -> None:
    """More than nine in ten of a hundred texts or more."""
    texts = [f"a text that is number {i} of its kind, and has words enough for three shingles" for i in range(count)]
    again = texts[:lost] + [f"something else, {i}, of more than seven words altogether" for i in range(count - lost)]
    places = [*range(1, count + 1)] * 2
    located = corpus_files.FileTexts(texts + again, ["a", "b"], [0] * count + [1] * count, places)
    warnings = dedup.find_duplicates(located).summary.warnings
    assert (("b loses 100 of its 100 documents; look at some of them",) if warned else ()) == warnings
    one = corpus_files.FileTexts([" ".join(f"w{i}" for i in range(30))] * 200, ["a"], [0] * 200, list(range(1, 201)))
    assert () == dedup.find_duplicates(one).summary.warnings, "one file is not a source among others"
    assert np.int32 == located.locate(np.arange(3))[0].dtype


# ------------------------------------------------------------------------------ texts of files


def test_texts_of_files_know_their_places(tmp_path: Path) -> None:
    """File and record of each row, its id, and what could not be read; in the report too."""
    texts = corpora.families(count=6, size=5)
    lines = [json.dumps({"key": f"k{i}", "text": text}) for i, text in enumerate(texts)]
    ugly = "\n".join([*lines[:4], "", "not json", *lines[4:20]]) + "\n"
    corpus_files.write(tmp_path / "in", "b.jsonl", ugly.encode())
    corpus_files.write(tmp_path / "in", "c.jsonl", "\n".join(lines[20:]).encode())
    corpus_files.write(tmp_path / "in", "a.txt", texts[0].encode())
    corpus_files.write(
        tmp_path / "in", "d.csv", corpus_files.encode("csv", [{"key": "u", "text": texts[1] + "\nend"}, {"text": ""}])
    )
    chosen = dedup.files(tmp_path / "in", on_error="skip")
    result = dedup.find_duplicates(chosen)
    expected, rejects = corpus_files.searched(chosen.listing)
    located = result._evidence.texts
    rows = np.arange(len(expected.texts.files))
    assert len(located) == len(rows) == 33
    files, records = located.locate(rows)
    assert (expected.texts.files.tolist(), expected.texts.records.tolist()) == (files.tolist(), records.tolist())
    assert np.array_equal(files[rows % 3 == 1], located.locate(rows[rows % 3 == 1])[0])
    names = [located.id_of(row) for row in rows.tolist()]
    assert names == located.ids_at(rows).to_pylist()
    assert [names[7], names[0]] == located.ids_at(np.array([7, 0])).to_pylist()
    assert ["a.txt", "b.jsonl", "c.jsonl", "d.csv"] == [Path(path).name for path in located.sources or []]
    assert 1 == len(rejects) == located.rejected == result.summary.rejected
    assert "1 rejected" in str(result.summary)
    write_run_report(tmp_path / "out", result, listing=chosen.listing, rejects=chosen.rejects)
    found = Report.open(tmp_path / "out")
    assert [1, 20, 10, 2] == [each.records for each in found.inputs]
    assert found.clusters.to_pylist() == result.clusters.to_pylist()
    assert [str(tmp_path / "in")] == found.options["folders"]

    own = dedup.find_duplicates(dedup.files(tmp_path / "in" / "*.jsonl", id="key", on_error="skip"))
    write_run_report(tmp_path / "own", own, listing=chosen.listing)
    found = Report.open(tmp_path / "own")
    assert found.clusters.to_pylist() == own.clusters.to_pylist()
    assert {row["id"][0] for row in found.clusters.to_pylist()} == {"k"}


def test_a_result_knows_its_files(tmp_path: Path) -> None:
    """From Python no listing has to be passed; what was found in memory has no files."""
    corpus = three_files(tmp_path / "in")
    chosen = dedup.files(tmp_path / "in")
    result = dedup.find_duplicates(chosen)
    dedup.write_report(tmp_path / "out", result)
    assert [18, 4, 13] == [each.records for each in Report.open(tmp_path / "out").inputs]
    assert result.summary.removed == dedup.apply_report(tmp_path / "out", tmp_path / "clean").removed
    matches = dedup.match(chosen, dedup.files(corpus.listing[1].path), min_words=None)
    dedup.write_report(tmp_path / "match", matches)
    assert ["texts"] * 3 + ["against"] == [each.side for each in Report.open(tmp_path / "match").inputs]
    with pytest.raises(ParameterError, match="found texts in memory"):
        dedup.write_report(tmp_path / "memory", dedup.find_duplicates(["a", "b"]))
