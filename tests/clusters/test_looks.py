"""Text that may not decide what is kept: numbers, and dates whose order as text is not that of time."""

from __future__ import annotations

import datetime as dt
import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.cli import main
from dedup.clusters.looks import check_looks
from dedup.errors import ParameterError
from dedup.pipelines.find_files import find_in_files
from dedup.pipelines.memory import FilePlan
from tests.plans import OnDisk

TEXT = "the first ferry left the harbour at noon on Monday"

WRONG: list[tuple[str, list[str]]] = [
    ("dates", ["28.02.2024", "01.03.2024"]),
    ("dates", ["2/28/2024", "3/1/2024"]),
    ("dates", ["28-02-2024", "01-03-2024"]),
    ("dates", ["28. 2. 2024", "1. 3. 2024"]),
    ("dates", ["28.02.24", "01.03.24"]),
    ("dates", ["28.02.2024 10:00", "01.03.2024 09:00"]),
    ("dates", ["02/2024", "12/2023"]),
    ("dates", ["28 February 2024", "3 March 2024"]),
    ("dates", ["Feb 28, 2024", "Mar 3, 2024"]),
    ("dates", ["February 28th, 2024", "March 3rd, 2024"]),
    ("dates", ["28-Feb-2024", "03-Mar-2024"]),
    ("dates", ["February 2024", "March 2024"]),
    ("dates", ["2024 Feb 28", "2024 Mar 3"]),
    ("dates", ["28. Februar 2024", "1. März 2024"]),
    ("dates", ["28 février 2024", "1er mars 2024"]),
    ("dates", ["28 de febrero de 2024", "1 de marzo de 2024"]),
    ("dates", ["Wed, 28 Feb 2024 10:00:00 +0000", "Fri, 01 Mar 2024 10:00:00 +0000"]),
    ("dates", ["Wednesday, February 28, 2024", "Friday, March 1, 2024"]),
    ("dates", ["Wed Feb 28 10:00:00 2024", "Fri Mar  1 10:00:00 2024"]),
    ("dates", ["2024-28-02", "2024-01-03"]),
    ("dates", ["2024-2-28", "2024-10-1"]),
    ("dates", ["2024年2月28日", "2024年10月1日"]),
    ("dates", ["9:30", "10:30"]),
    ("dates", ["9:30 PM", "10:30 AM"]),
    ("dates of several forms", ["2024-03-01", "2024-02"]),
    ("dates of several forms", ["2024-03-01", "2024-02-28T10:00"]),
    ("dates of several forms", ["2024-03-01", "20240228"]),
    ("dates of several forms", ["2024-03-01T10:00:00Z", "2024-03-01T10:00:00.5Z"]),
    ("dates of several forms", ["2024-03-01T10:00+02:00", "2024-03-01T09:00Z"]),
    ("dates", ["2024-03-01", "01.03.2024"]),
    ("times of several offsets", ["2024-03-01T10:00+02:00", "2024-03-01T09:30+01:00"]),
    ("numbers", ["10", "9"]),
    ("numbers", ["-1", "-2"]),
    ("numbers", ["1.5", "10.25"]),
    ("numbers", ["1,5", "10,25"]),
    ("numbers", ["1 000", "999"]),
    ("numbers", ["1e5", "2e-3"]),
    ("numbers", ["$9", "$10"]),
    ("numbers", ["9 %", "10 %"]),
    ("numbers", ["9 kg", "10 kg"]),
    ("numbers", ["9th", "10th"]),
    ("numbers", ["v1.9", "v1.10"]),
    ("numbers", ["1709251200", "999999999"]),
    ("numbers", ["٩", "١٠"]),
    ("numbers", ["28022024", "01032024"]),
    ("values of several forms", ["2024-03-01", "unknown"]),
    ("values of several forms", ["10", "none"]),
]

RIGHT: list[list[str]] = [
    ["2024-03-01", "2024-02-28"],
    ["2024/03/01", "2024/02/28"],
    ["2024.03.01", "2024.02.28"],
    ["2024-03", "2024-02"],
    ["20240301", "20240228"],
    ["2023", "2024"],
    ["2024-W09", "2024-W10"],
    ["2024-060", "2024-061"],
    ["2024年03月01日", "2024年02月28日"],
    ["2024-03-01T10:00", "2024-02-28T09:00"],
    ["2024-03-01 10:00:00", "2024-02-28 09:00:00"],
    ["2024-03-01T10:00:00", "2024-02-28T09:00:00.123"],
    ["2024-03-01T10:00:00Z", "2024-02-28T09:00:00Z"],
    ["2024-03-01T10:00:00.25Z", "2024-02-28T09:00:00.50Z"],
    ["2024-03-01T10:00:00+02:00", "2024-02-28T09:00:00.5+02:00"],
    ["20240301T100000Z", "20240228T090000Z"],
    ["2024-03-01 10:00:00 UTC", "2024-02-28 09:00:00 UTC"],
    ["alpha", "beta"],
    ["Anna", "Özil", "김"],
    ["1984", "Dune", "Emma"],
    ["Catch 22", "Fahrenheit 451"],
    ["file-10.txt", "file-9.txt"],
    ["2024-03-01", "", "   "],
    ["x", "", "7"[:0]],
    ["", " "],
    [],
]


