"""The documents: each example runs and prints what the page shows, each link leads somewhere, each name is described.

A page is read as a reader reads it, from the top, with one namespace a page:

- a ``python`` block is executed; what it prints is the ``text`` block that follows it directly (nothing, where none
  does). A block that begins with ``>>>`` is a doctest.
- a ``console`` block is a terminal: lines that begin with ``$ `` are run from the root of the repository, with
  ``dedup`` standing for ``python -m dedup`` (by ``sh`` if they need one); the lines after it are what it shows.
- blocks of other kinds (``sh``, ``py`` for signatures, ``text`` elsewhere) are not run.

``DEDUP_DOCS=write`` puts what was printed into the pages instead of comparing: look at the difference afterwards.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import gc
import inspect
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import dedup

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [page for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) if page.is_file()]
REWRITE = os.environ.get("DEDUP_DOCS") == "write"

FENCED = re.compile(r"^```(?P<kind>[\w-]*)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$", re.MULTILINE)
PARTS = ("interop", "lsh", "minhash", "shingling", "spark", "errors")

pytestmark = pytest.mark.skipif(not PAGES, reason="the documents are not beside the tests")


def name_of(page: Path) -> str:
    """Give the path of a page from the root, as tests name it."""
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    """Read a page."""
    return page.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, its body, where the body is in the page, and whether it follows another at once."""

    kind: str
    body: str
    start: int
    end: int
    line: int
    follows: bool


def blocks(text: str) -> list[Block]:
    """Give the fenced blocks of a page, in order."""
    found: list[Block] = []
    before = 0
    for match in FENCED.finditer(text):
        start, end = match.span("body")
        follows = bool(found) and not text[before : match.start()].strip()
        line = text.count("\n", 0, start) + 1
        found.append(Block(match["kind"], match["body"], start, end, line, follows))
        before = match.end()
    return found


def run_python(page: Path, block: Block, names: dict[str, Any]) -> str:
    """Execute a block in the names of its page; return what it prints."""
    # blank lines in front, so that a traceback names the line of the page
    tree = ast.parse("\n" * (block.line - 1) + block.body, filename=str(page))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(page), "exec"), names)
    return printed.getvalue()


def run_doctest(page: Path, block: Block, names: dict[str, Any]) -> None:
    """Run a block that is a session of the Python prompt."""
    test = doctest.DocTestParser().get_doctest(block.body, names, name_of(page), str(page), block.line - 1)
    report: list[str] = []
    failed = doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False).failed
    names.update(test.globs)
    assert failed == 0, "".join(report)


@cache
def run_shell(command: str) -> str:
    """Run a command from the root of the repository; return what a terminal would show."""
    if not re.search(r"[;|&<>$`]", command):
        name, *arguments = shlex.split(command)
        assert name == "dedup", command
        return run_module(arguments)
    program = f'dedup() {{ {shlex.quote(sys.executable)} -m dedup "$@"; }}\n'
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        ["sh", "-c", program + command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.stdout


@cache
def find_pandas() -> None:
    """Let pyarrow look for pandas, which it does once: a command hides it, and later pages have it."""
    with contextlib.suppress(ImportError):
        import pandas as pd
        import pyarrow as pa

        assert pa.array(pd.Series(["a"], index=[7])).to_pylist() == ["a"]


def run_module(arguments: list[str]) -> str:
    """Do what ``python -m dedup`` does, in this process: the kernels are loaded here."""
    find_pandas()
    shown = io.StringIO()
    pa.array(pd.Series([0]))  # Arrow looks for pandas once, and must not do so while the command hides it
    before, finders, threshold = sys.argv, list(sys.meta_path), gc.get_threshold()
    sys.argv = ["dedup", *arguments]
    try:
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown), contextlib.suppress(SystemExit):
            runpy.run_module("dedup", run_name="__main__", alter_sys=True)
    finally:
        sys.argv, sys.meta_path[:] = before, finders
        gc.unfreeze()
        gc.set_threshold(*threshold)
    return shown.getvalue()


