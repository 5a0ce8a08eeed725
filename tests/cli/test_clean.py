"""`dedup apply` of repeats, and `dedup clean`: one step that gives what the search and the apply give."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import dedup
from dedup.cli import main
from dedup.report.read import Report
from tests import corpora, corpus_files
from tests.archive_files import dump, wet

DONE, WRONG, REJECTED, UNWRITABLE = 0, 2, 3, 74
ROOT = Path(dedup.__file__).parent.parent
FORMATS = ["jsonl", "csv", "tsv", "parquet", "arrow"]


def call(*arguments: str | Path, **more: Any) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False, **more)


def doubled(seed: int = 1, gap: str = "\n") -> str:
    """Give an article whose body occurs twice; `gap` is between its paragraphs."""
    return corpora.doubled_article(seed).text.replace("\n", gap)


def texts() -> list[str]:
    """Give articles with a doubled body, one without, and one whose body is that of the first."""
    own = "\n".join(corpora.body(seed=77, size=3))
    return [doubled(1), own, doubled(2, "\n\n"), "", "A line of its own\n" + doubled(1)]


def paragraphs(text: str) -> list[str]:
    """Give the lines of a text that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_back(path: Path, form: str) -> list[dict[str, Any]]:
    """Give the records of a file of `form`."""
    if form in ("parquet", "arrow"):
        table = pq.read_table(path) if form == "parquet" else corpus_files.pa.ipc.open_file(path).read_all()
        return table.to_pylist()
    files = dedup.files(path, id=None, format=form)
    return [{"text": text} for text in files.read()]


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("form", FORMATS)
def test_repeats_are_cut(form: str, compression: str | None, place: Path) -> None:
    """In each format: the texts are those without repeats, and `clean` writes the bytes that `apply` writes."""
    rows = [{"text": text, "n": i} for i, text in enumerate(texts())]
    name = f"a.{form}{'.gz' if compression else ''}"
    corpus_files.write(place / "in", name, corpus_files.pack(corpus_files.encode(form, rows), compression))
    assert DONE == call("repeats", "in", "--output", "report").exit_code
    done = call("apply", "report", "--output", "out")
    assert "5 records written to 1 file, duplicate parts cut out of 3; 0 removed, 0 rejected\n" == done.stdout
    expected = dedup.find_repeats([row["text"] for row in rows]).without_repeats()
    (place / "plain").write_bytes(corpus_files.unpack((place / "out" / name).read_bytes(), compression))
    found = [row["text"] or "" for row in read_back(place / "plain", form)]
    assert list(map(paragraphs, expected)) == list(map(paragraphs, found))
    assert [expected[0].rstrip("\n"), expected[1]] == [found[0].rstrip("\n"), found[1]]
    assert not re.search("\n\n\n", found[2])
    done = call("clean", f"in/{name}", "--repeats", "--output", f"clean-{name}")
    assert DONE == done.exit_code, done.stderr
    assert (place / "out" / name).read_bytes() == (place / f"clean-{name}").read_bytes()


