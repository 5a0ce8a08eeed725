"""The kernels on disk: an edit of any kernel file is noticed, and a machine where nothing can be written works.

Each test runs a copy of the package in processes of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import dedup
from dedup.kernels.cache import cache_folder
from tests import kernel_twins

PACKAGE = Path(dedup.__file__).parent

ANNOUNCED = "dedup: compiling kernels, once, about 20 s (dedup warmup does it beforehand)\n"

ASK = """
import numpy as np
from dedup.kernels.cache import cache_folder
from dedup.kernels.lsh import band_keys
keys = np.empty((1, 1), dtype=np.uint64)
band_keys(np.array([[5]], dtype=np.uint32), 1, keys)
print(keys[0, 0], cache_folder())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a folder with a copy of the package, without what was compiled from it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    shutil.copytree(PACKAGE, tmp_path / "copy" / "dedup", ignore=ignored)
    return tmp_path / "copy"


def ask(folder: Path, code: str = ASK, **environment: str) -> list[str]:
    """Run some code with the package of a folder; warnings are errors."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env={**inherited, "DEDUP_KERNELS": "jit", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr in {"", ANNOUNCED}
    return done.stdout.split()


def files(folder: Path) -> set[Path]:
    """Give the files below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


def test_an_edit_of_a_helper_is_noticed(copy: Path, tmp_path: Path) -> None:
    """A kernel file that another one calls is edited: the caller is compiled anew, in a new folder.

    numba's own cache looks at the caller's file alone, and would keep the old hashes.
    """
    cache = tmp_path / "cache"
    value, folder = ask(copy, NUMBA_CACHE_DIR=str(cache))
    assert kernel_twins.band_keys([5], 1, 1) == [int(value)]
    assert cache == Path(folder).parent
    compiled = files(cache)
    assert compiled

    assert [value, folder] == ask(copy, NUMBA_CACHE_DIR=str(cache))
    assert compiled == files(cache), "compiled again, though nothing was edited"

    helper = copy / "dedup" / "kernels" / "words.py"
    source = helper.read_text(encoding="utf-8")
    edited = source.replace("return x ^ (x >> np.uint64(31))", "return x ^ (x >> np.uint64(32))")
    assert source != edited
    helper.write_text(edited, encoding="utf-8")
    other, other_folder = ask(copy, NUMBA_CACHE_DIR=str(cache))
    assert value != other
    assert folder != other_folder

    helper.write_text(source, encoding="utf-8")
    assert [value, folder] == ask(copy, NUMBA_CACHE_DIR=str(cache)), "the old folder is good again"


EVERYTHING = """
import tempfile
from numba.core import event
import dedup
recorder = event.RecordingListener()
event.register("numba:compile", recorder)
texts = ["one two three four five six", "one two three four five six!", "other\\n\\nother", ""]
for method in ("exact", "lsh"):
    for unit in ("document", "paragraph"):
        dedup.find_duplicates(texts, unit=unit, method=method)
dedup.find_duplicates(texts, shingle="chars:5")
dedup.find_repeats("a b c\\n\\na b c", min_words=2)
dedup.compare(texts[0], texts[1])
dedup.minhash.signatures(dedup.shingling.shingles(texts))
with tempfile.TemporaryDirectory() as folder, dedup.Index.create(f"{folder}/index") as index:
    index.add(texts)
    index.compact()
    index.filter_new([*texts, "more texts"])
    index.query(texts)
    assert index.check().ok
print(*sorted({e.data["dispatcher"].__name__ for _, e in recorder.buffer if e.is_start}))
"""


def test_the_next_process_compiles_nothing() -> None:
    """What one process compiled, the next one loads: no public call compiles anything a second time."""
    if cache_folder() is None:
        pytest.skip("no folder for compiled kernels can be written here")
    ask(PACKAGE.parent, EVERYTHING)
    assert [] == ask(PACKAGE.parent, EVERYTHING)


NAMES = """
from pathlib import Path
from dedup.kernels.cache import cache_folder
for path in [*sorted(Path("dedup/kernels").glob("*.py")), Path("dedup/text/normalise.py")]:
    with path.open("a") as file:
        file.write("# edited")
    cache_folder.cache_clear()
    print(Path(cache_folder()).name)
"""