def sessions(body: str) -> Iterator[tuple[str, str]]:
    """Give each command of a console block, and what the block shows after it."""
    assert body.startswith("$ "), "a console block begins with a command"
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def shown_after(command: str) -> str:
    """Give what a console block shows for a command: what it prints, without blank lines round it."""
    printed = run_shell(command).strip("\n")
    return f"{printed}\n" if printed else ""


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page says that a piece of code prints is what it prints."""
    monkeypatch.chdir(ROOT)
    text = read(page)
    found = blocks(text)
    names: dict[str, Any] = {"__name__": "__main__"}
    edits: list[tuple[int, int, str]] = []

    def compare(block: Block, expected: str, actual: str) -> None:
        if REWRITE and expected != actual:
            edits.append((block.start, block.end, actual))
            return
        assert expected == actual, f"{name_of(page)}, line {block.line}"

    for block, following in zip_longest(found, found[1:]):
        if block.kind == "python" and block.body.startswith(">>>"):
            run_doctest(page, block, names)
        elif block.kind == "python":
            printed = run_python(page, block, names)
            if following is not None and following.follows and following.kind == "text":
                compare(following, following.body, printed)
            else:
                assert printed == "", f"{name_of(page)}, line {block.line}: no text block shows what it prints"
        elif block.kind == "console":
            commands = [command for command, _ in sessions(block.body)]
            compare(block, block.body, "".join(f"$ {command}\n{shown_after(command)}" for command in commands))
    for start, end, body in reversed(edits):
        text = text[:start] + body + text[end:]
    if edits:
        page.write_text(text, encoding="utf-8")


def test_a_wrong_example_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above fails where a page lies: a check of the check."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "REWRITE", False)
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"page\.md, line 6"):
        test_examples(page, monkeypatch)
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n", encoding="utf-8")
    test_examples(page, monkeypatch)
    page.write_text("```python\nprint(1 + 1)\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="no text block"):
        test_examples(page, monkeypatch)


def prose(text: str) -> str:
    """Give a page without its code."""
    return CODE.sub("", FENCED.sub("", text))


def anchors(page: Path) -> set[str]:
    """Give the anchors of the headings of a page, as they are made from their titles."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.finditer(FENCED.sub("", read(page))):
        title = LINK.sub(lambda link: link[0].partition("]")[0][1:], heading["title"]).lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(page: Path) -> list[tuple[Path, str]]:
    """Give the files (and anchors in them) to which a page links, those of other sites left out."""
    found = []
    for link in LINK.finditer(prose(read(page))):
        path, _, anchor = link["target"].partition("#")
        if "://" not in link["target"] and not link["target"].startswith("mailto:"):
            found.append(((page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that is there, and a heading that is in it."""
    for target, anchor in links(page):
        assert target.exists(), f"{name_of(page)} links to {target}, which is not there"
        assert ROOT.resolve() in target.parents, f"{name_of(page)} links to {target}, outside of the repository"
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)} links to #{anchor}, which {target.name} does not have"


def test_every_page_can_be_reached() -> None:
    """From the README, links lead to every page."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            waiting += [target for target, _ in links(page)]
    there = {page.resolve() for page in reached}
    assert [name_of(page) for page in PAGES if page.resolve() not in there] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_installs_another_package(page: Path) -> None:
    """The name of the distribution is dedup-text: a package called dedup in the registry is somebody else's."""
    for command in re.findall(r"pip3? install[^\n&|;]*", read(page)):
        assert not re.search(r"(?<![\w./-])dedup(?!-text)(?![\w/])", command), f"{name_of(page)}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine(page: Path) -> None:
    """Paths in the documents are relative to the repository."""
    assert re.findall(r"(?<![\w.])/(?:home|root|tmp|work|Users)/\S*", read(page)) == []


def sections(page: Path) -> dict[str, str]:
    """Give the text under each heading of a page, up to the next heading of any level.

    A class whose name is that of a function but for the first letter is called "Name (class)", so that each has an
    anchor of its own.
    """
    text = read(page)
    # code may hold lines that look like headings: they are hidden, at the same places
    hidden = FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    found = list(HEADING.finditer(hidden))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    titles = [heading["title"].strip("`").removesuffix(" (class)") for heading in found]
    return {title: text[heading.end() : end] for title, heading, end in zip(titles, found, ends, strict=True)}


def public() -> dict[str, Any]:
    """Give every public name (of a part of the package, with the part in front) and the object that it names."""
    names = {name: getattr(dedup, name) for name in dedup.__all__}
    for part in PARTS:
        module = names[part]
        if part != "errors":  # whose names are those of the package
            names |= {f"dedup.{part}.{name}": getattr(module, name) for name in module.__all__}
    return {(f"dedup.{name}" if isinstance(value, ModuleType) else name): value for name, value in names.items()}


def parts_of(value: Any) -> set[str]:
    """Give the parameters of a function with their defaults, or the public attributes of a class."""
    if inspect.isclass(value):
        if issubclass(value, Exception):
            return set()
        names = {name for name in vars(value) if not name.startswith("_")}
        return names | ({field.name for field in fields(value)} if is_dataclass(value) else set())
    if not callable(value):
        return set()
    given = inspect.signature(value).parameters.values()
    return {
        name.name if name.default is name.empty else f"{name.name}={name.default!r}".replace("'", '"') for name in given
    }


def test_the_reference_describes_every_name() -> None:
    """Each public name has a section in the reference, with its parameters and defaults, or its attributes."""
    described = sections(DOCS / "reference" / "api.md")
    names = public()
    assert sorted(set(names) - set(described)) == []
    missing = [
        f"{name}: {part}"
        for name, value in names.items()
        for part in sorted(parts_of(value))
        if not re.search(rf"(?<![\w\"]){re.escape(part)}(?!\w)", described[name])
    ]
    assert missing == []


def test_the_reference_describes_nothing_else() -> None:
    """What left the package leaves the reference too."""
    names = public()
    gone = [
        title
        for title in sections(DOCS / "reference" / "api.md")
        if re.fullmatch(r"[\w.]+", title) and title not in names and title != "Python"
    ]
    assert gone == []


def test_the_reference_describes_every_command() -> None:
    """Each command and each of its options are in the reference of the command line."""
    import click

    from dedup.cli import main

    described = sections(DOCS / "reference" / "cli.md")
    commands: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        commands |= {name: command} | {f"{name} {each}": one for each, one in inner.items()}
    assert sorted(f"dedup {name}" for name in commands if f"dedup {name}" not in described) == []
    missing = [
        f"dedup {name} {option.opts[0]}"
        for name, command in commands.items()
        for option in command.params
        if isinstance(option, click.Option) and f"`{option.opts[0]}`" not in described[f"dedup {name}"]
    ]
    assert missing == []


def test_every_error_is_described() -> None:
    """Each error is in the reference of errors."""
    text = read(DOCS / "reference" / "errors.md")
    assert [name for name in dedup.errors.__all__ if f"`{name}`" not in text] == []


def test_every_folder_is_explained() -> None:
    """The map of the package has a section for each folder and module on top, and names only files that are there."""
    package = Path(dedup.__file__).parent
    page = read(DOCS / "explanation" / "architecture.md")
    titles = re.findall(r"^## (.+):", page, re.MULTILINE)
    named = {name for title in titles for name in title.split(", ")}
    there = {path.stem for path in package.iterdir() if not path.name.startswith("_") and path.suffix in ("", ".py")}
    assert sorted(there ^ named) == []
    paths = list(package.rglob("*.py"))
    files = {path.name for path in paths} | {f"{path.parent.name}/{path.name}" for path in paths}
    files |= {path.relative_to(package).as_posix() for path in paths}
    assert sorted(set(re.findall(r"`([\w/]+\.py)`", page)) - files) == []


def test_every_page_is_on_the_site() -> None:
    """The menu of the site names each page, once, and none that is not there."""
    settings = ROOT / ".github" / "site" / "mkdocs.yml"
    if not settings.exists():
        pytest.skip("the settings of the site are not beside the tests")
    menu = settings.read_text(encoding="utf-8").split("\nnav:\n")[1].split("\nmarkdown_extensions:")[0]
    named = Counter(re.findall(r"([\w/-]+\.md)$", menu, re.MULTILINE))
    made = {"reference/docstrings.md"}  # when the site is built
    assert {page.relative_to(DOCS).as_posix() for page in PAGES if DOCS in page.parents} | made == set(named)
    assert {1} == set(named.values())
