"""The kernels compiled ahead of time: the same bytes at every level, no numba, and errors instead of crashes.

Most of it needs the library, and is skipped without it: `DEDUP_KERNELS` chooses a level, or numba.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dedup
from dedup.errors import ParameterError
from dedup.kernels import csv_records, lsh, native, sets, windows

PACKAGE = Path(dedup.__file__).parent
ROOT = PACKAGE.parent
needs_library = pytest.mark.skipif(not native.COMPLETE, reason=native.REASON)


def run(code: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run some code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def able() -> list[str]:
    """Give the levels that can run here."""
    if not native.COMPLETE:
        return []
    from dedup.kernels.native import library  # type: ignore[attr-defined]  # compiled

    return [level for level, runs in library.LEVELS if runs]


@needs_library
@pytest.mark.parametrize("level", [*able(), native.JIT])
def test_each_build_gives_the_same_bytes(level: str) -> None:
    """Golden hashes and golden results, with each build that this machine can run."""
    if level == native.LEVEL:
        pytest.skip("this process runs it")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/test_golden.py", "tests/test_golden_results.py"],
        cwd=ROOT,
        env={**os.environ, "DEDUP_KERNELS": level, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert 0 == done.returncode, done.stdout


SPELLED = """
import json
from dedup.kernels import warming
from dedup.kernels.signatures import KERNELS, spelled
print(json.dumps(dict(zip(warming.all_kernels(), map(spelled, KERNELS)))))
"""


@needs_library
def test_the_library_has_every_kernel() -> None:
    """With the signature that its annotations give."""
    from dedup.kernels.native import library  # type: ignore[attr-defined]  # compiled

    done = run(SPELLED, DEDUP_KERNELS="jit")
    wanted = json.loads(done.stdout)
    assert len(wanted) > 40
    assert sorted(wanted) == sorted(library.NAMES)
    assert wanted == {name: library.find(name, native.LEVEL).__doc__ for name in library.NAMES}


EVERYTHING = """
import sys
sys.modules["numba"] = sys.modules["llvmlite"] = None  # as if they were not installed
import dedup
texts = ["one two three four five six", "one two three four five six!", "other\\n\\nother", ""]
for method in ("exact", "lsh"):
    for unit in ("document", "paragraph", "line"):
        assert dedup.find_duplicates(texts, unit=unit, method=method).summary.pairs > 0