@pytest.mark.parametrize(("what", "values"), WRONG)
def test_what_is_refused(what: str, values: list[str]) -> None:
    """The message names the column and what it looks like, and shows two values."""
    rows = [{"text": TEXT, "when": value} for value in values]
    for keep in ("max:when", "min:when"):
        with pytest.raises(ParameterError, match=f'keep="{keep}": expected .* found text that looks like {what}') as e:
            dedup.find_duplicates(rows, keep=keep)
        assert repr(values[0]) in str(e.value)
        assert repr(values[1]) in str(e.value)
        assert "convert the column" in str(e.value)


@pytest.mark.parametrize("values", RIGHT)
def test_what_is_taken(values: list[str]) -> None:
    """Plain text, and dates of one form that begin with the year, are ordered by their letters."""
    rows = [{"text": TEXT, "when": value} for value in values]
    for keep, best in (("max:when", max), ("min:when", min)):
        kept = dedup.find_duplicates(rows, keep=keep).kept.to_pylist()
        assert kept == ([values.index(best(values))] if values else [])


@given(
    st.lists(
        st.datetimes(dt.datetime(1000, 1, 1)),  # noqa: DTZ001
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["T", " "]),
)
def test_python_writes_times_in_order(times: list[dt.datetime], mark: str) -> None:
    """What `isoformat` writes is taken, with and without fractions, and its order is that of time."""
    values = [time.isoformat(mark) for time in times]
    check_looks("max:x", [pa.array(values)])
    assert times.index(max(times)) == values.index(max(values))


@given(st.lists(st.text(max_size=6) | st.from_regex(r"[0-9./: -]{1,12}", fullmatch=True), max_size=12), st.randoms())
def test_parts_and_encodings_decide_nothing(values: list[str], chance: random.Random) -> None:
    """However the column is cut and encoded, and in whatever order it is, the verdict is the same."""

    def verdict(parts: list[Any]) -> str | None:
        try:
            check_looks("max:x", parts)
        except ParameterError as error:
            return str(error).split(":")[2]
        return None

    whole = pa.array(values, pa.string())
    cut = chance.randint(0, len(values))
    expected = verdict([whole])
    assert expected == verdict([whole[:cut], whole[cut:]])
    assert expected == verdict([pa.chunked_array([whole[:cut], whole[cut:]])])
    assert expected == verdict([whole.dictionary_encode()])
    assert expected == verdict([whole.cast(pa.string_view())])
    chance.shuffle(values)
    assert (expected is None) == (verdict([pa.array(values, pa.string())]) is None)


def test_other_columns_say_nothing() -> None:
    """Numbers, dates, booleans and ordered categories are what they are."""
    for column in ([10, 9], [1.5, 2.5], [dt.date(2024, 3, 1)], [True, False], [None]):
        check_looks("max:x", [pa.array(column)])


FILES = {"jsonl": "dates", "csv": "dates", "parquet": "dates"}


def written(folder: Path, kind: str, values: list[Any]) -> Path:
    """Write texts with a further column, the one that matters being among those without a partner."""
    texts = [TEXT, TEXT, "another one of other words"]
    rows = [{"text": text, "when": value} for text, value in zip(texts, values, strict=True)]
    path = folder / f"a.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif kind == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", FILES)
def test_files_and_the_command(kind: str, tmp_path: Path) -> None:
    """The same of files: from Python, in any memory, and by the command, which exits with 2."""
    path = written(tmp_path, kind, ["28.02.2024", "01.03.2024", "02.03.2024"])
    with pytest.raises(ParameterError, match="'28.02.2024' and '01.03.2024'"):
        dedup.find_duplicates(path, keep="max:when")
    done = CliRunner().invoke(main, ["find", str(path), "--keep", "max:when"])
    assert 2 == done.exit_code
    assert "'28.02.2024' and '01.03.2024'; text is compared character by character" in done.stderr
    right = written(tmp_path, kind, ["2024-02-28", "2024-03-01", "2024-03-02"])
    assert [f"{right}:{n}" for n in ((3, 4) if kind == "csv" else (2, 3))] == dedup.find_duplicates(
        right, keep="max:when"
    ).kept.to_pylist()
    assert 0 == CliRunner().invoke(main, ["find", str(right), "--keep", "max:when"]).exit_code


