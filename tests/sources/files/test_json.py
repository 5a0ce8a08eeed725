"""JSON that is not in lines: where its values end, what is a record, what is rejected, and what is written back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.kernels.json_values import value_ends
from dedup.report.apply import apply_report
from dedup.report.rewriting.json_edits import with_value
from dedup.report.write import write_run_report
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files, strategies
from tests.corpus_files import PACKERS, read_all


def plain_ends(data: bytes, *, array: bool) -> list[int]:
    """Return where values end: the page of `dedup.kernels.json_values`, literally."""
    ends, depth, state = [], int(array), "outside"
    for at, byte in enumerate(map(chr, data), start=1):
        if state == "escaped":
            state = "string"
        elif state == "string":
            state = {'"': "outside", "\\": "escaped"}.get(byte, "string")
        elif byte == '"':
            state = "string"
        elif byte in "[{":
            depth += 1
        elif byte == "," and array and depth == 1:
            ends.append(at)
        elif byte == "]" or (byte == "}" and depth > array):
            depth = max(depth - 1, 0)
            if depth == 0:
                ends.append(at)
                if array:
                    break
    return ends


@given(st.text('[]{},"\\a ', max_size=40).map(str.encode) | st.binary(max_size=40), st.integers(0, 40), st.booleans())
@example(b'{"a": "]}\\""}, 2 ,} x, [1]] tail', 7, True)
def test_where_values_end(data: bytes, cut: int, array: bool) -> None:
    """The kernel says what its page says, in one piece or in two."""
    ends: list[int] = []
    depth, state, start = int(array), 0, 0
    for part in (data[:cut], data[cut:]):
        here = np.zeros(len(part) + 1, dtype=np.int64)
        count, depth, state, seen = value_ends(np.frombuffer(part, dtype=np.uint8), int(array), depth, state, here)
        ends += (here[:count] + start).tolist()
        start += len(part)
        if array and depth == 0:
            assert ends[-1] == start - len(part) + seen
            break
        assert seen == len(part)
    assert plain_ends(data, array=array) == ends


def write(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


RECORDS = [
    {"text": "one", "n": 1},
    {"text": 'two "[{,', "n": 2},
    {"text": None, "n": 3},
    {"text": "é\ud83d\ude00", "n": 4},
]
TEXTS = ["one", 'two "[{,', None, "é😀"]

FORMS = {
    "array": json.dumps(RECORDS),
    "array over lines": json.dumps(RECORDS, indent=2),
    "array, not ASCII": json.dumps(RECORDS).replace("\\u00e9", "é"),
    "array after a mark": "\ufeff \r\n" + json.dumps(RECORDS, indent=1) + " \n\n",
    "objects over lines": "\n".join(json.dumps(each, indent=2) for each in RECORDS),
    "objects without line breaks": "".join(map(json.dumps, RECORDS)),
}


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 40, 1 << 20])
def test_forms(form: str, packing: str, size: int, tmp_path: Path) -> None:
    """Texts, ids, numbers and the places of records, wherever batches end, and from any token on."""
    data = FORMS[form].encode()
    path, limits = write(tmp_path, f"a.json{packing}", PACKERS[packing](data)), BatchLimits(size=size)
    listing = Listing([path])
    batches = list(read_batches(listing, id="n", limits=limits))
    rows = [row for batch in batches for row in corpus_files.rows_of(batch)]
    assert [(i, text, i) for i, text in enumerate(TEXTS, start=1)] == [(row.number, row.text, row.id) for row in rows]
    assert not any(batch.rejects for batch in batches)
    starts = [int(start) for batch in batches for start in batch.offsets]
    assert all(data[start:].startswith(b"{") for start in starts)
    assert size > 1 or len(batches) == len(TEXTS)
    for i, batch in enumerate(batches):
        rest = list(read_batches(listing, id="n", after=json.loads(json.dumps(batch.more)), limits=limits))
        assert [each.more for each in batches[i + 1 :]] == [each.more for each in rest]


OBJECT, JSON = "expected a JSON object, found", "not JSON: Expecting value at"
NOT_CLOSED = "expected a comma or ] after a value, found the end of the file"

BAD: dict[str, tuple[str, list[tuple[int, str | None]], list[tuple[int | None, str]]]] = {
    "a number": ('[{"text": "a"}, 5, {"text": "b"}]', [(1, "a"), (3, "b")], [(2, f"{OBJECT} int")]),
    "no JSON": ('[{"text": "a"}, x y, {"text": "b"}]', [(1, "a"), (3, "b")], [(2, f"{JSON} column 1")]),
    "nothing": ('[{"text": "a"},,{"text": "b"}]', [(1, "a"), (3, "b")], [(2, f"{JSON} column 1")]),
    "a comma too many": ('[{"text": "a"},\n]', [(1, "a")], [(2, f"{JSON} column 1")]),
    "no text": ('[{"text": "a"}, {"body": 1}]', [(1, "a")], [(2, "no field 'text'; found 'body'")]),
    "a number for a text": ('[{"text": "a"},{"text": 1}]', [(1, "a")], [(2, "field 'text': expected a text")]),
    "over lines": ('[{"text": "a"},{\n"n": 1,\n"text": x}]', [(1, "a")], [(2, f"{JSON} line 3 of the record")]),
    "not closed": ('[{"text": "a"}, {"text": "b"}', [(1, "a")], [(2, NOT_CLOSED)]),
    "cut off": ('[{"text": "a"}, {"te', [(1, "a")], [(2, NOT_CLOSED)]),
    "more after it": ('[{"text": "a"}] x', [(1, "a")], [(2, "expected the end of the file after the array")]),
    "objects, cut off": ('{"text":\n "a"} {"te', [(1, "a")], [(2, "expected a whole JSON object")]),
    "between objects": ('{"text":\n "a"} x {"text": "b"}', [(1, "a")], [(2, f"{JSON} column 1")]),
    "a word": ("hello", [], [(None, "expected a JSON array or JSON objects, found 'h' at offset 0")]),
    "lists": ('[[1], ["a"]]', [], [(1, f"{OBJECT} list"), (2, f"{OBJECT} list")]),
    "deep": ('[{"text": "a"},' + "[" * 5000 + "]" * 5000 + "]", [(1, "a")], [(2, "nested too deeply")]),
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("name", BAD)
def test_bad_values(name: str, size: int, tmp_path: Path) -> None:
    """A value that is no record is rejected with its number; those round it are read."""
    data, texts, reasons = BAD[name]
    rows, rejects = read_all(write(tmp_path, "a.json", data), limits=BatchLimits(size=size))
    assert texts == [(row.number, row.text) for row in rows]
    assert [line for line, _ in reasons] == [line for line, _, _ in rejects]
    assert all(found.startswith(reason) for (_, reason), (_, _, found) in zip(reasons, rejects, strict=True))


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    """They are a reject in the text of a record, and ignored elsewhere."""
    data = b'[{"text": "a", "x": "\xff"}, {"text": "caf\xe9"}]'
    rows, rejects = read_all(write(tmp_path, "a.json", data))
    assert ["a"] == [row.text for row in rows]
    ((line, offset, reason),) = rejects
    assert (2, data.index(b'{"text": "caf')) == (line, offset)
    assert reason.startswith("not UTF-8: byte 0xe9 at offset 13 of the record; it looks like cp1252")


@pytest.mark.parametrize(
    "form", ['{{"text": "{text}", "x": NaN, "n": {n}}}\n', '[{{"text": "{text}", "x": NaN, "n": {n}}}]']
)
def test_numbers_of_any_length(form: str, tmp_path: Path) -> None:
    """A number in another field may have more digits than Python reads; a number of that length is no id."""
    path = tmp_path / ("a.jsonl" if form.endswith("\n") else "a.json")
    path.write_text(form.format(text="a b", n="7" * 5000), encoding="utf-8")
    assert ["a b"] == list(dedup.files(path).read())
    with pytest.raises(dedup.InputError, match="expected"):
        list(dedup.files(path, id="n").read())


def test_texts_alone(tmp_path: Path) -> None:
    """The strings of an array are texts, unless a column or an id was named."""
    path = write(tmp_path, "a.json", '["one \\" two", "é", null, {"text": "three"}]')
    rows, rejects = read_all(path)
    assert [(1, 'one " two'), (2, "é"), (3, None), (4, "three")] == [(row.number, row.text) for row in rows]
    assert [] == rejects
    rows, rejects = read_all(write(tmp_path, "b.json", '["one", {"body": "two"}]'), column="body")
    assert (["two"], ["expected a JSON object, found str"]) == (
        [row.text for row in rows],
        [each[2] for each in rejects],
    )


def test_empty_files(tmp_path: Path) -> None:
    """No record, and no reject."""
    for data in ("", " \n", "[]", " [ \n ] "):
        assert ([], []) == read_all(write(tmp_path, "a.json", data))
    with pytest.raises(InputError, match="expected texts, found none in"):
        dedup.find_duplicates(dedup.files(tmp_path / "a.json"))


def test_large_values(tmp_path: Path) -> None:
    """A record above the limit is rejected and never held; those round it are read."""
    large = "x" * 3_000_000
    data = json.dumps([{"text": "a"}, {"text": large}, {"text": "b"}])
    for form in (data, data[1:-1].replace("}, {", "}\n\n{")):
        listing = Listing([write(tmp_path, "a.json", form)], format="json").bounded(1)
        batches = list(read_batches(listing))
        rows = [row for batch in batches for row in corpus_files.rows_of(batch)]
        assert [(1, "a"), (3, "b")] == [(row.number, row.text) for row in rows]
        ((_, line, _, reason),) = [reject for batch in batches for reject in batch.rejects]
        assert line == 2
        assert reason.startswith("expected a record of 1,048,576 bytes or fewer")


def test_which_json_a_folder_gives(tmp_path: Path) -> None:
    """Arrays and lines are read; an object over several lines may be anything, and is read if it is named."""
    write(tmp_path, "array.json", '[{"text": "a"}]')
    write(tmp_path, "lines.json", '{"text": "b"}\n{"text": "c"}\n')
    settings = write(tmp_path, "settings.json", '{\n"text": "d"\n}\n')
    listing = Listing([tmp_path])
    assert ["json", "jsonl"] == [entry.format for entry in listing]
    assert {"files": 1, "kinds": {".json": 1}, "examples": [str(settings)]} == listing.unread.to_dict()
    assert ["json", "jsonl", "json"] == [entry.format for entry in Listing([str(tmp_path / "*.json")])]
    assert ["d"] == [row.text for row in read_all(settings)[0]]


# ------------------------------------------------------------------------------------- written back


def applied(path: Path, folder: Path, *, format: str | None = None, **options: Any) -> bytes:
    """Search a file and give what apply writes."""
    keys = {"annotate": options.pop("annotate", False)}
    listing = Listing([path], format=format)
    corpus, rejects = corpus_files.searched(listing)
    result = dedup.find_duplicates(corpus.texts, shingle="words:1", **options)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        write_run_report(Path(name) / "report", result, listing=corpus.listing, rejects=rejects)
        apply_report(Path(name) / "report", Path(name) / "out", **keys)
        return (Path(name) / "out" / path.name).read_bytes()


ONE, TWO, SAME = '{"text": "one",\n "n": [1, {}]}', '{ "text":"tw\\u006f" }', '{"text": "one!"}'

WRITTEN = {
    "none": (f"[\n  {ONE},\n  {TWO}\n]\n", f"[\n  {ONE},\n  {TWO}\n]\n"),
    "the last": (f"\ufeff[\n  {ONE},\n  {TWO},\n  {SAME}\n]\n", f"\ufeff[\n  {ONE},\n  {TWO}\n]\n"),
    "in the middle": (f"[{ONE} , {SAME} , {TWO} ]", f"[{ONE} , {TWO} ]"),
    "rejects": (f"[\n  5,\n  {ONE},\n  x]", f"[\n  {ONE}]"),
    "not closed": (f"[{ONE}, {TWO}, {SAME}", f"[{ONE}, {TWO}]"),
    "not only an array": (f"[{ONE}] x", f"[{ONE}]"),
    "texts": ('["one", "ONE",\n "two"]', '["one",\n "two"]'),
    "objects": (f"\n{ONE}\n{SAME}\n{TWO}\n", f"\n{ONE}\n{TWO}\n"),
    "objects, the first": (f'{{\n"text": 5}}\n{ONE}\n{TWO}', f"{ONE}\n{TWO}"),
}


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("name", WRITTEN)
def test_kept_elements_keep_their_bytes(name: str, packing: str, tmp_path: Path) -> None:
    """Removed and rejected ones are left out, each with one comma; the rest is as it was."""
    before, after = WRITTEN[name]
    path = write(tmp_path, f"a.json{packing}", PACKERS[packing](before.encode()))
    found = applied(path, tmp_path)
    assert after == corpus_files.unpack(found, "gzip" if packing else None).decode()


@given(st.lists(strategies.texts(), min_size=1, max_size=9), st.booleans(), st.sampled_from([None, 1]))
def test_what_is_written_is_read(texts: list[str], array: bool, indent: int | None) -> None:
    """It is JSON, with the records that are kept, in order."""
    texts = [*texts, "a"]
    records = [{"n": i, "text": text} for i, text in enumerate(texts)]
    data = json.dumps(records, indent=indent) if array else "\n\n".join(json.dumps(each, indent=1) for each in records)
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), "a.json", data)
        found = applied(path, Path(name), format="json").decode()
        kept = dedup.find_duplicates(texts, shingle="words:1").kept.to_pylist()
    expected = [records[i] for i in kept]
    decoder, again, at = json.JSONDecoder(), [], 0
    if array:
        again = json.loads(found)
    else:
        while at < len(found):
            value, at = decoder.raw_decode(found, at)
            again.append(value)
            at += len(found[at:]) - len(found[at:].lstrip())
    assert expected == again


def test_paragraphs_are_cut(tmp_path: Path) -> None:
    """Only the value of the text changes, in a record or in a text alone; all else keeps its bytes."""
    data = '[ {"n": 1.0, "text": "one two\\n\\nthree"} ,\n"three\\n\\nfour é" ]'
    found = applied(write(tmp_path, "a.json", data), tmp_path, unit="paragraph")
    assert '[ {"n": 1.0, "text": "one two\\n\\nthree"} ,\n"four é" ]' == found.decode()


def test_decisions_are_added(tmp_path: Path) -> None:
    """To every record, at its end; a text alone has no fields."""
    found = applied(write(tmp_path, "a.json", f"[{ONE}, {SAME} ]"), tmp_path, annotate=True)
    assert [True, False] == [each["dedup_kept"] for each in json.loads(found)]
    assert found.startswith(b'[{"text": "one",\n "n": [1, {}],"dedup_cluster":0')
    with pytest.raises(ParameterError, match="annotate: expected files of records with fields, found the texts"):
        applied(write(tmp_path, "b.json", '["one", "one"]'), tmp_path, annotate=True)


def test_bytes_elsewhere_are_written(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 in another field are as they were, though the text changes."""
    line = b'{"x": "\xff", "text": "a"}'
    assert b'{"x": "\xff", "text": "b"}' == with_value(line, "text", lambda _: "b")
    data = b'[{"text": "a\\n\\nb"},{"x": "\xff", "text": "b\\n\\nc"}]'
    found = applied(write(tmp_path, "a.json", data), tmp_path, unit="paragraph")
    assert b'[{"text": "a\\n\\nb"},{"x": "\xff", "text": "c"}]' == found
