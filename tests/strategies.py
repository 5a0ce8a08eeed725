"""Hypothesis strategies: texts of many scripts, near copies, corpora, articles, repeats.

Everything is drawn from small pools on purpose: random code points never meet twice, and a test of
duplicates needs texts that do. `characters` is the exception, for what a tokeniser must survive.
"""

# ruff: noqa: E501, SIM905  (words and sentences in scripts of any width; a word list is read as one)

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from hypothesis import strategies as st

WORDS: dict[str, str] = {
    "latin": "the storm reached harbour on Monday evening and façade naïve Ångström Straße œuvre",
    "greek": "η θάλασσα ήταν ήσυχη όταν έφτασαν οι ψαράδες στο λιμάνι ΟΔΥΣΣΕΥΣ",
    "cyrillic": "утром корабль вышел из гавани и взял курс на север йод ёлка Ївга",
    "arabic": "وصلت السفينة إلى الميناء قبل الفجر وكان البحر هادئا كِتَابٌ",
    "hebrew": "הספינה הגיעה אל הנמל לפני הזריחה והים היה שקט שָׁלוֹם",
    "devanagari": "जहाज़ सुबह होने से पहले बंदरगाह पर पहुँचा और समुद्र शांत था",
    "han": "北京 大学 今天 天气 很好 我们 去 海边 散步 新闻 記者",
    "kana": "きょうは いい てんき です カタカナ ガラス ことば みなと ふね",
    "hangul": "배가 새벽에 항구에 도착했고 바다는 고요했다 우리는 집으로",
    "thai": "เรือ มาถึง ท่าเรือ ก่อน รุ่งสาง และ ทะเล สงบ น้ำ ที่นี่",
    "lao": "ເຮືອ ມາຮອດ ທ່າເຮືອ ກ່ອນ ອາລຸນ ແລະ ທະເລ ສະຫງົບ",
    "khmer": "ទូក បាន មកដល់ កំពង់ផែ មុន ព្រឹក ហើយ សមុទ្រ ស្ងប់",
    "myanmar": "သင်္ဘော ဆိပ်ကမ်း ရောက်ရှိ မနက် ပင်လယ် ငြိမ်သက် မြန်မာ",
    "tamil": "கப்பல் விடியலுக்கு முன் துறைமுகத்தை அடைந்தது கடல் அமைதியாக",
}

ODD_WORDS = """
    7 2024 3.14 ٣٤ ½ x² snake_case _ __init__ don't e-mail ﬁnance ﬀ Ａｂｃ １２ ｶﾞ Ǆ İstanbul ıssız ŉ ẞ ΐ Ⅷ
    cafe\u0301 e\u0301\u0327 co\u00adoperate zero\u200bwidth a\u200db 👩\u200d👩\u200d👧 ❤\ufe0f 🏳\ufe0f\u200d🌈
    \u0301 k\u0323\u0307 \u1100\u1161\u11a8 𝒜𝓁𝓁 𐐀𐐨 ﷺ क\u094d\u200dष 々〇
""".split()

SEPARATORS = [" "] * 6 + [
    ", ",
    ". ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\u00a0",
    "\t",
    "—",
    "\u3000",
    "\0",
    " « ",
]

# Letters of every width in UTF-8, marks, format characters, separators, controls, surrogates, unassigned.
TRICKY = (
    "aAzZ_0 9\n\r\t\0.-éÉßİıſµªº½ΣσςίЖיַﭏאبّ٣क्षि한ᄀ北々〇カガｶﾞー。ไทยน้ำລາວខ្មែមြန်ﬁⅧ𝒜𐐀😀👩\u200d\ufe0f\u0301\u0327\u0307\u0345"
    "\u00ad\u200b\u200c\u200e\u2028\u0085\u00a0\u3000\ufeff\ud800\udfff\u0378\ue000\U000e0041\uffff\U0010ffff"
)


def words(*scripts: str) -> st.SearchStrategy[str]:
    """Give words of the named scripts (all, by default), in any case, and some odd ones."""
    pool = [word for script in scripts or WORDS for word in WORDS[script].split()]
    casings: list[Callable[[str], str]] = [str, str, str, str.upper, str.title, decomposed]
    plain = st.builds(lambda word, case: case(word), st.sampled_from(pool), st.sampled_from(casings))
    return plain if scripts else st.one_of(plain, plain, plain, st.sampled_from(ODD_WORDS))


def decomposed(word: str) -> str:
    """Give the word with its marks apart from their letters."""
    return unicodedata.normalize("NFD", word)


def joined(parts: list[str], separators: list[str]) -> str:
    """Put the words together, each with the separator that follows it."""
    return "".join(word + sep for word, sep in zip(parts, separators, strict=True))


@st.composite
def texts(draw: st.DrawFn, min_words: int = 0, max_words: int = 40) -> str:
    """Give a text of one script, of two, or of any."""
    scripts = draw(st.lists(st.sampled_from(sorted(WORDS)), max_size=2))
    parts = draw(st.lists(words(*scripts), min_size=min_words, max_size=max_words))
    size = len(parts)
    return joined(parts, draw(st.lists(st.sampled_from(SEPARATORS), min_size=size, max_size=size)))


