"""Safe output: text from the input is escaped so that it cannot control a terminal, hide, or imitate a line of dedup.

An id, a file name, a column name or a text may contain escape sequences that set the title or the clipboard of a
terminal, line breaks, characters that reverse the writing direction, and characters of zero width. `clean` makes one
line in which each of these is escaped. `clean_block` keeps the lines of a text and replaces the characters that control
a terminal. `to_json` writes all of them as JSON escapes: the value is the same, and letters outside ASCII are readable.

The joiners U+200C and U+200D are not escaped between two characters outside ASCII: Persian, Hindi and emoji need them.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["clean", "clean_block", "to_json"]

_LETTER = r"[^\x00-\x7f]"
_UNSEEN = (
    r"\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
)
"""DEL and the C1 controls; soft hyphen; marks, overrides and isolates of direction; spaces and joiners of zero width;
line and paragraph separators; annotation characters; lone surrogates; format characters of shorthand and music; tags.
"""

_JOINERS = rf"(?<!{_LETTER})[\u200c\u200d]|[\u200c\u200d](?!{_LETTER})"

_LINE = re.compile(rf"[\x00-\x1f{_UNSEEN}]|{_JOINERS}")
_BLOCK = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff\U000e0000-\U000e00ff]"
)
_RETURN = re.compile(r"\r(\n?)")


def clean(text: object) -> str:
    r"""Return ``str(text)`` as one line: characters that control a terminal, are invisible or break lines are escaped.

    >>> print(clean("a\x1b]0;title\x07\nremove b"))
    a\x1b]0;title\x07\nremove b
    """
    return _LINE.sub(_escape, str(text))


def clean_block(text: str) -> str:
    r"""Return a text of the same length and lines, in which U+FFFD replaces each character that controls a terminal.

    A carriage return becomes a space before a line feed, and a line feed elsewhere.

    >>> clean_block("one\x1b[1m\rtwo\r\nthree")
    'one�[1m\ntwo \nthree'
    """
    return _RETURN.sub(_broken, _BLOCK.sub("\ufffd", text))


def to_json(value: Any) -> str:
    r"""Return a value as one line of JSON that reads back as the same value and is safe on a terminal.

    >>> print(to_json({"id": "café\x9b1m\u202e"}))
    {"id": "café\u009b1m\u202e"}
    """
    return _LINE.sub(_json_escape, json.dumps(value, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _broken(found: re.Match[str]) -> str:
    return " \n" if found[1] else "\n"
