"""Check whether a column of text can decide which text is kept: whether its order as text is the intended order.

Text is compared character by character: "02.03.2024" comes before "28.02.2024", and "10" before "9". This is right for
names, titles, and dates of one form that begin with the year. It is wrong for numbers, dates in another order, and
dates of several forms, and nobody would notice. So a column is refused if half of its values or more look like numbers
or dates, unless all of them are dates that begin with the year and have one form: digits in the same places, and one
offset from UTC. Fractions of a second may have any length. Blank values are ignored.

`Looks` takes all values, in parts of any size. It examines their forms: the values with each digit replaced by 9. A
column of numbers or dates has few of these. Cost: two or three microseconds per value, less if there are few forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from dedup.errors import ParameterError
from dedup.options import shown

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Looks", "as_text", "check_looks"]

MONTHS = (
    "jan january januar janvier janv enero ene gennaio gen janeiro januari feb february februar février févr fév "
    "febrero febbraio fevereiro fev februari mar march märz mär mars marzo março maart mrt apr april avril avr "
    "abril abr aprile may mai mayo maggio mag maio mei jun june juni juin junio giugno giu junho jul july juli "
    "juillet juil julio luglio lug julho aug august août aoû agosto ago augustus sep sept september septembre "
    "septiembre set settembre setembro oct october oktober okt octobre octubre ottobre ott outubro out nov "
    "november novembre noviembre novembro dec december dezember dez décembre déc diciembre dic dicembre dezembro"
)
"""Names of months in English, German, French, Spanish, Italian, Portuguese and Dutch."""

MONTH = rf"(?:{'|'.join(sorted(set(MONTHS.split()), key=len, reverse=True))})\.?"
DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º)?"
YEAR = r"(?:\d{4}|['\u2019]?\d{2})"
BETWEEN = r"(?:[\s,./-]+(?:of |de |del |di )?)"
ZONE = r"(?: ?(?:[a-z]{1,5}|(?:utc|gmt)?[+-]\d{2}(?::?\d{2})?)(?: ?\([\w /]+\))?)?"
CLOCK = rf"\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?{ZONE}"

YEAR_FIRST = (
    r"\s*(?:\d{4}(?:\s?[-/.]\s?\d{1,2}){1,2}\.?|\d{4}-\d{3}|\d{4}-?w\d{2}(?:-?\d)?|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]"
    rf"(?:\s?\d{{1,2}}\s?[日일])?|\d{{4}})(?:(?:t|,?\s+){CLOCK})?\s*|\s*\d{{8}}(?:t?\d{{4}}(?:\d{{2}}(?:\.\d+)?)?z?)?\s*"
)
"""2024-03-01, 2024-3-1 10:00, 20240301T1000Z, 2024-W09, 2024."""

NUMERIC_LOOK = (
    r"\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?(?:\d{4}|\d{2})?",  # 28.02.2024, 2/28/24
    r"\d{1,2}/\d{1,2}",  # 2/28
    r"\d{1,2}[./-]\d{4}",  # 02/2024
    CLOCK,  # 9:30
)
NAMED = (
    rf"{DAY}{BETWEEN}?{MONTH}(?:{BETWEEN}?{YEAR})?",  # 28 Feb 2024
    rf"{MONTH}{BETWEEN}?{DAY}(?:{BETWEEN}{YEAR})?",  # Feb 28, 2024
    rf"{MONTH}{BETWEEN}?\d{{4}}",  # February 2024
    rf"\d{{4}}{BETWEEN}?{MONTH}(?:{BETWEEN}?{DAY})?",  # 2024 Feb 28
    rf"{MONTH} +{DAY} {CLOCK} \d{{4}}",  # Feb 28 10:00:00 2024
)
"""Dates in another order, and dates with the name of a month; the name of a weekday may come before either."""

NUMBER = (
    r"\s*[$€£¥]?\s*[+\u2212-]?\s*[$€£¥]?\s*(?:\d[\d.,_'\u2019\s]*|[.,]\d+)(?:e[+-]?\d+)?\s*"
    r"(?:[%‰°$€£¥]|[^\W\d_]{1,3}\.?)?\s*|\s*v\.?\s*\d+(?:\.\d+)*\s*"
)
"""A number, possibly with sign, currency, separators, exponent or unit; a version."""

WEEKDAY = r"\s*(?:[^\W\d_]{2,12}\.?,? +)?"
NAMES = frozenset(MONTHS.split())
LETTER_RUN = re.compile(r"[^\W\d_]+")
DATE, NAMED_DATE = (
    rf"{first}{WEEKDAY}(?:{'|'.join(forms)})(?:(?:t|,|\s|at )+{CLOCK})?\s*"
    for first, forms in ((f"{YEAR_FIRST}|", NUMERIC_LOOK), ("", NAMED))
)

FORM = (
    r"(?:9999(?:-99(?:-99)?|/99(?:/99)?|\.99\.99|-999|-?W99|-W99-9|年99月(?:99日)?)?|99999999)"
    r"(?:[T ]99:99(?::99)?(?:\.9+)?(?: ?(?:Z|UTC|GMT|[+-]99(?::?99)?))?|T?9999(?:99(?:\.9+)?)?Z?)?"
)
"""The forms (digits as 9) of dates that begin with the year and whose order as text is the order of time."""

BARE = ("9999", "99999999")
"""Forms that may be dates or numbers; the values decide."""

CALENDAR = (
    r"^[0-9]{4}(?:[-/.年]?(?:0[1-9]|1[0-2])[-/.月]?(?:0[1-9]|[12][0-9]|3[01])(?:[^0-9]|[0-9]{4}|$)"
    r"|[-/年](?:0[1-9]|1[0-2])月?$|-[0-9]{3}|-?W)"
)
BARE_CALENDAR = r"^[12][0-9]{3}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))?$"
"""A month is at most 12 and a day at most 31, so 2024-28-02 is not a date. A bare year begins with 1 or 2."""

OFFSET = r"(?P<offset>[+-][0-9]{2}(?::?[0-9]{2})?)$"

FRACTION = re.compile(r"(:99)\.9+([+-][9:]+)?$")
"""The fraction of a second. Without a Z, times with fractions of any length are in order: "." sorts before the digits
and after + and -.
"""

MOST_FORMS = 8
"""Forms. At most so many are recorded: one is right, two are enough for the error."""

LONGEST_VALUE = 64
"""Characters. A longer value is neither a number nor a date."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern, compiled when first used: few searches keep texts by a column, and it takes 20 ms."""
    return re.compile(pattern, re.IGNORECASE)


