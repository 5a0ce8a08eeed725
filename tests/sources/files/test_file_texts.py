"""Searches over files: what a list of the same texts gives, with names for ids."""

from __future__ import annotations

import resource
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import dedup
from dedup.errors import InputError, ParameterError
from dedup.sources.coerce import read_texts
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.naming import Files
from dedup.sources.files.reader import read_batches
from dedup.sources.texts import BlockLimits
from tests import corpora, corpus_files, table_rows
from tests.corpus_files import PACKERS, WRITERS

BODY = corpora.body(seed=3, size=6)
TEXTS = [*BODY, BODY[1].upper(), "", BODY[2] + " And more.", corpora.doubled_article(4).text, BODY[0], "naïve 北京 𝒜"]
RECORDS = [{"text": text, "key": f"k{i}", "n": i} for i, text in enumerate(TEXTS)]


def write(folder: Path, kind: str, packing: str = "", records: list[dict[str, Any]] = RECORDS) -> Path:
    """Write the records as a file of some format and compression."""
    path = folder / f"a{kind}{packing}"
    path.write_bytes(PACKERS[packing](WRITERS[kind](records)))
    return path


def in_batches(files: Files, size: int, **how: Any) -> FileTexts:
    """Give the texts of files in batches that aim at so little that there are several."""
    assert len(list(read_batches(files.listing, limits=BatchLimits(size=size)))) > 1 + len(files.listing)
    return files.read(batches=BatchLimits(size=size), **how)


def results(texts: Any, **options: Any) -> Any:
    """Give all that two runs must agree on."""
    documents = dedup.find_duplicates(texts, shingle="words:3", **options)
    paragraphs = dedup.find_duplicates(texts, unit="paragraph", threshold=0.6, **options)
    return (
        table_rows.tables(documents),
        table_rows.tables(paragraphs),
        documents.summary,
        documents.repeated.to_pylist(),
    )


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("packing", ["", ".gz"])
def test_files_are_searched_like_lists(kind: str, packing: str, tmp_path: Path) -> None:
    """The same tables and summaries from files as from a list with the same ids."""
    path = write(tmp_path, kind, packing)
    ids = [record["key"] for record in RECORDS]
    expected = results(TEXTS, ids=ids, threads=1)
    assert expected == results(dedup.files(path, id="key"), threads=1)
    assert expected == results(path, id="key", threads=2)
    small = dedup.find_duplicates(dedup.files(path, id="key"), shingle="words:3", memory="1GB")
    assert expected[0] == table_rows.tables(small)


def test_default_ids(tmp_path: Path) -> None:
    """Path and line, whatever blank and bad lines are between, however batches are cut; a text by its path."""
    lines = corpus_files.as_lines(RECORDS[:2]) + b"\n{bad\n" + corpus_files.as_lines(RECORDS[2:])
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "b.txt").write_text(TEXTS[0], encoding="utf-8")
    files = dedup.files(tmp_path, on_error="skip")
    expected = [f"{tmp_path}/a.jsonl:{number}" for number in [1, 2, *range(5, 3 + len(TEXTS))]]
    result = dedup.find_duplicates(files)
    ids = [*expected, f"{tmp_path}/b.txt"]
    tables = table_rows.tables(result)
    assert set(result.kept.to_pylist()) | set(result.removed.to_pylist()) == set(ids)
    texts = in_batches(files, 50)
    assert ids == list(texts.ids or [])
    assert [*TEXTS, TEXTS[0]] == [texts[row] for row in range(len(texts))]
    assert tables == table_rows.tables(dedup.find_duplicates(in_batches(files, 50)))


@pytest.mark.parametrize("packing", PACKERS)
def test_texts_in_any_order(packing: str, tmp_path: Path) -> None:
    """A text is read again wherever it stands, forwards and backwards; its length is that in characters."""
    path = write(tmp_path, ".jsonl", packing, [*RECORDS, {"text": None, "key": "x", "n": 0}])
    texts = in_batches(dedup.files(path), 100)
    assert texts.about() > 0
    rows = [5, 0, 11, 3, 3, 12, 1, 2, 3, 4, 10]
    assert [[*TEXTS, ""][row] for row in rows] == [texts[row] for row in rows]
    assert [len(text) for text in [*TEXTS, ""]] == texts.lengths().tolist()
    assert texts.original(12) is None
    assert len(TEXTS) + 1 == texts.about() == len(texts)
    with pytest.raises(IndexError):
        texts[len(texts)]


