"""A search over files: the same report whatever the memory, the threads and the shards, and however often stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.errors import InputError, ParameterError, StorageError
from dedup.pairs import block_join
from dedup.pipelines import memory as budgets
from dedup.pipelines.find import find_in
from dedup.pipelines.find_files import find_in_files
from dedup.pipelines.memory import FilePlan
from dedup.results.duplicates import Duplicates
from dedup.storage import atomic as stores
from tests.pipelines.test_memory import collection
from tests.plans import OnDisk

LONG = os.environ.get("DEDUP_HYPOTHESIS") == "long"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_hook() -> Iterator[None]:
    """Remove the hook after each test."""
    yield
    stores.hook = None


Planned = Callable[[Callable[..., FilePlan]], None]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Give what makes the command search by a plan: it has no option for one."""

    def plan(planned: Callable[..., FilePlan]) -> None:
        monkeypatch.setattr("dedup.pipelines.find_files.find_in_files", partial(find_in_files, planned=planned))

    return plan


@pytest.fixture
def tight(command: Planned) -> None:
    """Let no corpus of the command fit, and cut it into many small shards."""
    command(OnDisk)


def texts_with_edges() -> list[str]:
    """Return texts, some near or exact copies, some empty."""
    return [*collection(400), "", "!!", "short", "", "short"]


def write_corpus(folder: Path, texts: list[str]) -> list[str]:
    """Write texts as JSON lines into three files, with some bad lines; return the ids in order."""
    folder.mkdir()
    third = len(texts) // 3 + 1
    ids = []
    for number in range(3):
        path = folder / f"{number}.jsonl"
        with path.open("w", encoding="utf-8") as out:
            line = 0
            for at, text in enumerate(texts[number * third : (number + 1) * third]):
                if at % 50 == 7:
                    line += 1
                    out.write("not json\n")
                line += 1
                out.write(json.dumps({"text": text, "score": at % 7, "name": f"n{number}-{at}"}) + "\n")
                ids.append(f"{path}:{line}")
    return ids


def digest_of(report: Path) -> str:
    """Hash all files of a report but run.json."""
    digest = xxhash.xxh3_128()
    for path in sorted(report.iterdir()):
        if path.name != "run.json":
            digest.update(path.name.encode() + b"\n")
            digest.update(path.read_bytes())
    return digest.hexdigest()


def told(result: Duplicates) -> tuple[Any, ...]:
    """Return everything that a result says."""
    return result.pairs.to_pydict(), result.clusters.to_pydict(), result.kept.to_pylist(), result.removed.to_pylist()


