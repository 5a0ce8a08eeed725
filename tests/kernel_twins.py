"""The kernels a second time, in plain Python: integers and lists, no numpy, no import of dedup.

Each function is the definition in the docstring of its kernel file, written again.
All hash arithmetic is on Python's integers, cut to 64 bits by `MASK64`, so nothing can leak into a
float or a sign. `tests.oracles` says what dedup must answer; this says what its parts must compute.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, islice
from random import Random
from typing import NamedTuple

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1

CHUNK = 0x9FB21C651E98DF25
EMPTY_LANE = MASK32

# -------------------------------------------------------------------------------------- hashes


def mix(x: int) -> int:
    """Give the finaliser of splitmix64."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK64
    return x ^ x >> 31


def key_words(secret: bytes = b"") -> list[int]:
    """Give the 16 words of a key; without one, those of the key that everybody knows."""
    inner = hashlib.blake2b(secret, person=b"dedup hash key").digest()
    data = b"".join(hashlib.blake2b(bytes([i]), key=inner, person=b"dedup words").digest() for i in range(2))
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, 128, 8)]


PUBLIC = key_words()


def multiply_fold(a: int, b: int) -> int:
    """Give the two halves of a product, folded into one with the factors."""
    return a * b & MASK64 ^ a * b >> 64 ^ a ^ b


def chunks(data: bytes) -> list[int]:
    """Give some bytes by eights, the last ones filled up with zeros."""
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def token_hash(token: str, key: Sequence[int] = PUBLIC) -> int:
    """Give the hash of a token: that of its UTF-8."""
    return token_hash_of_bytes(token.encode(), key)


def token_hash_of_bytes(data: bytes, key: Sequence[int] = PUBLIC) -> int:
    """Give the hash of some bytes: 8 at a time."""
    first, second, third, fourth, more = key[:5]
    *before, last = chunks(data)
    state = second
    for chunk in before:
        state = multiply_fold(state ^ chunk, more)
    return multiply_fold(multiply_fold(state, last ^ first) ^ third, last ^ fourth)


def token_hashes(tokens: Sequence[str], key: Sequence[int] = PUBLIC) -> list[int]:
    """Give the hash of each token."""
    return [token_hash(token, key) for token in tokens]


def digest(tokens: Sequence[str], key: Sequence[int] = PUBLIC) -> list[int]:
    """Give the 128 bits that tell the tokens of a text from those of any other."""
    first, second, third, fourth, _, closed, opened = key[:7]
    low, high = closed, opened
    for token in tokens:
        data = chunks(token.encode())
        for place, chunk in enumerate(data, start=1):
            a, b = low ^ chunk, high ^ (closed if place == len(data) else opened)
            low, high = a * b & MASK64 ^ b, a * b >> 64 ^ a
    return [multiply_fold(low ^ first, high ^ second), multiply_fold(low ^ third, high ^ fourth)]


def character_hashes(tokens: Sequence[str], key: Sequence[int] = PUBLIC) -> list[int]:
    """Give a hash for each code point of the tokens joined by single spaces."""
    _, second, third, fourth, more = key[:5]
    points = map(ord, " ".join(tokens))
    return [multiply_fold(multiply_fold(second, c ^ more) ^ third, c ^ fourth) for c in points]


def characters_form(data: bytes, key: Sequence[int] = PUBLIC) -> int:
    """The form of the bytes of a text."""
    lanes = list(key[:4])
    whole = len(data) // 64 * 64
    for at in range(0, whole, 64):
        block = [int.from_bytes(data[i : i + 8], "little") for i in range(at, at + 64, 8)]
        lanes = [multiply_fold(lanes[i] ^ block[2 * i], block[2 * i + 1] ^ key[i + 4]) for i in range(4)]
    state = len(data)
    for lane in lanes:
        state = multiply_fold(state ^ key[4], lane ^ key[5])
    for at in range(whole, len(data), 8):
        state = multiply_fold(state ^ int.from_bytes(data[at : at + 8], "little"), key[6])
    return multiply_fold(state ^ key[0], key[1])


def numbers_form(zeros: Sequence[str], key: Sequence[int] = PUBLIC) -> int:
    """The form of the tokens of a text, given with every digit as 0."""
    hashes = token_hashes(zeros, key)
    total = sum(hashes) & MASK64
    weighted = sum((len(hashes) - i) * value for i, value in enumerate(hashes)) & MASK64
    return multiply_fold(total ^ key[9], weighted ^ key[10])


def symbols_form(points: Sequence[int], key: Sequence[int] = PUBLIC) -> int:
    """The form of the symbols and the punctuation of a text."""
    state = key[11]
    for point in points:
        state = multiply_fold(state ^ point, key[12])
    return multiply_fold(state ^ key[13], key[14])


def shingle_hashes(tokens: Sequence[int], size: int, key: Sequence[int] = PUBLIC) -> list[int]:
    """Give the hash of each window of `size` token hashes; of the whole where there are fewer."""
    mark, sign = key[7:9]
    values, reach, goal = list(tokens), 1, min(size, len(tokens))
    while reach < goal:
        step = min(reach, goal - reach)
        reach += step
        of_reach = mark ^ reach * sign & MASK64
        products = [a * (b ^ of_reach) for a, b in zip(values, values[step:], strict=False)]
        values = [product & MASK64 ^ product >> 64 for product in products]
    return values