assert len(dedup.find_repeats("a b c\\n\\na b c", min_words=2)) == 1
assert dedup.compare(texts[0], texts[1]).jaccard == 1
assert len(dedup.match(texts, texts).pairs) > 0
print("done")
"""


@needs_library
def test_numba_is_not_needed() -> None:
    """Every search runs where numba is not installed."""
    done = run(EVERYTHING, DEDUP_KERNELS=native.LEVEL)
    assert "done" == done.stdout.strip(), done.stderr


def test_neither_kernels_nor_numba() -> None:
    """The error says what to install."""
    done = run(EVERYTHING, DEDUP_KERNELS="jit")
    assert "DedupError: expected compiled kernels, or numba to compile them, found neither (DEDUP_KERNELS=jit)" in (
        done.stderr
    )
    assert "pip install 'dedup-text[jit]'" in done.stderr


@needs_library
def test_an_older_library_is_not_used(tmp_path: Path) -> None:
    """After an edit of a kernel numba compiles it: no old hash is kept alive."""
    shutil.copytree(PACKAGE, tmp_path / "dedup", ignore=shutil.ignore_patterns("__pycache__"))
    ask = "from dedup.kernels import native; print(native.LEVEL or native.REASON)"
    inherited = {"DEDUP_KERNELS": ""}
    assert able()[-1] == run(ask, tmp_path, **inherited).stdout.strip()
    with (tmp_path / "dedup" / "kernels" / "words.py").open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert "the compiled kernels are older than their sources" == run(ask, tmp_path, **inherited).stdout.strip()


def test_an_unknown_level_is_an_error() -> None:
    """As is one that this processor cannot run: it would end the process."""
    for level in ("v1", "V3", "numba"):
        done = run("import dedup.kernels", DEDUP_KERNELS=level)
        assert "expected DEDUP_KERNELS to be jit or a processor level that can run here (" in done.stderr
        assert done.stderr.strip().endswith(f"found '{level}'")
    assert issubclass(ParameterError, ValueError)


# ---------------------------------------------------------------------------------------- arguments

VALUES, OFFSETS = np.arange(4, dtype=np.uint64), np.array([0, 4], dtype=np.int64)
SIZES, ROWS = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
FROZEN = VALUES.copy()
FROZEN.flags.writeable = False
BYTES = np.zeros(33, dtype=np.uint8)

WRONG: list[tuple[tuple[Any, ...], str]] = [
    ((VALUES.view(np.int64), OFFSETS, SIZES, ROWS), "`values` a writable, contiguous array of uint64 with 1 dimension"),
    ((VALUES.astype(np.uint32), OFFSETS, SIZES, ROWS), "found another dtype: uint32 of shape (4,)"),
    ((VALUES.astype(">u8"), OFFSETS, SIZES, ROWS), "found another dtype: >u8 of shape (4,)"),
    ((VALUES.reshape(2, 2), OFFSETS, SIZES, ROWS), "found other dimensions: uint64 of shape (2, 2)"),
    ((np.arange(8, dtype=np.uint64)[::2], OFFSETS, SIZES, ROWS), "found another layout or a read-only one: uint64"),
    ((FROZEN, OFFSETS, SIZES, ROWS), "found another layout or a read-only one: uint64 of shape (4,)"),
    ((BYTES[1:33].view(np.uint64), OFFSETS, SIZES, ROWS), "items that are not aligned: uint64 of shape (4,)"),
    ((VALUES, [0, 4], SIZES, ROWS), "`offsets` a contiguous array of int64 with 1 dimension, found list"),
    ((VALUES, OFFSETS, None, ROWS), "found NoneType"),
    ((VALUES, OFFSETS, SIZES), "expected 4 arguments, found 3"),
]


@needs_library
@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_does_not_fit_is_an_error(given: tuple[Any, ...], message: str) -> None:
    """Never a crash: the error says what was expected and what was found."""
    function: Any = sets.distinct
    with pytest.raises(TypeError, match="^sets.distinct: expected ") as caught:
        function(*given)
    assert message in str(caught.value)


@needs_library
@pytest.mark.parametrize("state", [0.5, "0", None, 1 << 63, -(1 << 63) - 1])
def test_a_wrong_scalar_is_an_error(state: Any) -> None:
    """A number of another kind, or one that does not fit."""
    with pytest.raises(TypeError, match="`state` a scalar, int64"):
        csv_records.record_ends(BYTES, 44, state, SIZES)


@needs_library
def test_two_widths_are_not_mixed() -> None:
    """A kernel for int32 and int64 takes one of them in all places."""
    narrow, wide = np.zeros(9, dtype=np.int32), np.zeros(9, dtype=np.int64)
    flags = np.zeros(9, dtype=np.uint8)
    for array in (narrow, wide):
        assert 0 == windows.write_blocks(array, flags, array.copy(), array.copy())
    with pytest.raises(TypeError, match="`symbols` .* another width"):
        windows.write_blocks(narrow, flags, wide, narrow)


@needs_library
def test_scalars_of_numpy_are_scalars() -> None:
    """What has an index is an integer."""
    for state in (0, np.int64(0), np.uint8(0), False):
        count, last = csv_records.record_ends(np.frombuffer(b"a\n", dtype=np.uint8), 44, state, np.zeros(1, np.int64))
        assert (1, 0) == (count, last)
        assert int is type(count)


@needs_library
def test_returned_arrays_own_their_memory() -> None:
    """They live as long as they are used, can be written, and empty ones are arrays too."""
    members, bounds = np.arange(300, dtype=np.int64), np.array([0, 300], dtype=np.int64)
    kept = [lsh.bucket_pairs(members, bounds) for _ in range(50)]
    assert all(pairs.flags.writeable and pairs.dtype == np.uint64 and pairs.flags.c_contiguous for pairs in kept)
    assert all(np.array_equal(pairs, kept[0]) for pairs in kept)
    kept[0][:] = 0
    assert kept[1][-1] == 298 << 32 | 299
    assert (0,) == lsh.bucket_pairs(members, bounds[:1]).shape


@pytest.mark.skipif(sys.platform != "linux", reason="the library is built on Linux")
@pytest.mark.parametrize(
    ("compiler", "message"),
    [
        ("none-such", "expected a C compiler, found no none-such"),
        ("sh -c 'echo broken >&2; exit 1'", "expected a C compiler that works, found that sh -c .* says: broken"),
    ],
)
def test_a_compiler_that_cannot_be_used_is_known_at_once(
    compiler: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the kernels are compiled, which takes a minute."""
    pytest.importorskip("llvmlite")
    from dedup.kernels.native import build

    monkeypatch.setenv("CC", compiler)
    with pytest.raises(OSError, match=message):
        build.compiler()
