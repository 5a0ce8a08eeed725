"""A hook of MkDocs: the page of all docstrings, which exists in the site alone.

It is written for each build, from the public names of the package, so it cannot lack one. mkdocstrings fills it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from mkdocs.structure.files import File

PAGE = "reference/docstrings.md"
MODULES = ("shingling", "minhash", "lsh", "interop", "errors")
"""Public modules; the stages of `spark` need packages that the site does not have."""

HEAD = """# Docstrings

What `help()` shows of each public name. The [Python reference](api.md) has the same names with examples and links.
"""


def package() -> ModuleType:
    """Load the package of this clone, whatever is installed."""
    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("dedup", root / "dedup" / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("dedup", module)
    spec.loader.exec_module(module)
    return module


def page() -> str:
    """Return the page: what mkdocstrings is to fill in."""
    module = package()
    homes = {name: f"dedup.{home}.{name}" for name, home in sorted(vars(module)["_HOMES"].items())}
    functions = [name for name in homes if name[0].islower()]
    classes = [name for name in homes if name[0].isupper()]
    parts = [HEAD]
    for title, names in (("Functions", functions), ("Classes", classes)):
        parts += [f"## {title}\n", *(f"::: {homes[name]}\n" for name in names)]
    parts += [
        "## Modules\n",
        *(f"::: dedup.{name}\n    options:\n      show_root_full_path: true\n" for name in MODULES),
    ]
    return "\n".join(parts)


def on_files(files: Any, config: Any) -> Any:
    """Add the page to the site."""
    files.append(File.generated(config, PAGE, content=page()))
    return files