def test_untouched_records_keep_their_bytes(place: Path) -> None:
    """Odd spacing, escapes and the order of fields, also of fields beside a text that is cut."""
    whole, plain = doubled(3), "words that are only here, \u00e9"
    lines = [
        json.dumps(whole).join(['{"n":  1,"text" :', ' ,"z":"\\u00e9"}']),
        '{ "text":"' + plain + '" , "n":1.50}',
        '{"text": null}',
    ]
    (place / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert DONE == call("clean", "a.jsonl", "--repeats", "-o", "b.jsonl").exit_code
    new = (place / "b.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines[1:] == new[1:]
    cut = dedup.find_repeats(whole).without_repeats()
    assert new[0].startswith('{"n":  1,"text" :"')
    assert new[0].endswith('" ,"z":"\\u00e9"}')
    assert json.loads(new[0])["text"].rstrip("\n") == cut.rstrip("\n")


def test_texts_of_lines_are_kept(place: Path) -> None:
    """A text a line, doubled: the second line is empty, and there as a record."""
    line = " ".join(f"word{i}" for i in range(60))
    (place / "a.log").write_text(f"{line}\nother words\n{line}\n")
    done = call("clean", "a.log", "--format", "lines", "--repeats", "-o", "b.log")
    assert DONE == done.exit_code, done.stderr
    assert f"{line}\nother words\n\n" == (place / "b.log").read_text()


def test_the_headline(place: Path) -> None:
    """The article whose body occurs twice is cleaned in one command, and cleaning it again changes nothing."""
    article = ROOT / "docs/examples/doubled-article.txt"
    done = call("clean", article, "--repeats", "--output", "clean.txt")
    assert (DONE, "1 record written to 1 file, duplicate parts cut out of 1; 0 removed, 0 rejected\n") == (
        done.exit_code,
        done.stdout,
    )
    assert "1 text, 1 repeat: 48.7 % of all characters repeat something earlier\n" == done.stderr
    text = article.read_text(encoding="utf-8")
    clean = (place / "clean.txt").read_text(encoding="utf-8")
    assert dedup.find_repeats(text).without_repeats() == clean
    assert text[:3151] + text[6202:] == clean
    again = call("clean", "clean.txt", "--repeats", "--output", "again.txt")
    assert (place / "again.txt").read_bytes() == (place / "clean.txt").read_bytes()
    assert again.stdout.startswith("1 record written to 1 file; 0 removed")


def test_short_paragraphs_are_cut_if_asked_for(place: Path) -> None:
    """A paragraph of ten words that occurs twice is cut out by a search for repeats of five words, not by another."""
    line = "the bridge over the canal is closed until next monday"
    (place / "a.txt").write_text(f"{line}\n\nsomething else is said here\n\n{line}\n")
    done = call("clean", "a.txt", "--repeats", "-w", "5", "-o", "b.txt")
    assert DONE == done.exit_code, done.stderr
    assert f"{line}\n\nsomething else is said here\n" == (place / "b.txt").read_text()
    call("clean", "a.txt", "--repeats", "-o", "c.txt")
    assert (place / "a.txt").read_bytes() == (place / "c.txt").read_bytes()


def test_repeats_inside_a_paragraph_are_named(place: Path) -> None:
    """They are left, as `without_repeats` leaves them."""
    words = " ".join(f"word{i}" for i in range(80))
    (place / "a.txt").write_text(f"{words} and again {words}\n")
    done = call("clean", "a.txt", "--repeats", "-o", "b.txt")
    told = (
        "dedup: 1 repeat without a complete paragraph: apply and clean leave these as they are; in Python, "
        "without_repeats(whole_paragraphs=False) cuts them out\n"
    )
    assert 1 == done.stderr.count(told)
    assert (place / "a.txt").read_bytes() == (place / "b.txt").read_bytes()
    done = call("repeats", "a.txt")
    assert done.stdout.startswith("repeat 1: no complete paragraph, 80 words\n")
    assert told == done.stderr
    call("repeats", "a.txt", "--output", "report")
    done = call("apply", "report", "--output", "out")
    assert told == done.stderr
    done = call("clean", "a.txt", "--repeats", "--dry-run")
    assert 1 == done.stderr.count(told)


@pytest.fixture
def corpus(place: Path) -> Path:
    """Write a corpus of two formats, with families of near duplicates."""
    rows = [{"n": i, "text": text, "score": (i * 7) % 5} for i, text in enumerate(corpora.families(count=6, size=4))]
    corpus_files.write(place / "corpus", "a.jsonl.gz", corpus_files.pack(corpus_files.encode("jsonl", rows), "gzip"))
    corpus_files.write(place / "corpus", "deep/b.parquet", corpus_files.encode("parquet", rows[14:]))
    corpus_files.write(place / "corpus", "c.txt", "\n\n".join([rows[0]["text"], rows[1]["text"]]).encode())
    return place


OPTIONS = [
    [],
    ["--keep", "max:score", "--threshold", "0.6"],
    ["--unit", "paragraph"],
    ["--unit", "line", "--threshold", "0.5"],
    ["--metric", "containment", "--keep", "longest"],
    ["--keep", "none", "--min-documents", "3"],
    ["--memory", "400MB"],
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_clean_is_find_and_apply(options: list[str], corpus: Path) -> None:
    """The same files, byte for byte, and the same numbers; a dry run says them and writes nothing."""
    if "max:score" in options:
        (corpus / "corpus" / "c.txt").unlink()
    assert DONE == call("find", "corpus", "--output", "report", *options).exit_code
    applied = call("apply", "report", "--output", "out", "--json")
    dry = call("clean", "corpus", "--dry-run", "--json", *options)
    assert {**json.loads(applied.stdout), "dry_run": True} == json.loads(dry.stdout)
    done = call("clean", "corpus", "--output", "clean", "--json", *options)
    assert DONE == done.exit_code, done.stderr
    assert applied.stdout == done.stdout
    files = [path.relative_to("out") for path in Path("out").rglob("*") if path.is_file()]
    assert sorted(files) == sorted(path.relative_to("clean") for path in Path("clean").rglob("*") if path.is_file())
    assert len(files) > 1
    for path in files:
        assert (corpus / "out" / path).read_bytes() == (corpus / "clean" / path).read_bytes()
    assert ["clean", "corpus", "out", "report"] == sorted(os.listdir())


def test_a_dry_run_shows_what_goes(corpus: Path) -> None:
    """As `find` and `repeats` print it, and the numbers at the end; nothing is written."""
    found = call("find", "corpus")
    dry = call("clean", "corpus", "--dry-run")
    assert found.stdout == "".join(dry.stdout.splitlines(keepends=True)[:-1])
    assert re.fullmatch(
        r"dry run: \d+ records would be written to \d files; \d+ removed, 0 rejected", dry.stdout.splitlines()[-1]
    )
    (corpus / "a.txt").write_text(doubled(1))
    found, dry = call("repeats", "a.txt"), call("clean", "a.txt", "--repeats", "--dry-run", "--output", "b.txt")
    assert found.stdout == "".join(dry.stdout.splitlines(keepends=True)[:-1])
    assert ["a.txt", "corpus"] == sorted(os.listdir())


def test_standard_input_and_output(place: Path) -> None:
    """A filter of a pipe, without an option; all that is said is on standard error."""
    text = doubled(1)
    done = call("clean", "-", "--repeats", input=text)
    assert dedup.find_repeats(text).without_repeats().rstrip("\n") == done.stdout.rstrip("\n")
    assert done.stderr.startswith("1 record written")
    lines = '{"text": "a b c d e f g"}\n{"text":  "A B c d e f g"}\n{"text": "x"}\n'
    done = call("clean", "-", input=lines)
    assert '{"text": "a b c d e f g"}\n{"text": "x"}\n' == done.stdout
    done = call("clean", "-", "--output", "new/x.jsonl", input=lines)
    assert '{"text": "a b c d e f g"}\n{"text": "x"}\n' == (place / "new/x.jsonl").read_text()
    (place / "a.jsonl").write_text(lines)
    done = call("clean", "a.jsonl", "--output", "-")
    assert '{"text": "a b c d e f g"}\n{"text": "x"}\n' == done.stdout
    assert ["a.jsonl", "new"] == sorted(os.listdir())


def test_a_file_for_a_file_and_a_folder_for_several(corpus: Path) -> None:
    """What PATH is depends on how many files there are; a slash at its end makes a folder."""
    call("clean", "corpus/c.txt", "--unit", "paragraph", "--output", "new.md")
    assert Path("new.md").is_file()
    assert 0o666 & ~umask() == stat.S_IMODE(Path("new.md").stat().st_mode)
    call("clean", "corpus/c.txt", "--unit", "paragraph", "--output", "of_one/")
    assert ["c.txt"] == os.listdir("of_one")
    call("clean", "corpus/c.txt", "corpus/a.jsonl.gz", "--unit", "paragraph", "--output", "of_two")
    assert ["a.jsonl.gz", "c.txt"] == sorted(os.listdir("of_two"))
    call("clean", "corpus/*.txt", "corpus/*.gz", "--unit", "paragraph", "--output", "of_patterns")
    assert ["a.jsonl.gz", "c.txt"] == sorted(os.listdir("of_patterns"))
    call("clean", "corpus", "--unit", "paragraph", "--output", "of_folder")
    assert ["a.jsonl.gz", "c.txt", "deep"] == sorted(os.listdir("of_folder"))


def umask() -> int:
    """Give the mask of new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


REFUSED = {
    "no output": (["corpus"], "output: expected a name for what is written, found none; give --output PATH"),
    "an input": (["corpus/c.txt", "-o", "corpus/c.txt"], "corpus/c.txt is the input corpus/c.txt; choose another"),
    "a link to an input": (["corpus/c.txt", "-o", "link.txt"], "is the input corpus/c.txt; choose another"),
    "a file that exists": (["corpus/c.txt", "-o", "other.txt"], "expected the name of something new, found other.txt"),
    "a folder that exists": (["corpus", "-o", "empty"], "the name of something new, found empty, which exists"),
    "a link to nothing": (["corpus/c.txt", "-o", "dangling"], "expected the name of something new, found dangling"),
    "in the input": (["corpus", "-o", "corpus/clean"], "corpus/clean lies in the input corpus; choose"),
    "inside a file": (["corpus/c.txt", "-o", "other.txt/x"], "expected a folder, found the file .*other.txt"),
    "in a folder of a pattern": (["corpus/**/*.parquet", "-o", "corpus/deep/b.parquet/x"], "lies in|expected a folder"),
    "another format": (["corpus/a.jsonl.gz", "-o", "b.csv"], "for jsonl .gzip., as .* found b.csv, a name for csv"),
    "another compression": (["corpus/a.jsonl.gz", "-o", "b.jsonl"], "found b.jsonl, a name for jsonl; choose"),
    "several to a stream": (["corpus/c.txt", "corpus/a.jsonl.gz", "-o", "-"], "expected a folder for several files"),
    "a pattern to a stream": (["corpus/*", "-o", "-"], "expected one file for standard output, found 3; name"),
    "a folder to a stream": (["corpus", "-o", "-"], 'expected a folder for several files, found "-"'),
    "standard input and files": (["-", "corpus", "-o", "x"], '"-" .standard input. alone, or files, found both'),
    "standard input to a folder": (["-", "-o", "x/"], "expected a file for standard input, found the name of a folder"),
    "keep and repeats": (["corpus", "--repeats", "--keep", "last", "-o", "x"], "--keep: expected no such option with"),
    "unit and repeats": (["corpus", "--unit", "line", "--repeats", "-o", "x"], "--unit: expected no such option with"),
    "words without repeats": (["corpus", "--min-words", "9", "-o", "x"], "--min-words: expected --repeats with it"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str, corpus: Path) -> None:
    """Code 2, one line, and nothing is written."""
    arguments, says = REFUSED[kind]
    (corpus / "other.txt").write_text("years of work")
    (corpus / "empty").mkdir()
    (corpus / "link.txt").symlink_to("corpus/c.txt")
    (corpus / "dangling").symlink_to("nowhere")
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in corpus.rglob("*") if path.name != "corpus")
    done = call("clean", *arguments, input='{"text": "a b c"}\n')
    assert (WRONG, "") == (done.exit_code, done.stdout), done.stderr
    assert re.search(says, done.stderr.splitlines()[-1]), done.stderr
    assert before == sorted(
        (str(path), path.lstat().st_mtime_ns) for path in corpus.rglob("*") if path.name != "corpus"
    )


def test_rejects(corpus: Path) -> None:
    """Named, left out, and code 3, as by find and apply."""
    (corpus / "corpus" / "d.jsonl").write_text('{"text": "some words"}\nnot json\n')
    done = call("clean", "corpus", "--output", "clean")
    assert REJECTED == done.exit_code
    assert "1 rejected" in done.stdout
    assert "dedup: rejected corpus/d.jsonl:2" in done.stderr
    assert '{"text": "some words"}\n' == (corpus / "clean" / "d.jsonl").read_text()
    assert REJECTED == call("clean", "corpus/d.jsonl", "--repeats", "--output", "x.jsonl").exit_code
    assert '{"text": "some words"}\n' == (corpus / "x.jsonl").read_text()


def test_an_old_report_of_repeats(place: Path) -> None:
    """It has no decisions: it says what to do."""
    (place / "a.txt").write_text(doubled(1))
    call("repeats", "a.txt", "--output", "report")
    report = Report.open("report")
    assert {"record": 1, "file": 0} == {name: report.decisions.to_pylist()[0][name] for name in ("record", "file")}
    from dedup.report.sealing import read_sealed, write_sealed

    body = read_sealed(Path("report/report.json"))
    body["files"] = [file for file in body["files"] if file["name"] != "decisions.parquet"]
    write_sealed(Path("report/report.json"), body)
    done = call("apply", "report", "--output", "out")
    assert WRONG == done.exit_code
    assert "expected decisions.parquet in report, found a report of repeats without it" in done.stderr
    assert "search again" in done.stderr


def test_annotate_and_overrides_of_repeats(place: Path) -> None:
    """Both are about documents."""
    (place / "a.jsonl").write_text(json.dumps({"text": doubled(1)}))
    (place / "o.jsonl").write_text('{"cluster": 0, "id": "a.jsonl:1", "verdict": "keep"}\n')
    call("repeats", "a.jsonl", "--output", "report")
    done = call("apply", "report", "--output", "out", "--annotate")
    assert "annotate: expected a report of documents, found one of repeats" in done.stderr
    done = call("apply", "report", "--output", "out", "--overrides", "o.jsonl")
    assert "expected decisions about a report of find, found one of repeats" in done.stderr


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize("options", [["--repeats"], ["--unit", "line"]])
@pytest.mark.parametrize("name", ["x.xml", "x.warc", "x.html"])
def test_texts_that_cannot_be_cut(
    name: str, options: list[str], dry: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused before anything is read, by the name of the option; documents are removed as ever."""
    content = {
        "x.xml": dump([doubled(1), doubled(2)]),
        "x.warc": wet([doubled(1)]),
        "x.html": b"<html><p>a text</p></html>",
    }
    (place / name).write_bytes(content[name])
    (place / "a.jsonl").write_text(json.dumps({"text": doubled(1)}))
    target = ["--dry-run"] if dry else ["--output", "out"]
    with monkeypatch.context() as unread:
        unread.setattr("dedup.sources.files.file_texts.read_batches", None)
        unread.setattr("dedup.pipelines.find_files.read_batches", None)
        done = call("clean", name, "a.jsonl", *options, *target)
    assert (WRONG, False) == (done.exit_code, Path("out").exists()), done.stderr
    assert f"dedup: {options[0]}: expected files whose texts can be changed, found {name}, which is " in done.stderr
    assert f"to cut {'repeats' if options[0] == '--repeats' else 'duplicate lines'} out of them" in done.stderr
    assert DONE == call("clean", name, "a.jsonl", *options, *target, "--exclude", name).exit_code
    assert DONE == call("clean", name, "a.jsonl", "--output", "documents").exit_code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk(place: Path) -> None:
    """Code 74 for standard output that is full."""
    (place / "a.txt").write_text(doubled(1))
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dedup", "clean", "a.txt", "--repeats", "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert UNWRITABLE == done.returncode
    assert "expected to write to standard output, found: No space left" in done.stderr


def test_a_work_directory(corpus: Path) -> None:
    """The same files; what the user named stays as an empty work directory, and is told apart from the output."""
    assert DONE == call("clean", "corpus", "--output", "plain").exit_code
    done = call("clean", "corpus", "--output", "clean", "--work-dir", "work", "--log-json")
    assert DONE == done.exit_code, done.stderr
    assert json.loads(done.stderr.splitlines()[0])["stage"] == "read"
    for path in Path("plain").rglob("*.*"):
        assert path.is_dir() or path.read_bytes() == (Path("clean") / path.relative_to("plain")).read_bytes()
    assert {"lock", "manifest.json"} == set(os.listdir("work"))
    for name in ("new", "new/inside"):
        done = call("clean", "corpus", "--output", "new", "--work-dir", name)
        assert (WRONG, False) == (done.exit_code, Path("new").exists()), done.stderr


@pytest.mark.parametrize("work", ["work", "clean.work", "corpus/work", "corpus/deep/er/work"])
def test_a_run_that_was_stopped_resumes(work: str, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the work directory that was named, anywhere, or from the one next to the output, which goes at the end.

    A work directory in a folder is never read as texts of it: not when it is emptied, and not when it is in use.
    """
    named = work != "clean.work"
    from dedup.pipelines import find_files
    from tests.plans import OnDisk

    plain, read = find_files.find_in_files, find_files.read_batches
    monkeypatch.setattr(find_files, "find_in_files", lambda *a, **b: plain(*a, planned=OnDisk, **b))
    options = ["--work-dir", work] if named else []
    first = call("find", "corpus", "--json").stdout
    command = ["clean", "corpus", "--output", "clean", *options]

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr("dedup.report.apply.apply_entries", stop)
        done = call(*command)
    assert (130, False) == (done.exit_code, Path("clean").exists())
    assert f"the intermediate results are kept in {work}: run the same command again" in done.stderr
    assert Path(work, "manifest.json").exists()
    monkeypatch.setattr(find_files, "find_in_files", plain)
    assert first == call("find", "corpus", "--json").stdout
    monkeypatch.setattr(find_files, "find_in_files", lambda *a, **b: plain(*a, planned=OnDisk, **b))
    monkeypatch.setattr(find_files, "read_batches", stop)  # nothing is read again
    assert DONE == (done := call(*command)).exit_code, done.stderr
    assert named == Path(work).exists()
    assert not named or {"lock", "manifest.json"} == set(os.listdir(work))
    monkeypatch.setattr(find_files, "read_batches", read)
    assert done.stdout == call("clean", "corpus", "--output", "again").stdout
    monkeypatch.setattr(find_files, "find_in_files", plain)
    assert first == call("find", "corpus", "--json").stdout


@pytest.mark.parametrize("command", ["find", "repeats", "match", "apply", "clean"])
def test_a_folder_with_the_name_of_a_file_is_asked_for(command: str, corpus: Path) -> None:
    """A file is expected then: an error that says what to do, at once; a slash makes a folder of that name."""
    call("find", "corpus", "--output", "report")
    inputs = ["report"] if command == "apply" else ["corpus"]
    inputs += ["--against", "corpus/c.txt"] if command == "match" else []
    for name in ("out.jsonl", "out.csv.gz", "out.PARQUET"):
        done = call(command, *inputs, "--output", name)
        assert (WRONG, "") == (done.exit_code, done.stdout)
        assert done.stderr.startswith("dedup: --output: expected a name for a new folder, ")
        assert f"write {name}/" in done.stderr
        assert not Path(name).exists()
    done = call(command, *inputs, "--output", "out.jsonl/")
    assert (DONE, True) == (done.exit_code, Path("out.jsonl").is_dir()), done.stderr