OPTIONS: list[dict[str, Any]] = [
    {},
    {"keep": "longest"},
    {"keep": "last", "pairs": "all"},
    {"threshold": 0.3, "keep": "shortest"},
    {"metric": "containment"},
    {"unit": "paragraph"},
    {"unit": "line"},
    {"unit": "paragraph", "metric": "containment", "threshold": 0.5},
    {"shingle": "chars:8"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("room", [None, 256])
def test_files_give_what_memory_gives(options: dict[str, Any], room: int | None, tmp_path: Path) -> None:
    """Out of core, with the table whole or in ranges, the answer is that of `find_duplicates`."""
    texts = texts_with_edges()
    ids = write_corpus(tmp_path / "corpus", texts)
    plain = dedup.find_duplicates(texts, ids=ids, **options)
    planned = partial(OnDisk, table_bytes=room)
    found = find_in_files([tmp_path / "corpus"], memory="1GB", threads=2, planned=planned, **options)
    assert told(found.duplicates) == told(plain)
    assert len(found.rejects) == 9
    assert found.duplicates.timings.keys() >= {"read", "mark", "count", "hold", "join"}
    assert found.duplicates.repeated.to_pydict() == plain.repeated.to_pydict()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_groups_give_what_memory_gives(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not even the candidate texts fit, they are joined group by group, with the same answer."""
    texts = texts_with_edges()
    ids = write_corpus(tmp_path / "corpus", texts)
    joined = []
    join = block_join.join
    monkeypatch.setattr(
        block_join, "join", lambda units, *given, **how: joined.append(len(units)) or join(units, *given, **how)
    )
    plain = dedup.find_duplicates(texts, ids=ids, **options)
    planned = partial(OnDisk, at_once=False, block_shingles=0)
    found = find_in_files([tmp_path / "corpus"], memory="1GB", threads=1, planned=planned, **options)
    assert told(found.duplicates) == told(plain)
    assert len(joined) == 3
    assert found.duplicates.summary.to_dict() == {**plain.summary.to_dict(), "rejected": 9}


def test_keep_by_a_column(tmp_path: Path) -> None:
    """What stays is decided by a column of the files, as in a table."""
    texts = texts_with_edges()
    write_corpus(tmp_path / "corpus", texts)
    rows = []
    for path in sorted((tmp_path / "corpus").iterdir()):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line != "not json"]
    for keep in ("max:score", "min:score", "max:name"):
        plain = dedup.find_duplicates(rows, id="name", keep=keep)
        found = find_in_files([tmp_path / "corpus"], id="name", keep=keep, memory="1GB", planned=OnDisk)
        assert told(found.duplicates) == told(plain)


def test_the_closest_pair_is_a_hint(tmp_path: Path) -> None:
    """It is told by what is held in the end, and the result is the same whatever that is."""
    texts = [f"{' '.join(f'w{n}x{i}' for i in range(20))} " + "and the same end of a text " * n for n in range(6)]
    ids = write_corpus(tmp_path / "corpus", texts)
    plain = dedup.find_duplicates(texts, ids=ids, threshold=0.9)
    assert plain.closest is not None
    whole = find_in_files([tmp_path / "corpus"], threshold=0.9).duplicates
    assert whole.closest == plain.closest
    bounded: dict[str, Any] = {"threshold": 0.9, "memory": "1GB"}
    thin = find_in_files([tmp_path / "corpus"], planned=OnDisk, **bounded).duplicates
    grouped = find_in_files([tmp_path / "corpus"], planned=partial(OnDisk, at_once=False), **bounded).duplicates
    assert (thin.closest, grouped.closest) == (None, None), "no hash is held of a text that cannot have a partner"
    assert plain.summary == whole.summary == thin.summary == grouped.summary


def test_the_closest_pair_of_a_report(tmp_path: Path, command: Planned) -> None:
    """It stands in `run.json`, and in no file that two equal runs have in common; taken up again, it is the same."""
    texts = ["a b c d e f g h i j", "other words that stand in no other text", "a b c d e f g h x y"]
    ids = write_corpus(tmp_path / "corpus", texts)
    for number, holds in enumerate((True, False)):
        command(FilePlan if holds else OnDisk)
        output = tmp_path / f"report-{number}"
        work = str(tmp_path / f"work-{number}")
        done = CliRunner().invoke(main, ["find", str(tmp_path / "corpus"), "--output", str(output), "--work-dir", work])
        assert done.exit_code == 0
        hint = f"no pair reached the threshold; the closest one seen: {ids[0]!r} and {ids[2]!r} at 0.500; try a lower"
        assert (hint in done.output) == holds
        assert dedup.Report.open(output).run["closest"] == ([ids[0], ids[2], 0.5] if holds else None)
    assert digest_of(tmp_path / "report-0") == digest_of(tmp_path / "report-1")


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_the_same_report_in_every_way(method: str, tmp_path: Path, command: Planned) -> None:
    """Threads, shards, a bound, a work directory and the order of the names change no byte of the report."""
    write_corpus(tmp_path / "corpus", texts_with_edges())
    files = sorted(str(path) for path in (tmp_path / "corpus").iterdir())
    digests = {}
    for number, (names, options, shard) in enumerate(
        (
            (files, ["--threads", "1"], None),
            (files[::-1], ["--threads", "2"], None),
            ([*files, files[0]], ["--threads", "8", "--work-dir", str(tmp_path / "work")], None),
            (files, ["--threads", "1", "--memory", "900MB"], 1 << 14),
            (files, ["--threads", "2", "--memory", "900MB"], 1 << 13),
        )
    ):
        command(FilePlan if shard is None else partial(OnDisk, shard_bytes=shard))
        output = tmp_path / f"report-{number}"
        words = ["find", *names, "--method", method, "--output", str(output), *options]
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 3, done.output  # some lines were bad
        digests[number] = digest_of(output)
    assert len(set(digests.values())) == 1, digests
    assert not list(tmp_path.glob("report-*.work"))


# -------------------------------------------------------------------------------------------------- stopped and resumed


def command_of(corpus: Path, output: Path, work: Path) -> list[str]:
    """Return the arguments of a run that spills."""
    return [
        "find",
        str(corpus),
        "--output",
        str(output),
        "--work-dir",
        str(work),
        "--memory",
        "900MB",
        "--threads",
        "1",
    ]


def failing(at: int, acts: tuple[str, ...], fault: Callable[[], int | None]) -> Callable[[str, Path, int], int | None]:
    """Return a hook that lets `at` acts of some kinds pass, and answers the next with a fault."""
    left = at

    def hook(act: str, path: Path, size: int) -> int | None:
        nonlocal left
        left -= act in acts
        return fault() if left == -1 and act in acts else None

    return hook


def refuse(number: int) -> Callable[[], int | None]:
    """Return what raises an error of the system."""

    def fault() -> int | None:
        raise OSError(number, os.strerror(number))

    return fault


@pytest.mark.parametrize(
    ("acts", "fault", "words"),
    [
        (("write",), refuse(errno.ENOSPC), "No space left"),
        (("write",), lambda: 0, "No space left"),
        (("fsync",), refuse(errno.EIO), "Input/output error"),
        (("rename",), refuse(errno.EROFS), "Read-only"),
    ],
)
def test_a_fault_anywhere_can_be_followed(
    acts: tuple[str, ...], fault: Callable[[], int | None], words: str, tmp_path: Path, tight: None
) -> None:
    """The n-th write, sync or rename fails: exit code 74, a clear message; the next run ends with the same report."""
    corpus = tmp_path / "corpus"
    write_corpus(corpus, texts_with_edges())
    run = CliRunner()
    assert run.invoke(main, command_of(corpus, tmp_path / "whole", tmp_path / "w0")).exit_code == 3
    truth = digest_of(tmp_path / "whole")
    failed, step = 0, 1 if LONG else 14 if acts == ("write",) else 6
    for at in range(0, 1000, step):
        output, work = tmp_path / f"report-{at}", tmp_path / f"work-{at}"
        stores.hook = failing(at, acts, fault)
        done = run.invoke(main, command_of(corpus, output, work), catch_exceptions=False)
        stores.hook = None
        if done.exit_code == 3:
            break
        failed += 1
        assert done.exit_code == 74
        assert words in done.stderr
        assert "again" in done.stderr or "choose" in done.stderr
        if not output.exists():
            done = run.invoke(main, command_of(corpus, output, work), catch_exceptions=False)
            assert done.exit_code == 3, done.output
        assert digest_of(output) == truth
    assert failed >= 3


def test_every_file_damaged(tmp_path: Path, tight: None) -> None:
    """A bit flipped or an end lost anywhere in the work directory: an error, or the right report; never another."""
    corpus, work, output = (tmp_path / name for name in ("corpus", "work", "report"))
    write_corpus(corpus, collection(60))
    run = CliRunner()
    assert run.invoke(main, command_of(corpus, tmp_path / "whole", tmp_path / "w0")).exit_code == 3
    truth = digest_of(tmp_path / "whole")
    left = {}

    def stop(act: str, path: Path, size: int) -> int | None:
        if act == "rename" and path.name == "found.dedup":  # everything else is committed
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return None

    stores.hook = stop
    assert run.invoke(main, command_of(corpus, output, work)).exit_code == 74
    stores.hook = None
    left = {path.name: path.read_bytes() for path in work.iterdir()}
    assert {"manifest.json", "marks.dedup", "read.dedup", "hashes-00000.dedup", "rows-00000.dedup"} <= left.keys()
    wrong = errors = 0
    for name, whole in left.items():
        if name == "lock":
            continue
        damages = [whole[: len(whole) // 2], whole[:-1], b""]
        places = range(0, len(whole), 1 if LONG else max(len(whole) // 7, 1))
        damages += [whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :] for at in places]
        for damaged in damages:
            for other, content in left.items():
                (work / other).write_bytes(damaged if other == name else content)
            done = run.invoke(main, command_of(corpus, output, work), catch_exceptions=False)
            assert done.exit_code in (2, 3), done.output
            errors += done.exit_code == 2
            if done.exit_code == 3:
                wrong += digest_of(output) != truth
                for path in output.iterdir():
                    path.unlink()
                output.rmdir()
            assert not output.exists()
    assert wrong == 0
    assert errors > 10


def test_changed_inputs_and_options_are_named(tmp_path: Path, tight: None) -> None:
    """A work directory of another run is an error that names both sides, unless --fresh."""
    corpus, work = tmp_path / "corpus", tmp_path / "work"
    write_corpus(corpus, texts_with_edges())
    run = CliRunner()
    stores.hook = failing(10, ("rename",), refuse(errno.EIO))
    assert run.invoke(main, command_of(corpus, tmp_path / "report", work)).exit_code == 74
    stores.hook = None
    done = run.invoke(main, [*command_of(corpus, tmp_path / "report", work), "--threshold", "0.7"])
    assert done.exit_code == 2
    assert "threshold: expected 0.8" in done.stderr
    assert "found 0.7" in done.stderr
    with (corpus / "1.jsonl").open("a", encoding="utf-8") as out:
        out.write('{"text": "one more"}\n')
    done = run.invoke(main, command_of(corpus, tmp_path / "report", work))
    assert done.exit_code == 2
    assert "1.jsonl" in done.stderr
    done = run.invoke(main, [*command_of(corpus, tmp_path / "report", work), "--fresh"])
    assert done.exit_code == 3, done.output


def test_output_that_is_or_holds_an_input_is_refused(tmp_path: Path) -> None:
    """The report and the work directory may not be an input, by any name; a used folder is refused before work."""
    corpus = tmp_path / "corpus"
    write_corpus(corpus, texts_with_edges())
    (tmp_path / "link").symlink_to(corpus)
    for bad in (corpus, tmp_path / "link", tmp_path, corpus / "0.jsonl"):
        for option in ("--output", "--work-dir"):
            done = CliRunner().invoke(main, ["find", str(corpus), option, str(bad)])
            assert done.exit_code == 2
            assert "choose another name" in done.stderr or "choose a folder" in done.stderr
    assert len(list(corpus.iterdir())) == 3
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("years of work")
    done = CliRunner().invoke(main, ["find", str(corpus), "--output", str(tmp_path / "used")])
    assert done.exit_code == 2
    assert "empty folder" in done.stderr


def test_nothing_to_search_is_an_error(tmp_path: Path) -> None:
    """No records, and nothing but empty ones: an error."""
    (tmp_path / "a.jsonl").write_text('{"text": ""}\n{"text": "!!"}\n')
    (tmp_path / "b.jsonl").write_text("")
    with pytest.raises(InputError, match="nothing but"):
        find_in_files([tmp_path / "a.jsonl"])
    with pytest.raises(InputError, match="none"):
        find_in_files([tmp_path / "b.jsonl"])


def test_a_bound_that_is_too_small_says_what_would_do(tmp_path: Path) -> None:
    """Where even those that may have a partner do not fit, the error says how much would."""
    write_corpus(tmp_path / "corpus", texts_with_edges())
    with pytest.raises(ParameterError, match=r"memory: expected about .* MB or more"):
        find_in_files([tmp_path / "corpus"], memory="10MB", planned=OnDisk)


def test_a_function_cannot_keep(tmp_path: Path) -> None:
    """A function cannot be compared with that of a stopped run, so it is refused."""
    with pytest.raises(ParameterError, match="keep"):
        find_in_files([tmp_path], keep=lambda name, text: 0)


# ------------------------------------------------------------------------------------------- processes


def start(*arguments: str, limit: str = "") -> subprocess.Popen[str]:
    """Start the command line in a process of its own."""
    command = [sys.executable, "-m", "dedup", *arguments]
    if limit:
        command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *command]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a process; return what it said on stderr if it failed."""
    _, errors = process.communicate()
    return errors if process.returncode else ""


def write_large(folder: Path, copies: int = 60) -> None:
    """Write a corpus on which a run takes a second or two."""
    folder.mkdir()
    for number in range(4):
        with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as out:
            for round_ in range(copies):
                for text in collection(100):
                    words = [f"{word}{number}{round_}" for word in text.split()]
                    out.write(json.dumps({"text": " ".join(words)}) + "\n")


def parts_in(work: Path) -> int:
    """Return how many parts a work directory has."""
    manifest = work / "manifest.json"
    return len(json.loads(manifest.read_text())["content"]["parts"]) if manifest.exists() else 0


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_leave_what_can_be_followed(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM: the exit code of shells, a message that says what to do, and then the same report."""
    corpus, work = tmp_path / "corpus", tmp_path / "work"
    write_large(corpus)
    assert ended(start("find", str(corpus), "--output", str(tmp_path / "whole"))) == ""
    process = start(*command_of(corpus, tmp_path / "report", work))
    while not parts_in(work) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == code, errors
    assert "run the same command again" in errors
    assert not (tmp_path / "report").exists()
    assert ended(start(*command_of(corpus, tmp_path / "report", work))) == ""
    assert digest_of(tmp_path / "report") == digest_of(tmp_path / "whole")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """The kill matrix, in short: `python -m benchmarks.quality.kill_matrix` is the long one."""
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not beside the package")
    kills = "200" if LONG else "8"
    command = [sys.executable, "-m", "benchmarks.quality.kill_matrix", "--kills", kills, "--documents", "20000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["wrong"] == 0


@pytest.mark.skipif(os.name == "nt", reason="ulimit")
def test_few_open_files(tmp_path: Path) -> None:
    """A run with many files and many shards works under `ulimit -n 64`."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, text in enumerate(collection(300)):
        (corpus / f"{number}.txt").write_text(text, encoding="utf-8")
    process = start(*command_of(corpus, tmp_path / "report", tmp_path / "work"), limit="ulimit -n 64")
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def test_heartbeats(tmp_path: Path) -> None:
    """With --log-json every line on stderr before the summary is a JSON object, and every stage has one."""
    write_corpus(tmp_path / "corpus", texts_with_edges())
    done = CliRunner().invoke(main, ["find", str(tmp_path / "corpus"), "--log-json"])
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {line["stage"] for line in lines} >= {"read", "hold", "join", "clusters"}
    assert all(line.keys() == {"stage", "done", "total", "seconds", "rate", "remaining"} for line in lines)


MEASURED = """
import resource, sys, tempfile
from pathlib import Path
sys.path.insert(0, {root!r})
from benchmarks.speed.bench_corpus import warm_up, report_of
from benchmarks.speed.measure import Peak
warm_up(1, {{"folder": tempfile.gettempdir()}})
peak = Peak()
peak.start()
options = {{"folder": {folder!r}, "memory": {memory!r}, "work_dir": None, "threads": 1}}
found = report_of("spilled", Path({corpus!r}), options)
print(peak.stop(), found["disk"])
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs the peak that Linux keeps")
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A run whose hashes need more than the bound grows by less than the bound."""
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not beside the package")
    from benchmarks.speed.bench_corpus import write

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write(corpus, "jsonl", 200_000, 500, [0, 100_000])
    script = MEASURED.format(root=str(ROOT), corpus=str(corpus), folder=str(tmp_path), memory="150MB")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak, disk = map(int, done.stdout.split())
    assert disk > 120_000_000
    assert peak < 150_000_000


def test_python_and_the_command_search_files_alike(tmp_path: Path) -> None:
    """Under a bound, what comes back from Python has the texts, the rejects and the tables of a search without one."""
    corpus = tmp_path / "corpus"
    write_corpus(corpus, texts_with_edges())
    files, bounded = dedup.files(corpus, on_error="skip"), dedup.files(corpus, on_error="skip")
    plain = dedup.find_duplicates(files)
    found = find_in(bounded, memory="1GB", planned_files=OnDisk)
    assert "mark" in found.timings
    assert told(found) == told(plain)
    assert found == plain
    assert found.summary == plain.summary
    assert bounded.rejects == files.rejects
    assert len(files.rejects) == 9
    for name, result in (("plain", plain), ("bounded", found)):
        dedup.write_report(tmp_path / name, result)
    assert digest_of(tmp_path / "plain") == digest_of(tmp_path / "bounded")
    by_length = find_in(bounded, memory="1GB", keep=lambda _, text: -len(text), planned_files=OnDisk)
    assert told(by_length) == told(dedup.find_duplicates(files, keep=lambda _, text: -len(text)))
    with pytest.warns(UserWarning, match="9 of"):
        find_in(dedup.files(corpus), memory="1GB", planned_files=OnDisk)


def test_a_shard_is_read_on(tmp_path: Path) -> None:
    """What a run that was stopped has committed is not read again."""
    corpus, work = tmp_path / "corpus", tmp_path / "work"
    write_corpus(corpus, texts_with_edges())
    stores.hook = failing(12, ("rename",), refuse(errno.EIO))
    with pytest.raises(StorageError):
        find_in_files([corpus], work_dir=work, memory="1GB", planned=OnDisk)
    stores.hook = None
    committed = len(json.loads((work / "manifest.json").read_bytes())["content"]["parts"])
    assert committed >= 4
    renamed: list[str] = []

    def note(act: str, path: Path, size: int) -> int | None:
        if act == "rename":
            renamed.append(path.name)
        return None

    stores.hook = note
    found = find_in_files([corpus], work_dir=work, memory="1GB", planned=OnDisk)
    assert "rows-00000.dedup" not in renamed
    assert len(found.rejects) == 9
    assert np.all(np.diff([int(name[7:12]) for name in renamed if name.startswith("hashes-")]) == 1)


def test_the_budget_says_what_fits() -> None:
    """More memory never fits less; without a bound everything does."""
    assert FilePlan(None, 8).holds(1 << 40, 1 << 50, 1 << 30)
    fits = [FilePlan(memory << 20, 2).holds(10**6, 10**8, 10**4) for memory in range(100, 4000, 50)]
    assert fits == sorted(fits)
    assert True in fits
    assert budgets.SMALLEST_SHARD <= FilePlan(1, 1).shard <= FilePlan(1 << 40, 1).shard <= budgets.LARGEST_SHARD


def test_the_estimate_forecasts_the_disk(tmp_path: Path) -> None:
    """The size of the work directory is forecast within a factor of 1.5; without a bound it is not used."""
    corpus = tmp_path / "corpus"
    write_large(corpus)
    assert dedup.estimate(dedup.files(corpus)).engine == "memory"
    plan = dedup.estimate(dedup.files(corpus), memory="110MB", threads=1)
    taken = 0

    def note(act: str, path: Path, size: int) -> int | None:
        nonlocal taken
        taken += size * path.name.endswith(".dedup.tmp")
        return None

    stores.hook = note
    find_in_files([corpus], memory="110MB", threads=1)
    assert (plan.engine, plan.passes) == ("disk", 1)
    assert taken / 1.5 < plan.disk < taken * 1.5
    assert "on disk" in str(plan)
    assert "nothing" not in str(plan)


def test_groups_are_runs_of_shards() -> None:
    """A group has at most the limit of shingles, or one shard."""
    cut = block_join._blocks(np.array([3, 4, 5, 100, 0, 0, 7], dtype=np.int64), 9)
    assert cut == [[0, 1], [2], [3], [4, 5, 6]]
