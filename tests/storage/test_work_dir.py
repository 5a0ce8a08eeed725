"""The work directory: complete files or none, whatever the system does; a damaged one is an error."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dedup.errors import ParameterError, StorageError
from dedup.storage import atomic as module
from dedup.storage.atomic import write_atomically
from dedup.storage.work_dir import LAYOUT_VERSION, Store, _checksum

FINGERPRINT: dict[str, Any] = {"options": {"threshold": 0.8, "unit": "document"}, "inputs": [["a.jsonl", 5, 1]]}
LONG = os.environ.get("DEDUP_HYPOTHESIS") == "long"


@pytest.fixture(autouse=True)
def no_hook() -> Iterator[None]:
    """Remove the hook after each test."""
    yield
    module.hook = None


def fill(path: Path) -> dict[str, Any]:
    """Commit some parts; return what reading them must give."""
    with Store(path, FINGERPRINT) as store:
        store.commit(
            "one", {"hashes": np.arange(7, dtype=np.uint64), "flags": np.array([True, False, True])}, {"more": 3}
        )
        store.commit("two", b"some bytes")
    return read(path)


def read(path: Path) -> dict[str, Any]:
    """Read everything that a work directory holds."""
    with Store(path, FINGERPRINT) as store:
        found: dict[str, Any] = {}
        for name, part in store.parts.items():
            content = store.read(name) if part.arrays is None else store.arrays(name)
            if isinstance(content, dict):
                content = {key: (array.dtype.str, array.tolist()) for key, array in content.items()}
            found[name] = (content, part.facts)
        return found


def test_what_was_committed_is_read(tmp_path: Path) -> None:
    """Arrays, bytes and facts come back, in the order in which they were committed."""
    found = fill(tmp_path / "work")
    assert list(found) == ["one", "two"]
    assert found["one"] == ({"hashes": ("<u8", list(range(7))), "flags": ("|b1", [True, False, True])}, {"more": 3})
    assert found["two"] == (b"some bytes", None)


@given(
    arrays=st.lists(
        hnp.arrays(
            st.sampled_from([np.uint64, np.int64, np.uint8, np.bool_, np.float64]),
            hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=9),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_arrays_come_back(arrays: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any arrays, empty ones too, come back with their shapes and types, aligned."""
    with Store(tmp_path_factory.mktemp("work"), FINGERPRINT) as store:
        store.commit("part", {str(i): array for i, array in enumerate(arrays)})
        found = store.arrays("part")
    for i, array in enumerate(arrays):
        assert found[str(i)].dtype == array.dtype
        assert found[str(i)].shape == array.shape
        assert found[str(i)].tobytes() == array.tobytes()
        assert found[str(i)].flags.aligned