def test_every_kernel_file_counts(copy: Path, tmp_path: Path) -> None:
    """The name of the folder depends on each file among the kernels, and on no other."""
    names = ask(copy, NAMES, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    count = len(list((copy / "dedup" / "kernels").glob("*.py")))
    assert 8 < count == len(set(names))
    assert names[-2] == names[-1]


def test_the_package_is_the_first_choice(copy: Path) -> None:
    """Without `NUMBA_CACHE_DIR` the kernels are next to their sources, as Python's own compiled files do."""
    value, folder = ask(copy)
    assert kernel_twins.band_keys([5], 1, 1) == [int(value)]
    assert (copy / "dedup" / "kernels" / "__pycache__").resolve() == Path(folder).parent.resolve()
    assert files(Path(folder))


def block(copy: Path) -> dict[str, str]:
    """Put a file in the place of the package's cache; give the variables that send the user's cache nowhere."""
    (copy / "dedup" / "kernels" / "__pycache__").write_text("in the way", encoding="utf-8")
    return {"PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(copy / "dedup" / "errors.py")}


def test_the_temporary_files_are_the_last_choice(copy: Path, tmp_path: Path) -> None:
    """If neither the package nor the user's cache can be written, a private folder is used.

    What lies there is run: nobody else may be able to put it there, whatever the umask allows.
    """
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = f"import os; os.umask(0)\n{ASK}"
    value, folder = ask(copy, code, TMPDIR=str(temporary), **block(copy))
    assert kernel_twins.band_keys([5], 1, 1) == [int(value)]
    private = Path(folder).parent
    assert temporary == private.parent
    assert 0 == private.stat().st_mode & 0o022, "others may write into it"
    assert 0 == Path(folder).stat().st_mode & 0o022, "others may write into it"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_a_folder_of_somebody_else_is_not_used(copy: Path, tmp_path: Path) -> None:
    """Among the temporary files, a folder of the right name that belongs to another user is not used."""
    strange = tmp_path / "temporary" / f"dedup-kernels-{os.getuid()}"
    strange.mkdir(parents=True)
    os.chown(strange, 65534, 65534)
    value, folder = ask(copy, TMPDIR=str(strange.parent), **block(copy))
    assert kernel_twins.band_keys([5], 1, 1) == [int(value)]
    assert "None" == folder


FIND = "import dedup; print(dedup.find_duplicates(['a b c', 'A, b, c!', 'd']).kept.to_pylist())"


@pytest.mark.parametrize(("given", "more", "expected"), [(True, "", []), (False, FIND, ["[0,", "2]"])])
def test_nothing_is_writable(copy: Path, tmp_path: Path, given: bool, more: str, expected: list[str]) -> None:
    """Without any folder the kernels are compiled for this process only: right results, no warning."""
    nowhere = str(copy / "dedup" / "errors.py" / "cache")
    environment = block(copy) | ({"NUMBA_CACHE_DIR": nowhere} if given else {})
    before = files(tmp_path)
    code = f"import tempfile; tempfile.tempdir = {nowhere!r}\n{ASK}{more}"
    value, folder, *kept = ask(copy, code, **environment)
    assert kernel_twins.band_keys([5], 1, 1) == [int(value)]
    assert ["None", *expected] == [folder, *kept]
    assert before == files(tmp_path)


def test_the_package_says_where_its_hook_is() -> None:
    """A program that PyInstaller makes takes in what is imported when it is first used, and the tables."""
    (entry,) = entry_points(group="pyinstaller40", name="hook-dirs").select(value="dedup.__pyinstaller:hook_folders")
    (folder,) = entry.load()()
    hook = (Path(folder) / "hook-dedup.py").read_text(encoding="utf-8")
    assert 'collect_data_files("dedup", includes=["**/*.npz", "**/*.js", "**/*.css"])' in hook
    suffixes = {path.suffix for path in files(PACKAGE) if "__pycache__" not in path.parts}
    assert suffixes - {".so"} == {".py", ".npz", ".js", ".css", ".typed", ".c"}


@pytest.mark.skipif(os.environ.get("DEDUP_HYPOTHESIS") != "long", reason="a matter of minutes: in the long tests")
def test_a_program_of_pyinstaller(tmp_path: Path) -> None:
    """It finds what the package finds, the first time and again."""
    pytest.importorskip("PyInstaller")
    text = "one two three four five six seven"
    (tmp_path / "program.py").write_text(
        f"import dedup\nprint(dedup.find_duplicates([{text!r}] * 2).filter([{text!r}] * 2))\n"
    )
    make = [sys.executable, "-m", "PyInstaller", "-y", "--log-level", "ERROR", "program.py"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    for _ in range(2):
        done = subprocess.run(tmp_path / "dist" / "program" / "program", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str([text])