def test_first_and_later_readings_are_the_same(tmp_path: Path) -> None:
    """The blocks of a second reading are those of the first, one after the other without a gap."""
    texts = in_batches(dedup.files(write(tmp_path, ".jsonl")), 100, limits=BlockLimits(size=400))
    first, second = list(texts.blocks()), list(texts.blocks())
    assert len(first) > 2
    for block, again in zip(first, second, strict=True):
        assert block.first == again.first
        assert bytes(block.values) == bytes(again.values)
        found = [bytes(block.values[s:e]).decode() for s, e in zip(block.starts, block.ends, strict=True)]
        assert TEXTS[block.first : block.first + len(found)] == found


def test_surrogates(tmp_path: Path) -> None:
    """A lone surrogate separates tokens and is one character, as in a list."""
    texts = ["one two\ud800three four", "ONE two three FOUR!", "\udfff"]
    path = write(tmp_path, ".jsonl", "", [{"text": text} for text in texts])
    assert [[row["left"], row["right"]] for row in dedup.find_duplicates(texts).pairs.to_pylist()] == [[0, 1]]
    result = dedup.find_duplicates(path)
    assert [(f"{path}:1", f"{path}:2")] == table_rows.ends(result)
    assert texts == [read_texts(path)[row] for row in range(3)]
    assert [len(text) for text in texts] == read_texts(path).lengths().tolist()
    assert 1 == result.summary.empty


def test_repeats_and_matches(tmp_path: Path) -> None:
    """The other searches over files give what they give of lists."""
    path = write(tmp_path, ".jsonl")
    ids = [record["key"] for record in RECORDS]
    files = dedup.files(path, id="key")
    expected = dedup.find_repeats(TEXTS, ids=ids, min_words=10)
    found = dedup.find_repeats(files, min_words=10)
    assert expected.table.to_pylist() == found.table.to_pylist()
    assert expected.coverage == found.coverage
    assert expected.without_repeats() == found.without_repeats()
    other = [TEXTS[3] + " More words.", TEXTS[5]]
    expected_match = dedup.match(other, TEXTS, against_ids=ids, min_words=10)
    for threads in (1, 2):
        match = dedup.match(other, path, against_id="key", min_words=10, threads=threads)
        assert expected_match.pairs.equals(match.pairs)
        assert expected_match.passages is not None
        assert expected_match.passages.equals(match.passages)
    assert dedup.match(files, other, min_words=10).summary.pairs == len(expected_match.pairs)


