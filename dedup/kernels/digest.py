"""A digest of the kernels' code. It names the folder of compiled kernels, and shows whether the library is current."""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import Any

__all__ = ["code_digest", "digest", "source_digest"]

LIBRARY = ("native/library.c", "native/build.py", "native/drafts.py")
"""Files that the library is made from, in addition to the kernels."""


def digest() -> str:
    """Return a digest of the sources of all kernels; of their compiled code if there are no sources."""
    return source_digest() or code_digest()


def source_digest(*more: str) -> str:
    """Return a digest of the sources of all kernels and of the files `more`; "" if the package has no sources."""
    folder = Path(__file__).parent
    sources = sorted(folder.glob("*.py"))
    if not sources:
        return ""
    found = hashlib.sha256()
    sources += [folder / name for name in more]
    for source in sources:
        found.update(source.read_bytes())
    return found.hexdigest()


def code_digest() -> str:
    """Return a digest of the compiled code of all kernel modules, which may be in a zip file or a one-file program."""
    package = __name__.rpartition(".")[0]
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    names = sorted({package, *(f"{package}.{module.name}" for module in pkgutil.iter_modules(places))})
    found = hashlib.sha256()
    for name in names:
        loader: Any = getattr(find_spec(name), "loader", None)
        code = loader.get_code(name) if hasattr(loader, "get_code") else None
        found.update(name.encode())
        for piece in _pieces(code) if isinstance(code, CodeType) else ():
            found.update(repr(piece).encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()


def _pieces(code: CodeType) -> Iterator[object]:
    """Yield all that a code object does, but not where it was compiled."""
    yield code.co_name
    yield code.co_code
    yield code.co_names + code.co_varnames + code.co_freevars + code.co_cellvars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _pieces(constant)
        else:
            yield sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant
