"""The house: layers point one way, numba and threads live in one place each, files are short.

The layers are read from ``[tool.importlinter]`` in pyproject.toml, so this holds where the tool is not there.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent
ROOT = PACKAGE.parent
PROJECT = ROOT / "pyproject.toml"

LONGEST = 400
MOST_MODULES = 13
LONG_FILES: dict[str, str] = {
    "kernels/chains.py": "chains, and the best part of each, which are compiled into one kernel",
    "kernels/tokens.py": "one kernel over UTF-8 and its parts, which are compiled into it",
}
"""Files that may be longer, and why. A reason says why the file cannot be two, not that it is good as it is."""

THREADS = {"threading", "concurrent", "multiprocessing", "asyncio", "queue"}


def name_of(path: Path) -> str:
    """Give the dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources() -> dict[str, Path]:
    """Give the modules of the package with their files."""
    return {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(name: str) -> set[str]:
    """Give the full names of all that a module imports: on top, inside functions and only for types.

    ``from dedup import text`` is ``dedup.text``; ``from dedup.text import normalise`` is ``dedup.text.normalise``.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(sources()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            assert node.module is not None
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(member if member in sources() else node.module for member in members)
    return found


@cache
def layers() -> list[list[str]]:
    """Give the layers, the highest first. Members that a colon parts may know each other: they are one."""
    if not PROJECT.is_file():
        pytest.skip("pyproject.toml is not beside the package")
    linter = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = [each for each in linter["contracts"] if each["type"] == "layers"]
    return [[member.strip() for member in layer.split("|")] for layer in contract["layers"]]


def layer_of(name: str) -> tuple[int, str] | None:
    """Give the number of the layer of a module (0 is the highest) and the member that it belongs to."""
    for number, layer in enumerate(layers()):
        for member in layer:
            if any(name == one or name.startswith(f"{one}.") for one in member.split(" : ")):
                return number, member
    return None


# ------------------------------------------------------------------------------------------- layers


def test_every_module_is_in_a_layer() -> None:
    """No module is left out of the check, save the package itself; no layer names what is not there."""
    named = [one for layer in layers() for member in layer for one in member.split(" : ")]
    assert len(named) == len(set(named))
    assert [] == [member for member in named if member not in sources()]
    houses = {name for name, path in sources().items() if path.name == "__init__.py"}
    assert [] == [name for name in sources() if name not in houses and layer_of(name) is None]


def test_layers_point_one_way() -> None:
    """A module imports only from lower layers: not from its own, and never from above."""
    wrong = []
    for name in sources():
        mine = layer_of(name)
        for other in sorted(imports(name)):
            theirs = layer_of(other)
            if mine is None or theirs is None or mine[1] == theirs[1]:
                continue
            if theirs[0] <= mine[0]:
                wrong.append(f"{name} imports {other}")
    assert [] == wrong


def test_the_package_itself_is_imported_by_nobody() -> None:
    """Inside, modules name each other, not the public names; only what starts the package may use it."""
    users = [name for name in sources() if "dedup" in imports(name) and name != "dedup.__main__"]
    versions = {name for name in users if "__version__" in sources()[name].read_text(encoding="utf-8")}
    assert [] == [name for name in users if name not in versions]


def test_kernels_know_nothing_of_the_library() -> None:
    """Kernels import one another, numba, numpy, the field's checksum, the errors and the standard library."""
    allowed = {"numba", "llvmlite", "numpy", "xxhash", "hatchling", *sys.stdlib_module_names}
    for name in sources():
        if name.startswith("dedup.kernels"):
            others = {other for other in imports(name) if not other.startswith(("dedup.kernels", "dedup.errors"))}
            assert {other.partition(".")[0] for other in others} <= allowed, name


def test_no_circles() -> None:
    """Modules can be put in an order in which each imports only earlier ones; inside the kernels too."""
    left = {name: {other for other in imports(name) if other in sources()} for name in sources()}
    left.pop("dedup")
    done = {"dedup"}
    while left:
        free = {name for name, others in left.items() if others <= done | {name}}
        assert free, f"a circle among {sorted(left)}"
        done |= free
        for name in free:
            del left[name]


# ----------------------------------------------------------------------------- what lives where


def users(of: set[str]) -> list[str]:
    """Give the modules that import one of some packages."""
    return [name for name in sources() if any(other.partition(".")[0] in of for other in imports(name))]


def test_numba_lives_in_the_kernels() -> None:
    """No other module compiles anything."""
    found = users({"numba", "llvmlite"})
    assert found
    assert [] == [name for name in found if not name.startswith("dedup.kernels")]


def test_threads_live_in_one_place() -> None:
    """Only `dedup.runtime.threads` starts threads; only what compiles kernels starts processes."""
    assert ["dedup.runtime.threads"] == users(THREADS - {"multiprocessing"})
    compiling = {"dedup.kernels.warming", "dedup.kernels.native.build", "dedup.kernels.native.hatch_build"}
    assert compiling == {*users({"multiprocessing", "subprocess"})}


def test_kernels_are_serial() -> None:
    """No `prange`, no `parallel=True`: threads belong to `dedup.runtime.threads`."""
    for name, path in sources().items():
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        words = {getattr(node, "id", None) or getattr(node, "attr", None) for node in tree}
        assert "prange" not in words, name
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert "parallel" not in {node.arg for node in tree if isinstance(node, ast.keyword)}, name


def test_results_do_not_come_from_python_hashes() -> None:
    """Nobody calls `hash()`: it differs from process to process."""
    for name, path in sources().items():
        calls = (n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
        assert not any(isinstance(call, ast.Name) and call.id == "hash" for call in calls), name


# --------------------------------------------------------------------------------------- the files


def test_a_folder_is_seen_at_a_glance() -> None:
    """A folder has up to 13 modules, save for the kernels, which are many and flat."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" and path.parent.name != "kernels"]
    counts = Counter(str(path.parent.relative_to(PACKAGE)) for path in modules)
    assert {} == {folder: count for folder, count in counts.items() if count > MOST_MODULES}


def test_files_are_short() -> None:
    """A file is one idea: up to 400 lines, save for those that have a reason."""
    lengths = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in sources().values()
    }
    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in LONG_FILES}
    assert all(lengths.get(name, 0) > LONGEST for name in LONG_FILES), "no exception that is not needed"
    assert all(len(reason) > 20 for reason in LONG_FILES.values())


def test_every_module_says_what_it_is() -> None:
    """Each file begins with its page, and each public function and class has a docstring."""
    for name, path in sources().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if name != "dedup.__main__":
            assert len(ast.get_docstring(tree) or "") > 40, name
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{name}.{node.name}"


def test_no_drawers_for_everything() -> None:
    """No file is named after what it is for rather than what it holds."""
    names = {part for name in sources() for part in name.split(".")}
    assert set() == names & {"utils", "util", "helpers", "common", "core", "base", "misc", "tools"}


# ------------------------------------------------------------------------------------ the constants


SHARED_NAMES = {
    "FILE": "hatch_build.py runs before the package can be imported, and names the file that build.py writes",
}
"""Names of constants that two modules may define, and why."""


def constants(path: Path) -> set[str]:
    """Give the names in upper case that a module assigns on its top level, but those of type variables."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        value = getattr(node, "value", None)
        of_types = isinstance(value, ast.Call) and getattr(value.func, "id", "") in {"ParamSpec", "TypeVar"}
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets if isinstance(node, (ast.Assign, ast.AnnAssign)) and not of_types else ():
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            found |= {name.id for name in names if isinstance(name, ast.Name) and name.id.strip("_").isupper()}
    return found


def test_a_constant_has_a_name_of_its_own() -> None:
    """No two modules define a constant of one name: it has one meaning, and one place that defines it."""
    homes: dict[str, list[str]] = {}
    for name, path in sources().items():
        for constant in constants(path):
            homes.setdefault(constant, []).append(name)
    assert "PADDING" in homes
    doubled = {constant: names for constant, names in homes.items() if len(names) > 1}
    assert {} == {constant: names for constant, names in doubled.items() if constant not in SHARED_NAMES}
    assert doubled.keys() == SHARED_NAMES.keys(), "no exception that is not needed"


# ------------------------------------------------------------------------------------- the imports


@pytest.mark.parametrize(
    ("module", "light"),
    [
        (
            "dedup",
            [
                "numba",
                "llvmlite",
                "numpy",
                "pyarrow",
                "click",
                "rich",
                "xxhash",
                "concurrent.futures",
            ],
        ),
        ("dedup.errors", ["numba", "numpy", "pyarrow"]),
        ("dedup.cli", ["numba", "pyarrow", "pandas", "polars"]),
        ("dedup.pipelines.find", ["numba", "pyarrow", "pandas", "polars", "rich", "click"]),
        ("dedup.interop", ["numba", "datasketch", "scipy"]),
    ],
)
def test_importing_loads_little(module: str, light: list[str]) -> None:
    """Importing compiles nothing and loads nothing heavy before it is used."""
    code = f"import sys, {module}; print([name for name in {light!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "[]\n" == done.stdout