def test_progress_over_files(tmp_path: Path) -> None:
    """The number of texts is known roughly at first: what is done never goes beyond the total, and reaches it."""
    records = [{"text": "a text that is longer than the others " * 20}] + [{"text": f"text {i}"} for i in range(200)]
    seen: list[tuple[int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "read":
            seen.append((done, total))

    files = dedup.files(write(tmp_path, ".jsonl", "", records))
    dedup.find_duplicates(in_batches(files, 100, limits=BlockLimits(size=100)), progress=progress, threads=1)
    assert all(done <= total for done, total in seen)
    assert seen[0][1] < len(records)
    assert (len(records), len(records)) == seen[-1]


def test_a_policy_sees_ids_and_texts(tmp_path: Path) -> None:
    """`keep` is called with the id of the record and its text."""
    path = write(tmp_path, ".csv")
    seen: dict[str, str] = {}

    def keep(id: str, text: str) -> int:
        seen[id] = text
        return -len(text)

    dedup.find_duplicates(dedup.files(path), keep=keep)
    assert TEXTS == list(seen.values())
    assert f"{path}:2" in seen


def test_estimates(tmp_path: Path) -> None:
    """A forecast counts the texts of files."""
    assert len(TEXTS) == dedup.estimate(write(tmp_path, ".parquet")).texts


# ------------------------------------------------------------------------------------ bad records


def test_rejects_are_reported(tmp_path: Path) -> None:
    """What is rejected is in `rejects`, and a warning says so; skipped, without the warning."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a b c"}\n{"text": 5}\n{bad\n{"text": "A b, c"}\n')
    files = dedup.files(path, tmp_path / "missing.txt")
    with pytest.warns(UserWarning, match=r"3 of 5 records were rejected .*missing.txt: No such file"):
        result = dedup.find_duplicates(files)
    assert [(f"{path}:1", f"{path}:4")] == table_rows.ends(result)
    assert [None, 2, 3] == [reject.line for reject in files.rejects]
    assert [None, 18, 30] == [reject.offset for reject in files.rejects]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skipped = dedup.files(path, on_error="skip")
        dedup.find_duplicates(skipped)
        assert 2 == len(skipped.rejects)
    with pytest.raises(InputError, match=r"a.jsonl:2: field 'text': expected a text, found int; mend it"):
        dedup.find_duplicates(dedup.files(path, on_error="fail"))
    with pytest.raises(InputError, match=r"expected at most 1 rejected, found"):
        dedup.find_duplicates(dedup.files(path, max_errors=1))
    with pytest.raises(InputError, match=r"expected at most 10% rejected, found 2 of 4 records"):
        dedup.find_duplicates(dedup.files(path, max_errors="10%"))
    with pytest.warns(UserWarning, match="rejected"):
        dedup.find_duplicates(dedup.files(path, max_errors="50%"))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl", b"", "expected texts, found none in"),
        ("a.jsonl", b"\n\n", "expected texts, found none in"),
        ("a.jsonl", b"{\n{\n", "expected texts, found none in .*; 2 were rejected, the first: .*a.jsonl:1: not JSON"),
        ("a.jsonl", b'{"text": ""}\n{"text": " "}\n', "expected texts, found nothing but white space in 2 texts of"),
        ("a.csv", b"", "expected texts, found none in"),
        ("a.csv", b"text\n", "expected texts, found none in"),
        ("a.txt", b" \n", "expected texts, found nothing but white space in 1 text of"),
    ],
)
def test_nothing_to_search(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    """No records, and nothing but empty texts, are errors."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        dedup.find_duplicates(tmp_path / name)
    with pytest.raises(InputError, match="expected readable texts, found none in"):
        dedup.files(tmp_path / "other")


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "a"], r'id="key": expected unique ids, found .a. at .*a.jsonl:1 and at .*a.jsonl:3'),
        ([7, 8, 7], r'id="key": expected unique ids, found 7 at .*a.jsonl:1 and at .*a.jsonl:3'),
        (["a", None, "b"], r'id="key": expected an int or a text, found null at .*a.jsonl:2'),
        ([1, 2, "b"], r'id="key": expected one type, found 1 at .*a.jsonl:1 and .b. at .*a.jsonl:3'),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_wrong_ids(ids: list[Any], message: str, size: int, tmp_path: Path) -> None:
    """Of two equal ids, both places are named, in one batch or in several."""
    records = [{"text": f"text {i}", "key": key} for i, key in enumerate(ids)]
    path = write(tmp_path, ".jsonl", "", records)
    with pytest.raises(InputError, match=message):
        dedup.find_duplicates(dedup.files(path, id="key").read(batches=BatchLimits(size=size)))


def test_wrong_use(tmp_path: Path) -> None:
    """Ids together with files, and files to filter, are errors that say what to do."""
    path = write(tmp_path, ".jsonl")
    with pytest.raises(ParameterError, match="ids: files have their own"):
        dedup.find_duplicates(path, ids=["a"])
    with pytest.raises(InputError, match="filter: expected the collection that was searched, found files"):
        dedup.find_duplicates(path).filter(dedup.files(path))