def test_a_changed_option_or_input_is_named(tmp_path: Path) -> None:
    """The error says what was, and what is; `fresh` starts over."""
    fill(tmp_path / "work")
    for changed, words in (
        ({**FINGERPRINT, "options": {"threshold": 0.7, "unit": "document"}}, ["threshold", "0.8", "0.7", "--fresh"]),
        ({**FINGERPRINT, "options": {"threshold": 0.8}}, ["unit", "'document'", "None"]),
        ({**FINGERPRINT, "inputs": [["a.jsonl", 6, 1]]}, ["a.jsonl", "[5, 1]", "[6, 1]"]),
        ({**FINGERPRINT, "inputs": [["a.jsonl", 5, 1], ["b.jsonl", 1, 1]]}, ["without b.jsonl"]),
        ({**FINGERPRINT, "inputs": []}, ["a.jsonl", "none"]),
    ):
        with pytest.raises(ParameterError) as caught:
            Store(tmp_path / "work", changed)
        assert all(word in str(caught.value) for word in words), caught.value
    assert list(read(tmp_path / "work")) == ["one", "two"]
    with Store(tmp_path / "work", {"options": {}, "inputs": []}, fresh=True) as store:
        assert not store.parts
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["lock", "manifest.json"]


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run is refused while the directory is in use; the lock ends with the first."""
    with Store(tmp_path, FINGERPRINT), pytest.raises(StorageError, match="in use by another run"):
        Store(tmp_path, FINGERPRINT)
    Store(tmp_path, FINGERPRINT).close()


def test_a_folder_of_the_user_is_not_touched(tmp_path: Path) -> None:
    """A folder that holds anything else is refused, `fresh` or not."""
    (tmp_path / "thesis.txt").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(StorageError, match=r"thesis\.txt"):
            Store(tmp_path, FINGERPRINT, fresh=fresh)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "thesis.txt").rename(tmp_path / "manifest.json")
    for fresh in (False, True):
        with pytest.raises(StorageError, match=r"manifest\.json"):
            Store(tmp_path, FINGERPRINT, fresh=fresh)
    assert (tmp_path / "manifest.json").read_text() == "years of work"


def test_another_format_is_refused(tmp_path: Path) -> None:
    """A directory of another version says both versions."""
    fill(tmp_path / "work")
    manifest = tmp_path / "work" / "manifest.json"
    outer = json.loads(manifest.read_bytes())
    outer["content"]["format"] = 99
    manifest.write_text(json.dumps({**outer, "xxh3": _checksum(outer["content"])}))
    with pytest.raises(StorageError, match=f"format {LAYOUT_VERSION} .* found format 99"):
        Store(tmp_path / "work", FINGERPRINT)


# ------------------------------------------------------------------------------------------- damage


def check_damaged(path: Path, truth: dict[str, Any]) -> None:
    """Reading gives the truth, or an error; never anything else."""
    try:
        found = read(path)
    except (StorageError, ParameterError):
        return
    assert found == truth


def test_every_byte_flipped(tmp_path: Path) -> None:
    """A flipped bit anywhere is an error, or changes nothing."""
    work = tmp_path / "work"
    truth = fill(work)
    for name in ("manifest.json", "one.dedup", "two.dedup"):
        whole = (work / name).read_bytes()
        for at in range(0, len(whole), 1 if LONG else 7):
            for bit in range(8) if LONG else (0, 5):
                (work / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
                check_damaged(work, truth)
        (work / name).write_bytes(whole)
    assert read(work) == truth


def test_every_file_truncated(tmp_path: Path) -> None:
    """A file that lost its end is an error; a missing part too."""
    work = tmp_path / "work"
    truth = fill(work)
    for name in ("manifest.json", "one.dedup", "two.dedup"):
        whole = (work / name).read_bytes()
        for size in range(0, len(whole), 1 if LONG else 5):
            (work / name).write_bytes(whole[:size])
            with pytest.raises(StorageError):
                read(work)
        if name != "manifest.json":
            (work / name).unlink()
            with pytest.raises(StorageError):
                read(work)
        (work / name).write_bytes(whole)
    assert read(work) == truth


# ------------------------------------------------------------------------------------------- faults


def failing(at: int, acts: tuple[str, ...], fault: Callable[[], int | None]) -> Callable[[str, Path, int], int | None]:
    """Return a hook that lets `at` acts of some kinds pass, and answers the next with a fault."""
    left = at

    def hook(act: str, path: Path, size: int) -> int | None:
        nonlocal left
        if act not in acts:
            return None
        left -= 1
        return fault() if left == -1 else None

    return hook


def refuse(number: int) -> Callable[[], int | None]:
    """Return what raises an error of the system."""

    def fault() -> int | None:
        raise OSError(number, os.strerror(number))

    return fault


FAULTS = [
    (("write",), refuse(errno.ENOSPC), "No space left"),
    (("write",), refuse(errno.EIO), "Input/output error"),
    (("write",), lambda: 0, "No space left"),
    (("fsync",), refuse(errno.EIO), "Input/output error"),
    (("fsync",), refuse(errno.ENOSPC), "No space left"),
    (("rename",), refuse(errno.EIO), "Input/output error"),
]


@pytest.mark.parametrize(("acts", "fault", "words"), FAULTS)
def test_a_fault_anywhere_leaves_what_was_committed(
    acts: tuple[str, ...], fault: Callable[[], int | None], words: str, tmp_path: Path
) -> None:
    """The n-th write, sync or rename fails: a clear error, and the old file is unchanged; then the run resumes."""
    truth = fill(tmp_path / "whole")
    failed = 0
    for at in range(200):
        work = tmp_path / str(at)
        module.hook = failing(at, acts, fault)
        try:
            fill(work)
        except StorageError as error:
            failed += 1
            assert words in str(error)
            assert "again" in str(error)
        else:
            break
        finally:
            module.hook = None
        found = read(work)
        assert list(found.items()) == list(truth.items())[: len(found)]
        assert not list(work.glob("*.tmp"))
        assert fill(work) == truth
    assert failed >= 3


def test_short_writes_go_on(tmp_path: Path) -> None:
    """A system that takes a byte at a time gets them all."""
    module.hook = lambda act, path, size: 1 if act == "write" else None
    written = write_atomically(tmp_path / "file", lambda file: file.write(b"hello, world"))
    assert (tmp_path / "file").read_bytes() == b"hello, world"
    assert written.bytes == 12


def test_an_old_file_is_kept_if_a_new_one_fails(tmp_path: Path) -> None:
    """A failed write leaves the file that was there, and no other."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    module.hook = failing(0, ("fsync",), refuse(errno.EIO))
    with pytest.raises(StorageError):
        write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    """A folder that cannot be written is an error that says so."""
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="can be written"):
        Store(tmp_path / "work", FINGERPRINT)


KILLED = """
import os, signal, sys
from pathlib import Path
from dedup.storage import atomic as module
sys.path.insert(0, {tests!r})
from test_work_dir import fill
left = {at}
def hook(act, path, size):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return None
module.hook = hook
fill(Path({work!r}))
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("at", range(0, 24, 1 if LONG else 5))
def test_killed_at_any_act(at: int, tmp_path: Path) -> None:
    """A process that was killed before any write, sync or rename leaves what was committed, and can be followed."""
    truth = fill(tmp_path / "whole")
    work = tmp_path / "work"
    script = KILLED.format(tests=str(Path(__file__).parent), at=at, work=str(work))
    subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[2])
    found = read(work)
    assert list(found.items()) == list(truth.items())[: len(found)]
    assert fill(work) == truth


@pytest.mark.parametrize("dtype", ["bool", "u1", "<i8", "<u8", "<f8", "<u4"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (3, 2, 1)])
def test_every_array_comes_back(shape: tuple[int, ...], dtype: str, tmp_path: Path) -> None:
    """Of any shape and order; its header is read without Python's parser."""
    array = np.asfortranarray(np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape).astype(dtype))
    with Store(tmp_path / "work", FINGERPRINT) as store:
        store.commit("part", {"a": array, "b": array[..., :0] if array.ndim else array}, None)
        found = {name: values.copy() for name, values in store.arrays("part").items()}
    assert found["a"].dtype == array.dtype
    assert np.array_equal(found["a"], array)
    assert found["b"].shape == (array[..., :0] if array.ndim else array).shape