# ------------------------------------------------------------------------------ MinHash and LSH


def mersenne_twister(seed: int) -> Random:
    """Give MT19937 as numpy's `RandomState(seed)` seeds it: by `init_genrand` of its authors."""
    words = [seed & MASK32]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) & MASK32)
    generator = Random()
    generator.setstate((3, (*words, 624), None))
    return generator


def permutations(num_perm: int, seed: int) -> tuple[list[int], list[int]]:
    """Give odd multipliers (31 random bits and a one), then addends (32 bits): affine32."""
    draw = mersenne_twister(seed).getrandbits
    odd = [(draw(32) & 0x7FFFFFFF) * 2 + 1 for _ in range(num_perm)]
    return odd, [draw(32) for _ in range(num_perm)]


def signature(hashes: Sequence[int], multipliers: Sequence[int], addends: Sequence[int]) -> list[int]:
    """Give the smallest a * (h >> 32) + c mod 2^32 for each function; all ones for no hashes."""
    functions = zip(multipliers, addends, strict=True)
    return [min((a * (h >> 32) + c & MASK32 for h in hashes), default=EMPTY_LANE) for a, c in functions]


def band_keys(lanes: Sequence[int], bands: int, rows: int) -> list[int]:
    """Give the key of each band: lanes b * rows to (b + 1) * rows - 1, folded and mixed."""
    keys: list[int] = []
    for band in range(bands):
        h = band + 1
        for lane in lanes[band * rows : (band + 1) * rows]:
            h = (h ^ lane) * CHUNK & MASK64
            h ^= h >> 32
        keys.append(mix(h))
    return keys