def characters(max_size: int = 60) -> st.SearchStrategy[str]:
    """Give texts of tricky code points, or of any at all."""
    tricky = st.text(st.sampled_from(TRICKY), max_size=max_size)
    return st.one_of(tricky, tricky, st.text(st.characters(exclude_categories=["Cn"]), max_size=max_size))


def settled_texts() -> st.SearchStrategy[str]:
    """Give texts that are their own NFKC form."""
    return st.one_of(texts(), characters()).map(lambda text: unicodedata.normalize("NFKC", text))


# -------------------------------------------------------------------------------- near copies


def quoted(text: str) -> str:
    """Put a text in quotation marks."""
    return f"“{text}”"


def fused(text: str) -> str:
    """Drop the spaces after full stops, as careless extraction does."""
    return text.replace(". ", ".")


def headed(text: str) -> str:
    """Put a line before the text."""
    return f"Read more here\n{text}"


SAME_TOKENS: list[Callable[[str], str]] = [str, str.upper, str.lower, quoted, fused]


@st.composite
def near_copies(draw: st.DrawFn, text: str, max_edits: int = 3) -> str:
    """Give a copy of the text with a few edits of tokens: the kinds that people make."""
    parts = text.split(" ")
    for _ in range(draw(st.integers(0, max_edits))):
        kind = draw(st.sampled_from(["insert", "delete", "substitute", "move", "repeat"]))
        at = draw(st.integers(0, max(0, len(parts) - 1)))
        if kind == "insert":
            parts.insert(at, draw(words()))
        elif not parts:
            continue
        elif kind == "delete":
            del parts[at]
        elif kind == "substitute":
            parts[at] = draw(words())
        elif kind == "move":
            parts.insert(draw(st.integers(0, len(parts) - 1)), parts.pop(at))
        else:
            parts[at:at] = parts[at : at + 3]
    return draw(st.sampled_from([*SAME_TOKENS, headed]))(" ".join(parts))


ADVERSARIAL = st.one_of(
    st.builds(lambda word, n: " ".join([word] * n), words("latin"), st.integers(1, 60)),
    st.builds(lambda a, b, n: f"{a} {b} " * n, words("latin"), words("greek"), st.integers(1, 30)),
    st.builds(lambda word, n: word * n, st.sampled_from(["a", "北", "ก็", "ab ", "x."]), st.integers(1, 60)),
)

HOLLOW = ["", " ", "\n\n", "...", "\0", "😀", "* * *", "\ud800", "\u200b"]
SHORT = ["one", "One!", "one two", "two one", "北京", "a b c d", "A, b; c - d"]


@st.composite
def corpora(draw: st.DrawFn, max_texts: int = 10) -> list[str]:
    """Give a list of texts with copies and near copies of one another, empty ones and short ones."""
    base = draw(st.lists(st.one_of(texts(4, 40), ADVERSARIAL), min_size=1, max_size=3))
    corpus: list[str] = []
    for _ in range(draw(st.integers(0, max_texts))):
        kind = draw(st.sampled_from(["copy", "near", "near", "near", "hollow", "short"]))
        if kind == "hollow":
            corpus.append(draw(st.sampled_from(HOLLOW)))
        elif kind == "short":
            corpus.append(draw(st.sampled_from(SHORT)))
        else:
            text = draw(st.sampled_from(base))
            corpus.append(text if kind == "copy" else draw(near_copies(text)))
    return corpus


# ----------------------------------------------------------------------------------- articles

PARAGRAPHS = [
    "Storm warning lifted",
    "The harbour opened again on Monday after three days of gales, and the first ferry left at noon.",
    "“Nobody was hurt,” the harbour master said.",
    "Repairs to the northern mole will take until spring; the council has set aside two million for it.",
    "Fishermen had moved their boats inland.",
    "ADVERTISEMENT",
    "Die Straße am Hafen bleibt gesperrt, bis der Damm geprüft ist.",
    "北京大学今天发布了新的研究报告。",
    "Утром корабль вышел из гавани.",
    "go on",
    "Fishermen had moved their boats inland!",
]
SEPARATING = ["* * *", "---", "…", "😀"]
WRAPPED = (
    "a longer paragraph that somebody broke\nto fit a narrow window, so that each\nbreak was forced by the width it had"
)


@st.composite
def articles(draw: st.DrawFn, max_runs: int = 4) -> str:
    """Give an article in which runs of paragraphs occur again: doubled, moved, edited, separated."""
    pool = st.sampled_from(PARAGRAPHS)
    body = draw(st.lists(pool, min_size=1, max_size=6))
    parts = draw(st.lists(st.one_of(pool, st.just(WRAPPED)), max_size=3))
    for _ in range(draw(st.integers(0, max_runs))):
        at = draw(st.integers(0, len(body)))
        run = draw(st.sampled_from([body, body, body[:at], body[at:], body[at:] + body[:at]]))
        if run and draw(st.integers(0, 3)) == 0:
            place = draw(st.integers(0, len(run) - 1))
            run = [*run[:place], draw(near_copies(run[place], 1)), *run[place + 1 :]]
        parts += run
        parts += draw(st.lists(st.one_of(pool, st.sampled_from(SEPARATING)), max_size=1))
    newline = draw(st.sampled_from(["\n", "\n\n", "\r\n", "\r", "\n \n"]))
    return draw(st.sampled_from(["", "\n", " "])) + newline.join(parts) + draw(st.sampled_from(["", newline]))
