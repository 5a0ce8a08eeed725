"""Small corpora with known answers, made from a seed and from nothing else.

Every sentence is made of invented words, so nothing here belongs to anybody; the numbers come from
`random.Random`, whose sequences are the same in every version of Python.
"""

# ruff: noqa: E501  (a sentence a line, in scripts of any width)

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import NamedTuple

ONSETS = [
    "b",
    "br",
    "c",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
]
NUCLEI = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
CODAS = ["", "", "l", "n", "r", "s", "t", "nd", "st"]


def pick(random: Random, values: list[str]) -> str:
    """Choose a value by one call of `Random.random`, the one method that never changes."""
    return values[int(random.random() * len(values))]


def word(random: Random) -> str:
    """Make up a word of one to three syllables."""
    syllables = 1 + int(random.random() * 3)
    parts = (f"{pick(random, ONSETS)}{pick(random, NUCLEI)}{pick(random, CODAS)}" for _ in range(syllables))
    return "".join(parts)


def vocabulary(random: Random, size: int = 3000) -> list[str]:
    """Make up a vocabulary, the common words first."""
    return [word(random) for _ in range(size)]


def sentence(random: Random, known: list[str], size: int) -> str:
    """Make up a sentence: common words often, rare ones rarely."""
    words = [known[int(len(known) * random.random() ** 3)] for _ in range(size)]
    if size > 8:
        words[size // 2] += ","
    return " ".join([words[0].capitalize(), *words[1:]]) + "."


def paragraph(random: Random, known: list[str], size: int) -> str:
    """Make up a paragraph of about `size` words."""
    sentences: list[str] = []
    while size > 0:
        length = 6 + int(random.random() * 14)
        sentences.append(sentence(random, known, length))
        size -= length
    return " ".join(sentences)


class Doubled(NamedTuple):
    """An article whose body occurs twice, as a scraped page may have it."""

    text: str
    first: tuple[int, int]
    second: tuple[int, int]
    paragraphs: int
    words: int


def body(seed: int, size: int = 6) -> list[str]:
    """Make up the paragraphs of an article."""
    random = Random(seed)
    known = vocabulary(random)
    return [paragraph(random, known, 30 + int(random.random() * 60)) for _ in range(size)]


def doubled_article(seed: int = 1, size: int = 6) -> Doubled:
    """Make up an article: a byline, a body, the body again, a last line; a paragraph a line."""
    text = "\n".join(body(seed, size))
    byline = "by our own correspondents Ada Example and Bo Sample\n"
    first = (len(byline), len(byline) + len(text))
    second = (first[1] + 1, first[1] + 1 + len(text))
    whole = f"{byline}{text}\n{text}\nLatest comments\n"
    return Doubled(whole, first, second, size, len(text.split()))


class Planted(NamedTuple):
    """Texts, and the groups of positions that hold the same text."""

    texts: list[str]
    groups: list[list[int]]


def planted(seed: int = 2, size: int = 200, copies: int = 12) -> Planted:
    """Make a corpus in which `copies` texts occur two to four times, at random places."""
    random = Random(seed)
    known = vocabulary(random)
    texts = [paragraph(random, known, 40 + int(random.random() * 80)) for _ in range(size)]
    free = sorted(range(size), key=lambda _: random.random())
    groups: list[list[int]] = []
    for i in range(copies):
        group = sorted(free.pop() for _ in range(2 + i % 3))
        for place in group[1:]:
            texts[place] = texts[group[0]]
        groups.append(group)
    return Planted(texts, sorted(groups))


def families(seed: int = 3, count: int = 40, size: int = 12, edits: int = 2, words: int = 120) -> list[str]:
    """Make families of near copies: each member is the head with up to `edits` words replaced.

    With 95 words and one edit, two edited members have J = 81 / 101 = 0.802: a pool of pairs at the threshold.
    """
    random = Random(seed)
    known = vocabulary(random)
    texts: list[str] = []
    for _ in range(count):
        head = paragraph(random, known, words).split(" ")[:words]
        for _ in range(size):
            copy = list(head)
            for _ in range(int(random.random() * (edits + 1))):
                copy[int(random.random() * len(copy))] = word(random)
            texts.append(" ".join(copy))
    return texts


def chain(seed: int = 4, length: int = 12, words: int = 200, step: int = 10) -> list[str]:
    """Make texts of which each is near to the next, and to no other: the case that chaining gets wrong.

    Each replaces the next `step` words of the one before it. With five-word shingles neighbours
    share 182 of 210 shingles (0.87), texts two apart 172 of 220 (0.78).
    """
    random = Random(seed)
    names = [f"{word(random)}{i}" for i in range(words)]
    texts = [" ".join(names)]
    for i in range(length - 1):
        names[(i + 1) * step : (i + 2) * step] = [f"{word(random)}x{i}y{j}" for j in range(step)]
        texts.append(" ".join(names))
    return texts


SCRIPTS = {
    "latin": "Le bateau est arrivé au port avant l'aube, et la mer était calme; les pêcheurs, épuisés, dormaient déjà.",
    "greek": "Το πλοίο έφτασε στο λιμάνι πριν από την αυγή και η θάλασσα ήταν ήσυχη· οι ψαράδες κοιμόντουσαν ήδη.",
    "cyrillic": "Корабль пришёл в гавань до рассвета, море было спокойно, а уставшие рыбаки уже давно спали дома.",
    "arabic": "وصلت السفينة إلى الميناء قبل الفجر وكان البحر هادئا، أما الصيادون المتعبون فقد ناموا منذ وقت طويل.",
    "hebrew": "הספינה הגיעה אל הנמל לפני הזריחה והים היה שקט, והדייגים העייפים כבר ישנו מזמן בבתיהם הקטנים.",
    "devanagari": "जहाज़ सुबह होने से पहले बंदरगाह पर पहुँचा और समुद्र शांत था, थके हुए मछुआरे अपने घरों में सो रहे थे।",
    "han": "船在黎明前抵达了港口，海面十分平静，疲惫的渔民们早已在家中入睡，只有灯塔还亮着。",
    "kana": "ふねは よあけまえに みなとに つき、うみは とても しずかだった。つかれた りょうしたちは もう ねむっていた。",
    "hangul": "배가 새벽이 오기 전에 항구에 도착했고 바다는 고요했으며, 지친 어부들은 이미 오래전에 집에서 잠들어 있었다.",
    "thai": "เรือมาถึงท่าเรือก่อนรุ่งสางและทะเลก็สงบ ชาวประมงที่เหนื่อยล้าหลับอยู่ที่บ้านนานแล้ว",
    "lao": "ເຮືອມາຮອດທ່າເຮືອກ່ອນອາລຸນ ແລະທະເລກໍສະຫງົບ ຊາວປະມົງທີ່ເມື່ອຍລ້ານອນຫຼັບຢູ່ເຮືອນດົນແລ້ວ",
    "khmer": "ទូកបានមកដល់កំពង់ផែមុនព្រឹកព្រលឹម ហើយសមុទ្រស្ងប់ស្ងាត់ អ្នកនេសាទដែលនឿយហត់បានគេងលក់យូរមកហើយ",
    "myanmar": "သင်္ဘောသည် အရုဏ်မတက်မီ ဆိပ်ကမ်းသို့ ရောက်ရှိခဲ့ပြီး ပင်လယ်ပြင်သည် ငြိမ်သက်နေသည်။ တံငါသည်များ အိပ်ပျော်နေကြပြီ။",
    "tamil": "கப்பல் விடியலுக்கு முன் துறைமுகத்தை அடைந்தது, கடல் அமைதியாக இருந்தது, களைத்த மீனவர்கள் தூங்கிவிட்டார்கள்.",
}


def in_all_scripts() -> tuple[list[str], list[tuple[int, int]]]:
    """Give texts in many scripts, each followed by its copy with other quotes, case and breaks.

    The copy of a text has the same tokens; no two scripts share a word.
    """
    texts: list[str] = []
    for text in SCRIPTS.values():
        copy = text.upper().replace(", ", " —\r\n").replace(" ", "  ")
        texts += [text, f"«{copy}»"]
    return texts, list(pairwise(range(len(texts))))[::2]
