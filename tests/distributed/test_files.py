"""Files searched in stages: the report is that of one machine, byte for byte, whatever task reads what."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.clusters.priority import rank_units
from dedup.distributed.texts.files import FileInput, place_in, record_id, split_files, tasks_of_splits
from dedup.distributed.texts.linked import sent, sent_type
from dedup.errors import InputError, ParameterError
from dedup.pipelines.find_files import FileRun, find_in_files
from dedup.pipelines.query import Query
from dedup.report.write import write_run_report
from dedup.sources.columns import check_columns
from dedup.sources.files.listing import Listing
from dedup.sources.files.rejects import Errors
from dedup.spark.find_paths import found_in_files
from dedup.spark.inputs import checked
from tests.distributed.local_engine import LocalEngine
from tests.distributed.test_stages import versions


def numbered(engine: LocalEngine) -> Any:
    """Give what numbers the tasks for an engine."""
    return lambda tasks: pa.table({"id": pa.array(range(tasks), type=pa.int64())})


def corpus(folder: Path, seed: int = 1) -> Path:
    """Write files of several formats, with records that cannot be read, blank lines, and surrogates."""
    folder.mkdir()
    chance = random.Random(seed)
    texts = iter(versions(seed, 120, 20, words=30) * 2)

    def record() -> dict[str, Any]:
        number = chance.randrange(1000)
        return {"text": next(texts), "when": number, "source": chance.choice("abc"), "name": f"n{number}"}

    def lines(count: int) -> str:
        return "".join(json.dumps(record()) + "\n" for _ in range(count))

    (folder / "a.jsonl").write_text(lines(30) + "not json\n\n" + lines(5) + '{"text": 7, "when": 1}\n' + lines(3))
    cells = "".join(f'"{next(texts)}",{n},a,n{n}\n' for n in range(9))
    (folder / "b.csv").write_text(f"text,when,source,name\n{cells}")
    with gzip.open(folder / "c.jsonl.gz", "wt") as out:
        out.write(lines(20))
    strange = {**record(), "text": "one lone \ud800 surrogate among some other words of a text"}
    (folder / "d.jsonl").write_text(2 * (json.dumps(strange) + "\n"))
    (folder / "e.txt").write_text("one text\n\n" + "of some words and then of more words\n" * 3)
    pq.write_table(pa.Table.from_pylist([record() for _ in range(60)]), folder / "f.parquet", row_group_size=9)
    (folder / "g.jsonl").write_text("")
    (folder / "h.json").write_text(json.dumps([record() for _ in range(8)], indent=1))
    (folder / "unread.xyz").write_text("not read")
    return folder


def test_few_records_are_read_from_the_splits_that_have_them(tmp_path: Path) -> None:
    for name in "abc":
        texts = pa.table({"text": [f"text {number} of {name}" for number in range(60)]})
        pq.write_table(texts, tmp_path / f"{name}.parquet", row_group_size=10)
    inputs = FileInput(Listing([tmp_path]), "text", None, {}, Errors(), 1)
    inputs.cut(size=1)  # a split for each group of rows
    assert len(inputs.tasks) == 18
    some = inputs.with_records(pa.array([record_id(1, 35), record_id(1, 36), record_id(2, 3)], type=pa.int64()))
    assert [split[:3] for task in some.tasks for split in task] == [(1, 30, 40), (2, 0, 10)]
    read = [batch for task in range(len(some.tasks)) for batch in some.reader([pa.record_batch({"id": [task]})])]
    assert {place_in(batch.column("id").to_numpy())[0][0] for batch in read} == {1, 2}
    assert len(inputs.tasks) == 18


def local_report(inputs: list[Path], output: Path, **options: Any) -> None:
    """Write the report as `dedup find` does."""
    asked = {"keep": "first", "recall": 0.999, "id": None, "format": None}
    asked |= {name: options[name] for name in asked if name in options}

    def write(run: FileRun, seconds: Any) -> None:
        write_run_report(output, run.duplicates, listing=run.listing, rejects=run.rejects, options=asked)

    find_in_files(inputs, output=output, write=write, **options)


def staged(
    inputs: list[Path],
    engine: LocalEngine,
    *,
    column: Any = "text",
    id: str | None = None,
    on_error: str = "quarantine",
    listed: dict[str, Any] | None = None,
    split: int = 1500,
    least: int = 4,
    **options: Any,
) -> tuple[FileInput, Any, Query]:
    """Give the input, what was found, and the query of a search in stages, with small splits."""
    query, column = checked(**options), check_columns(column)
    assert column is not None
    files = FileInput(Listing(inputs, **listed or {}), column, id, dict(query.other_columns), Errors(on_error), least)
    files.cut(size=split)
    return files, found_in_files(engine, engine, numbered(engine), files, query, column, 2), query


def same_report(
    inputs: list[Path], folder: Path, seed: int = 0, listed: dict[str, Any] | None = None, **options: Any
) -> FileInput:
    """Check that the report in stages is that of one machine, and return the input."""
    folder.mkdir()
    local_report(inputs, folder / "here", **listed or {}, **options)
    files, found, query = staged(inputs, LocalEngine(seed), listed=listed, **options)
    asked = {"keep": query.keep, "recall": query.recall, "id": options.get("id"), "format": None}
    write_run_report(folder / "there", found, listing=files.listing, rejects=files.rejects, options=asked)
    names = sorted(path.name for path in (folder / "here").iterdir())
    assert names == sorted(path.name for path in (folder / "there").iterdir())
    for name in names:
        if name != "run.json":
            assert (folder / "here" / name).read_bytes() == (folder / "there" / name).read_bytes(), name
    return files


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.5, "keep": "max:name", "within": "source"},
        {"unit": "paragraph", "keep": "none", "min_documents": 3, "distinct": "numbers"},
        {"across": "source", "pairs": "all", "keep": "longest"},
        {"column": ["text", "source"], "ignore": "accents", "tokens": "all", "metric": "containment"},
        {"unit": "line", "keep": "min:name", "shingle": "words:2"},
    ],
    ids=str,
)
def test_the_report_is_that_of_one_machine(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = corpus(tmp_path / "corpus")
    for number in range(3):
        files = same_report([folder], tmp_path / f"reports-{number}", number, **options)
    assert len(files.tasks) > 4
    assert len([split for task in files.tasks for split in task if split.row]) > 1
    assert len(files.rejects) == 2


def test_ids_of_the_user_are_in_the_report(tmp_path: Path) -> None:
    texts = versions(3, 40, 8)
    for part in range(4):
        rows = [{"key": f"k{part}-{row}", "text": texts[10 * part + row]} for row in range(10)]
        (tmp_path / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    same_report(sorted(tmp_path.glob("*.jsonl")), tmp_path / "reports", id="key")


def test_an_encoding_and_patterns_are_those_of_one_machine(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number, text in enumerate(versions(4, 30, 6)):
        (folder / f"{number:02}.md").write_bytes(f"{text} caf\xe9".encode("cp1252"))
        (folder / f"{number:02}.txt").write_text(text)
    listed = {"encoding": "cp1252", "include": "*.md", "exclude": "2*"}
    assert len(same_report([folder], tmp_path / "reports", listed=listed).listing) == 20


def test_ids_that_are_not_unique_are_the_error_of_one_machine(tmp_path: Path) -> None:
    for part in range(3):
        rows = [{"key": 7 if row == 3 and part else 10 * part + row + 10, "text": f"text {row}"} for row in range(6)]
        (tmp_path / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    inputs = [tmp_path]
    with pytest.raises(InputError) as here:
        local_report(inputs, tmp_path / "here", id="key")
    with pytest.raises(InputError) as there:
        staged(inputs, LocalEngine(), id="key", least=3)
    assert str(there.value) == str(here.value)
    assert "expected unique ids, found 7 at" in str(here.value)


def test_ids_of_two_types_are_the_error_of_one_machine(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"key": 1, "text": "a b c"}\n')
    (tmp_path / "b.jsonl").write_text('{"key": "x", "text": "a b c"}\n')
    messages = []
    for search in (
        lambda: local_report([tmp_path], tmp_path / "r", id="key"),
        lambda: staged([tmp_path], LocalEngine(), id="key", least=2),
    ):
        with pytest.raises(InputError, match="expected one type, found 1 at") as found:
            search()
        messages.append(str(found.value))
    assert messages[0] == messages[1]


def test_columns_of_several_kinds(tmp_path: Path) -> None:
    inputs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    texts = versions(5, 20, 4)
    for path, values in zip(inputs, ([3, None, 1], [0.5, 2.5, None]), strict=True):
        rows = ({"text": text, "when": values[row % 3]} for row, text in enumerate(texts))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    same_report(inputs, tmp_path / "reports", keep="max:when")
    inputs[1].write_text('{"text": "a b c", "when": "2024-01-02"}\n')
    with pytest.raises(ParameterError, match="keep: expected values of one kind in the column 'when', found"):
        staged(inputs, LocalEngine(), keep="max:when")


def test_text_that_looks_like_dates_is_the_error_of_one_machine(tmp_path: Path) -> None:
    rows = [{"text": f"text {row}", "when": f"{row + 1:02}.03.2024"} for row in range(9)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:4]))
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[4:]))
    with pytest.raises(
        ParameterError, match="dates in another order than year, month, day, .*'01.03.2024' and"
    ) as here:
        local_report([tmp_path], tmp_path / "here", keep="max:when")
    with pytest.raises(ParameterError) as there:
        staged([tmp_path], LocalEngine(), keep="max:when", least=2)
    assert str(there.value) == str(here.value)


def test_a_file_that_is_damaged_in_the_middle_is_read_as_one_machine_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"text": text} for text in versions(6, 90, 9)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=15, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    offset = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data[offset : offset + 12] = b"\xff" * 12
    path.write_bytes(bytes(data))
    files = same_report([path], tmp_path / "reports")
    assert files.whole == {0}
    assert [reject.line for reject in files.rejects] == [31]


def test_errors_of_records_are_those_of_one_machine(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a b c"}\nnot json\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2: .*; mend it, or pass on_error"):
        staged([tmp_path], LocalEngine(), on_error="fail")
    (tmp_path / "a.jsonl").write_text('{"text": "!"}\n')
    with pytest.raises(InputError, match="expected texts, found nothing but 1 text without words in"):
        staged([tmp_path], LocalEngine())


def test_a_file_that_a_worker_does_not_see_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a b c"}\n')
    listing = Listing([path])
    files = FileInput(listing, "text", None, {}, Errors(), 1)
    path.unlink()
    with pytest.raises(InputError, match="expected the file on every worker, as on the driver, found none on .*share"):
        list(files.reader([pa.record_batch({"id": [0]})]))


# parts


@pytest.mark.parametrize(
    "column",
    [
        pa.array([3, None, 1], pa.uint8()),
        pa.array([2**64 - 1, 0, None], pa.uint64()),
        pa.array([0.5, None, -1], pa.float32()),
        pa.array([True, None, False]),
        pa.array(["b", None, "a"], pa.large_string()),
        pa.array(["b", None, "a"]).dictionary_encode(),
        pa.array([dt.date(2024, 3, 1), None, dt.date(1950, 1, 1)]),
        pa.array([dt.datetime(2024, 3, 1), None, dt.datetime(1950, 1, 1)], pa.timestamp("ns", "UTC")),  # noqa: DTZ001
        pa.array([dt.time(9), None, dt.time(3)], pa.time32("s")),
        pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-2.5")]),
        pa.nulls(3),
        pa.DictionaryArray.from_arrays(pa.array([2, None, 0]), pa.array(["z", "y", "x"]), ordered=True),
    ],
    ids=lambda column: str(column.type),
)
def test_values_are_sent_in_a_type_with_their_order(column: pa.Array) -> None:
    made = sent(column, column.type)
    assert made.type == sent_type(column.type)
    assert not pa.types.is_nested(made.type)
    for keep in ("max:when", "min:when"):
        ranks = [rank_units(keep, 3, list, lambda values=values: values).tolist() for values in (column, made)]
        assert ranks[0] == ranks[1]


def test_splits_cover_each_row_once(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["some words"] * 100}), tmp_path / "a.parquet", row_group_size=7)
    (tmp_path / "b.jsonl").write_text('{"text": "a b c"}\n' * 1000)
    listing = Listing([tmp_path])
    splits = split_files(listing, size=100)
    table = [split for split in splits if split.file == 0]
    assert len(table) > 3
    assert [split.row for split in table] == [0, *(split.end for split in table[:-1])]
    assert table[-1].end is None
    assert [split for split in splits if split.file == 1] == [(1, 0, None, 18000)]
    assert [split.row for split in split_files(listing, {0}, 100)] == [0, 0]
    for least, size in ((1, 1), (3, 10**9), (1, 10**9)):
        tasks = tasks_of_splits(splits, least, size)
        assert [split for task in tasks for split in task] == splits
    assert len(tasks) == 1


def test_ids_of_records_are_in_the_order_of_files_and_records() -> None:
    import numpy as np

    places = [(0, 1), (0, 2), (1, 1), (70_000, 1 << 39)]
    ids = [int(record_id(file, np.array([number]))[0]) for file, number in places]
    assert ids == sorted(ids)
    files, numbers = place_in(np.array(ids))
    assert list(zip(files.tolist(), numbers.tolist(), strict=True)) == places