def bucket_pairs(buckets: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Give all pairs inside each bucket, bucket by bucket."""
    return [pair for bucket in buckets for pair in combinations(bucket, 2)]


# -------------------------------------------------------------------------------- sets and stars


def required(left_size: int, right_size: int, threshold: float) -> int:
    """Give the smallest number of shared members that reaches the threshold, by trying all."""
    total = left_size + right_size
    return next((s for s in range(total) if s / (total - s) >= threshold), total)


def shared_count(left: Sequence[int], right: Sequence[int], needed: int) -> int:
    """Give the size of the intersection; -1 where it is below `needed`."""
    shared = len(set(left) & set(right))
    return shared if shared >= needed else -1


class Starred(NamedTuple):
    """What `kernels.clusters.stars` returns, in lists."""

    star: list[int]
    similarity: list[float]
    found: list[tuple[int, int, int]]
    verified: int
    overflow: int


def stars(
    sets: Sequence[frozenset[int]],
    priority: Sequence[int],
    pairs: dict[tuple[int, int], float],
    buckets: Sequence[Sequence[int]],
    threshold: float,
    leaders: int,
) -> Starred:
    """Give each text of `priority` the most similar text kept before it, of its pairs and buckets.

    `pairs` holds (low, high) -> similarity of the listed pairs; a bucket offers its first `leaders` kept texts.
    """
    star, similarity = [-1] * len(sets), [1.0] * len(sets)
    found: list[tuple[int, int, int]] = []
    offered: list[list[int]] = [[] for _ in buckets]
    verified = overflow = 0
    kept: list[int] = []  # in the order of priority: the first of several maxima is the earliest
    for text in priority:
        near = {k: s for k in kept if (s := pairs.get((min(k, text), max(k, text)))) is not None}
        mine = [b for b, bucket in enumerate(buckets) if text in bucket]
        listed = {other for pair in pairs if text in pair for other in pair}
        met: set[int] = set()
        for other in (other for b in mine for other in offered[b]):
            if other in met or other in listed:
                continue
            met.add(other)
            verified += 1
            shared = len(sets[text] & sets[other])
            value = shared / len(sets[text] | sets[other])
            if value >= threshold:
                found.append((other, text, shared))
                near[other] = value
        if near:
            star[text] = max((k for k in kept if k in near), key=near.__getitem__)
            similarity[text] = near[star[text]]
            continue
        star[text] = text
        kept.append(text)
        for b in mine:
            if len(offered[b]) < leaders:
                offered[b].append(text)
            else:
                overflow += 1
    return Starred(star, similarity, found, verified, overflow)


# ------------------------------------------------------------------------------------- passages


def longest_earlier(sequence: Sequence[int], grown: int) -> tuple[list[int], list[int]]:
    """Give for each end place the longest stretch that occurs earlier, and where that first ended.

    Behind the first `grown` symbols, a stretch begins at `grown` or later and is sought among those.
    """
    lengths: list[int] = []
    sources: list[int] = []
    for end in range(1, len(sequence) + 1):
        length, source = 0, -1
        limit = end if end <= grown else end - grown
        for size in range(1, limit + 1):
            wanted = sequence[end - size : end]
            last = end - size if end <= grown else grown - size + 1
            places = (k for k in range(last) if sequence[k : k + size] == wanted)
            first = next(islice(places, 1), None)
            if first is None:
                break
            length, source = size, first + size - 1
        lengths.append(length)
        sources.append(source)
    return lengths, sources


# --------------------------------------------------------------------------------------- a sample


def hash_sizes(
    tokens: Sequence[int], sizes: Sequence[int], limits: Sequence[int], key: Sequence[int] = PUBLIC
) -> list[list[int]]:
    """Give the shingles of several sizes of one text, those below the limit of each."""
    every = [shingle_hashes(tokens, size, key) for size in sizes]
    return [[one for one in some if one % 2**24 < limit] for some, limit in zip(every, limits, strict=True)]


def compare_sample(
    texts: Sequence[frozenset[int]], own: Sequence[int], sample: Sequence[frozenset[int]], bins: int
) -> tuple[list[list[int]], list[float], list[int]]:
    """Give the histograms of a sample, and the similarity and place of the first most similar text of each."""
    counts = [[0] * (bins + 1) for _ in sample]
    best, partner = [0.0] * len(sample), [-1] * len(sample)
    for place, text in enumerate(texts):
        for number, sampled in enumerate(sample):
            if own[place] == number:
                continue
            similarity = len(text & sampled) / len(text | sampled)
            counts[number][int(similarity * bins)] += 1
            if similarity > best[number]:
                best[number], partner[number] = similarity, place
    return counts, best, partner


# --------------------------------------------------------------------------------------- the index


def set_seal(values: Sequence[int]) -> int:
    """Give the seal of a stored set."""
    seal = len(values) * 0x9E3779B97F4A7C15 & MASK64
    for value in values:
        seal = (seal ^ value) * 0xD6E8FEB86659FD93 & MASK64
        seal ^= seal >> 29
    return seal


def looked_up(postings: Sequence[tuple[int, int]], keys: Sequence[int], known: int) -> list[tuple[int, int]]:
    """Give (place of a key, document) for the postings whose first `known` bits are those of the key."""
    shift = 64 - min(known, 64)
    return [
        (place, document)
        for place, key in enumerate(keys)
        for posted, document in postings
        if posted >> shift == key >> shift
    ]


def door_filter(key: int, bits: int, known: int) -> int:
    """Give the bits of a door that a posting with this key sets."""
    kept = max(24 - (known - bits), 0)
    tag = (key << bits & MASK64) >> 40 >> kept << kept
    mixed = (tag >> 8) * 0x9E3779B1
    return sum({1 << (32 + (mixed >> shift & 31)) for shift in (27, 22, 17)})


def gram_rows(rows: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    """Give the grams of texts of points: in how many places each occurs, at most 2**24 - 1, and 40 bits of its hash."""

    def hashed(gram: Sequence[int]) -> int:
        value = 0
        for point in gram:
            value = (value + point + 1) * 0x9E3779B97F4A7C15 & MASK64
            value ^= value >> 32
        return mix(value)

    grams = [[hashed(row[i : i + size]) for i in range(len(row) - size + 1)] for row in rows]
    often = Counter(gram >> 48 for row in grams for gram in row)
    return [sorted(min(often[gram >> 48], 2**24 - 1) << 40 | gram >> 24 for gram in row) for row in grams]


def sharing_grams(rows: Sequence[Sequence[int]], needed: Sequence[int], firsts: Sequence[int]) -> list[tuple[int, int]]:
    """Give each text with the texts before it, from its first one on, that share enough elements with it."""
    return [
        (text, other)
        for text in range(len(rows))
        for other in range(firsts[text], text)
        if (Counter(rows[text]) & Counter(rows[other])).total() >= needed[text]
    ]


# ------------------------------------------------------------------------------------ sketches


def sketch_key(row: Sequence[int]) -> float:
    """Give the key of a row of hashes; infinity without any."""
    return float(min(row)) * 2.0 ** (len(row).bit_length() - 1) if row else float("inf")


def sketch_similarity(left: Sequence[int], right: Sequence[int], most: int) -> float:
    """Give the similarity of two sketches of at most `most` hashes."""
    union = sorted({*left, *right})[:most]
    return sum(value in left and value in right for value in union) / len(union)


def taken(units: Sequence[tuple[Sequence[int], tuple[int, int], int]], most: int, crowd: int) -> list[int]:
    """Give which units (hashes, digest, place) are taken, as places: see `dedup.hashing.sketches`."""
    first: dict[tuple[int, int], tuple[Sequence[int], tuple[int, int], int]] = {}
    for unit in sorted(units, key=lambda unit: unit[2]):
        if unit[0]:
            first.setdefault(unit[1], unit)
    order = sorted(first.values(), key=lambda unit: (sketch_key(unit[0]), unit[1]))
    crowds: Counter[float] = Counter()
    found = []
    for hashes, _, place in order:
        crowds[sketch_key(hashes)] += 1
        if crowds[sketch_key(hashes)] <= crowd:
            found.append(place)
    return found[:most]