def test_every_engine_looks_at_all_values(tmp_path: Path) -> None:
    """Values of texts without a partner count too, so the verdict does not depend on what is held."""
    path = written(tmp_path, "jsonl", ["alpha", "10", "9"])
    for memory, planned in ((None, FilePlan), ("1GB", OnDisk), ("1GB", partial(OnDisk, at_once=False))):
        with pytest.raises(ParameterError, match="looks like values of several forms"):
            find_in_files([path], keep="max:when", memory=memory, planned=planned)


# ------------------------------------------------------------------------------------------ ordered categories

LEVELS = ["low", "mid", "high"]
VALUES = ["mid", "high", None, "low"]


def ordered() -> dict[str, Any]:
    """Give a column of ordered categories in every form."""
    indices = pa.array([LEVELS.index(value) if value else None for value in VALUES], pa.int8())
    arrow = pa.DictionaryArray.from_arrays(indices, pa.array(LEVELS), ordered=True)
    rows = {"text": [TEXT] * 4}
    return {
        "pandas": pd.DataFrame({**rows, "c": pd.Categorical(VALUES, categories=LEVELS, ordered=True)}),
        "arrow": pa.table({**rows, "c": arrow}),
        "arrow in chunks": pa.table({**rows, "c": pa.chunked_array([arrow[:1], arrow[1:]])}),
        "reader": pa.table({**rows, "c": arrow}).to_reader(max_chunksize=2),
        "polars": pl.DataFrame({**rows, "c": pl.Series(VALUES, dtype=pl.Enum(LEVELS))}),
        "lazy polars": pl.DataFrame({**rows, "c": pl.Series(VALUES, dtype=pl.Enum(LEVELS))}).lazy(),
    }


@pytest.mark.parametrize("kind", sorted(ordered()))
@pytest.mark.parametrize("unit", ["document", "paragraph"])
def test_ordered_categories_go_by_their_order(kind: str, unit: str) -> None:
    """Not by their letters; nulls last."""
    for keep, kept in (("max:c", 1), ("min:c", 3)):
        rows = dedup.find_duplicates(ordered()[kind], keep=keep, unit=unit).clusters.to_pylist()
        assert [kept] == [row["id"] for row in rows if row["kept"]], keep


@pytest.mark.parametrize("memory", [None, "1GB"])
def test_ordered_categories_in_files(memory: str | None, tmp_path: Path) -> None:
    """Of Parquet and of Arrow, over several files."""
    table = ordered()["arrow"]
    pq.write_table(table[:2], tmp_path / "a.parquet")
    pq.write_table(table[2:], tmp_path / "b.parquet")
    for keep, kept in (("max:c", f"{tmp_path}/a.parquet:2"), ("min:c", f"{tmp_path}/b.parquet:2")):
        run = find_in_files([tmp_path], keep=keep, memory=memory, planned=OnDisk if memory else FilePlan)
        found = run.duplicates
        assert ("mark" in found.timings) == (memory is not None)
        assert [kept] == found.kept.to_pylist()
        assert [kept] == dedup.find_duplicates(tmp_path, keep=keep).kept.to_pylist()


def test_categories_of_several_orders() -> None:
    """Chunks whose categories are in other orders have none together."""
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(levels), ordered=True)
        for levels in (LEVELS, LEVELS[::-1])
    ]
    table = pa.table({"text": [TEXT] * 2, "c": pa.chunked_array(chunks)})
    with pytest.raises(ParameterError, match="keep=.max:c.: expected one order of the categories, found"):
        dedup.find_duplicates(table, keep="max:c")


def test_categories_without_an_order_go_by_letters() -> None:
    """Of pandas and polars."""
    for column in (pd.Categorical(["mid", "high", "low"]), pl.Series(["mid", "high", "low"], dtype=pl.Categorical)):
        frame = pd.DataFrame if isinstance(column, pd.Categorical) else pl.DataFrame
        data = frame({"text": [TEXT] * 3, "c": column})
        assert [0] == dedup.find_duplicates(data, keep="max:c").kept.to_pylist()
        assert [1] == dedup.find_duplicates(data, keep="min:c").kept.to_pylist()