def test_few_open_files(tmp_path: Path) -> None:
    """Many files are read one after the other, with few of them open."""
    for i in range(300):
        (tmp_path / f"{i}.txt").write_text(f"text number {i} of many others", encoding="utf-8")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    dedup.find_duplicates(["warm up"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        assert 300 == dedup.find_duplicates(tmp_path).summary.texts
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ------------------------------------------------------------------- what other libraries hold


def hugging_face(records: list[dict[str, Any]]) -> Any:
    """Give a Hugging Face data set."""
    return pytest.importorskip("datasets").Dataset.from_list(records)


def hugging_face_stream(records: list[dict[str, Any]]) -> Any:
    """Give a Hugging Face data set that is read once, in order."""
    return hugging_face(records).to_iterable_dataset()


def lazy_frame(records: list[dict[str, Any]]) -> Any:
    """Give a lazy polars frame."""
    return pytest.importorskip("polars").LazyFrame(records)


def relation(records: list[dict[str, Any]]) -> Any:
    """Give a relation of DuckDB."""
    data = corpus_files.table(records)
    return pytest.importorskip("duckdb").connect().from_arrow(data)


@pytest.mark.parametrize("make", [hugging_face, hugging_face_stream, lazy_frame, relation])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_tables_of_other_libraries(make: Callable[[list[dict[str, Any]]], Any]) -> None:
    """The same pairs from what other libraries hold."""
    ids = [record["key"] for record in RECORDS]
    expected = table_rows.tables(dedup.find_duplicates(TEXTS, ids=ids, shingle="words:3"))
    assert expected == table_rows.tables(dedup.find_duplicates(make(RECORDS), id="key", shingle="words:3"))
    with pytest.raises(InputError, match='column="body": no such column; found'):
        dedup.find_duplicates(make(RECORDS), column="body")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_data_set_comes_back() -> None:
    """A Hugging Face data set is filtered to one, and only its text column is looked at."""
    data = hugging_face(RECORDS)
    result = dedup.find_duplicates(data, id="key", shingle="words:3")
    kept = result.filter(data)
    assert type(data) is type(kept)
    assert result.kept.to_pylist() == kept["key"][:]
    column = dedup.find_duplicates(data["text"], shingle="words:3")
    assert len(kept) == len(column.kept)


def test_a_lazy_frame_comes_back() -> None:
    """A lazy polars frame is filtered to a lazy one."""
    data = lazy_frame(RECORDS)
    result = dedup.find_duplicates(data, id="key", shingle="words:3")
    kept = result.filter(data)
    assert type(data) is type(kept)
    assert result.kept.to_pylist() == kept.collect()["key"].to_list()


def test_nothing_found_with_ids_of_texts(tmp_path: Path) -> None:
    """Tables without a row have their columns, of whatever type the ids are."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "x", "text": "one two three"}\n{"id": "y", "text": "four five six"}\n', encoding="utf-8")
    found = dedup.find_duplicates(path, id="id")
    assert (found.pairs.num_rows, found.clusters.num_rows, len(found.removed), found.repeated.num_rows) == (0, 0, 0, 0)
    assert found.clusters.schema.field("id").type == pa.string()
    assert dedup.find_repeats(path, id="id").table.num_rows == 0
    assert dedup.match(path, ["seven eight"], id="id").passages.num_rows == 0
    dedup.write_report(tmp_path / "report", found)


def test_a_hostile_name_in_a_message(tmp_path: Path) -> None:
    """Warnings and errors are lines that steer no terminal, from Python as well."""
    (tmp_path / "a.jsonl").write_text('{"text": "a b"}\n', encoding="utf-8")
    (tmp_path / "x\x1b[2J.docx").touch()
    with pytest.warns(UserWarning, match=r"1 file not read.*x\\x1b\[2J\.docx"):
        dedup.find_duplicates(tmp_path)
    (tmp_path / "q\x1b]0;t\x07.jsonl").write_text('{"body": "a b"}\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        dedup.find_duplicates(tmp_path / "q\x1b]0;t\x07.jsonl")
    assert "\x1b" not in str(caught.value)
    assert r"q\x1b]0;t\x07.jsonl" in str(caught.value)
