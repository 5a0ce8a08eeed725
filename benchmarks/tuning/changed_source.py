"""Modules loaded with other values of some constants than their source has.

What a module computes from a constant, what others import of it, and kernels that are compiled with it, have the value
too: it is there before any of them is.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
from collections.abc import Mapping
from types import CodeType
from typing import Any


class Changed(importlib.machinery.SourceFileLoader):
    """Loads a module with other values of some constants."""

    def __init__(self, fullname: str, path: str, values: Mapping[str, Any]) -> None:
        super().__init__(fullname, path)
        self._values = values

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed source; nothing of it is kept."""
        tree = ast.parse(self.get_data(self.path))
        for name, value in self._values.items():
            change(tree, name, value)
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code


def change(tree: ast.Module, name: str, value: Any) -> None:
    """Put a value in the place of the one that a constant has on the top level of a module."""
    new = ast.parse(repr(value), mode="eval").body
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            node.value = ast.copy_location(new, node)
            break
        targets = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(targets, ast.Name) and targets.id == name:
            node.value = ast.copy_location(new, node)
            break
        if isinstance(node, ast.Assign) and isinstance(targets, ast.Tuple) and isinstance(node.value, ast.Tuple):
            names = [getattr(target, "id", None) for target in targets.elts]
            if name in names:
                node.value.elts[names.index(name)] = ast.copy_location(new, node)
                break
    else:
        raise LookupError(f"Expected an assignment to {name} on the top level of its module, found none")
    ast.fix_missing_locations(tree)


class Changing(importlib.abc.MetaPathFinder):
    """Finds the modules of some constants as Python does, and has them loaded with other values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values: dict[str, dict[str, Any]] = {}
        for constant, value in values.items():
            module, name = constant.rsplit(".", 1)
            self._values.setdefault(module, {})[name] = value

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Find a module; None where none of its constants is changed."""
        if fullname not in self._values:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            return None
        spec.loader = Changed(fullname, spec.origin, self._values[fullname])
        return spec
