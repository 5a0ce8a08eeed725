"""An extension of griffe: in our docstrings, ``name :`` is followed by what a field is; the signature has its type."""

from __future__ import annotations

import re
from typing import Any

import griffe

FIELD = re.compile(r"^(\*{0,2}\w+(?:, \w+)*) : (.*)$", re.MULTILINE)


class Fields(griffe.Extension):
    """Moves what is said of a field from the place of a type to that of a description."""

    def on_instance(self, *, obj: Any, **_: object) -> None:
        """Rewrite the docstring of an object that was read."""
        if obj.docstring is not None and re.search(r"^(Parameters|Attributes)\n-+$", obj.docstring.value, re.MULTILINE):
            obj.docstring.value = FIELD.sub(r"\1\n    \2", obj.docstring.value)