def _has_form(form: str) -> bool:
    """Return whether a form is one of those whose order as text is the order of time."""
    return re.fullmatch(FORM, form) is not None


def _is_date(form: str) -> bool:
    if len(form) > LONGEST_VALUE or form.isalpha():
        return False
    return _compiled(DATE).fullmatch(form) is not None or (
        not NAMES.isdisjoint(LETTER_RUN.findall(form.lower())) and _compiled(NAMED_DATE).fullmatch(form) is not None
    )


def _is_number(form: str) -> bool:
    return len(form) <= LONGEST_VALUE and _compiled(NUMBER).fullmatch(form) is not None


class Looks:
    """The forms of the values of a text column. `add` takes the values in parts, `check` decides."""

    def __init__(self, keep: str) -> None:
        self._keep = keep
        self._filled = self._alike = self._numbers = 0
        self._word: str | None = None
        self._categories: pa.Array | None = None
        self._forms: dict[str, list[str]] = {}  # form -> its first two values
        self._bare: dict[str, int] = {}  # form in BARE -> number of values
        self._undated: set[str] = set()  # forms in BARE with a value that is not a date
        self._offsets: dict[str, str] = {}  # offset from UTC -> a value
        self._strange: list[str] = []  # values of a date form that are not dates

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Take some values. Values of other types than text are ignored, except ordered categories."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = values.type
        if pa.types.is_dictionary(kind):
            if kind.ordered:
                self._add_categories(values)
                return
            kind = kind.value_type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
            return
        values = as_text(values).drop_null()
        values = values.filter(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(values)), 0))
        self._filled += len(values)
        forms = pc.replace_substring_regex(values, "[0-9]", "9")
        found = pc.value_counts(forms)
        for form, count in zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True):
            date = _is_date(form)
            if not date and not _is_number(form):
                if self._word is None:
                    self._word = values.filter(pc.equal(forms, form))[0].as_py()
                continue
            self._alike += count
            self._numbers += 0 if date else count
            if form in BARE:
                self._bare[form] = self._bare.get(form, 0) + count
            self._add_form(form, values, forms)

    def _add_form(self, form: str, values: pa.ChunkedArray, forms: pa.ChunkedArray) -> None:
        """Record a form of dates or numbers: two of its values, a value per offset, and values that are not dates."""
        import pyarrow.compute as pc

        name = FRACTION.sub(r"\1\2", form)
        known = self._forms.get(name, [])
        if not known and len(self._forms) >= MOST_FORMS:
            return
        dated = _has_form(form)
        if len(known) >= 2 and not dated:
            return
        own = values.filter(pc.equal(forms, form))
        if len(known) < 2:
            self._forms[name] = list(dict.fromkeys([*known, *pc.unique(own).slice(0, 3).to_pylist()]))[:2]
        if not dated:
            return
        wrong = own.filter(pc.invert(pc.match_substring_regex(own, BARE_CALENDAR if form in BARE else CALENDAR)))
        if len(wrong) and form in BARE:
            self._undated.add(form)
        elif len(self._strange) < 2:
            self._strange += pc.unique(wrong).slice(0, 2).to_pylist()
        if ":" not in form or not form.endswith("9") or not re.search(r"[+-]99(?::?99)?$", form):
            return
        for offset in pc.unique(pc.struct_field(pc.extract_regex(own, OFFSET), "offset")).drop_null().to_pylist():
            if len(self._offsets) < 2 and offset not in self._offsets:
                self._offsets[offset] = own.filter(pc.ends_with(own, offset))[0].as_py()

    def _add_categories(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Record the ordered categories of a part. The categories of one part must begin with those of the other."""
        import pyarrow as pa

        for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
            here = chunk.dictionary
            known = here if self._categories is None else self._categories
            if len(here) > len(known):
                here, known = known, here
            self._categories = known
            if not known.slice(0, len(here)).equals(here):
                raise ParameterError(
                    f'keep="{self._keep}": expected one order of the categories, found {shown(known.to_pylist())} and '
                    f"{shown(here.to_pylist())}; give all parts of the column the same categories"
                )

    def merge(self, other: Looks) -> None:
        """Take what `other` has taken."""
        self._filled, self._alike = self._filled + other._filled, self._alike + other._alike
        self._numbers += other._numbers
        self._word = other._word if self._word is None else self._word
        if other._categories is not None:
            import pyarrow as pa

            nothing = pa.array([], type=pa.int32())
            self._add_categories(pa.DictionaryArray.from_arrays(nothing, other._categories, ordered=True))
        for form, values in other._forms.items():
            if form in self._forms or len(self._forms) < MOST_FORMS:
                self._forms[form] = list(dict.fromkeys([*self._forms.get(form, []), *values]))[:2]
        for form, count in other._bare.items():
            self._bare[form] = self._bare.get(form, 0) + count
        self._undated |= other._undated
        self._offsets = dict([*self._offsets.items(), *other._offsets.items()][:2])
        self._strange = [*self._strange, *other._strange][:2]

    def check(self) -> None:
        """Raise `ParameterError` if the order of the values as text is probably not the intended order."""
        if 2 * self._alike < self._filled or not self._alike:
            return
        numbers = self._numbers + sum(self._bare[form] for form in self._undated)
        right = {form for form in self._forms if _has_form(form)} - self._undated
        values, *others = self._forms.values()
        if numbers == self._filled:
            what, pair = "numbers", [*values, *(more[0] for more in others)]
        elif self._word is not None:
            what, pair = "values of several forms", [values[0], self._word]
        elif len(right) < len(self._forms) or self._strange:
            strange = [*self._strange, *(value for more in self._forms.values() for value in more)]
            what, pair = "dates in another order than year, month, day, or not of one form", strange
        elif others:
            what, pair = "dates of several forms", [values[0], others[0][0]]
        elif len(self._offsets) > 1:
            what, pair = "times of several offsets from UTC", list(self._offsets.values())
        else:
            return
        pair = list(dict.fromkeys(pair))[:2]
        raise ParameterError(
            f'keep="{self._keep}": expected numbers, dates, or text in the order that is meant, found text that looks '
            f"like {what}: {' and '.join(map(shown, pair))}; text is compared character by character, so "
            "convert the column to numbers or dates first"
        )


def check_looks(keep: str, parts: Iterable[pa.Array | pa.ChunkedArray]) -> None:
    """Raise `ParameterError` if a column, given in parts, is text in an order that is probably not the intended one."""
    looks = Looks(keep)
    for part in parts:
        looks.add(part)
    looks.check()


def as_text(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text column of any encoding as large strings."""
    import pyarrow as pa

    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    plain = [
        (chunk.dictionary.cast(pa.large_string()).take(chunk.indices) if pa.types.is_dictionary(chunk.type) else chunk)
        for chunk in chunks
    ]
    return pa.chunked_array([chunk.cast(pa.large_string()) for chunk in plain], type=pa.large_string())
