"""The key of the hashes: what it changes, what it never changes, where it is shown; and texts made to collide."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.cli import main
from dedup.errors import ParameterError
from dedup.hash_key import PUBLIC, HashKey, choose_key, read_key
from dedup.hashing.shingles import parse
from dedup.lsh import LSH, choose_bands
from dedup.minhash import Signatures, estimate, signatures
from dedup.reading import Reading
from dedup.shingling import shingles
from dedup.text.tokens import tokens
from tests import corpora, kernel_twins, oracles, strategies

KEYS = [b"0123456789abcdef", bytes(range(32)), b"k" * 1000]
SECRET = KEYS[1]

# ------------------------------------------------------------------------------------- the key itself


def test_the_words_of_a_key() -> None:
    """The twin spreads a key by itself; the public one comes of no secret at all."""
    assert kernel_twins.PUBLIC == PUBLIC.words.tolist()
    assert "public" == PUBLIC.fingerprint == choose_key(None).fingerprint
    for key in KEYS:
        assert kernel_twins.key_words(key) == choose_key(key).words.tolist()
    assert 48 == len({word for key in KEYS for word in choose_key(key).words.tolist()})


def test_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option the variable is used; the option overrides it; an empty one is an error."""
    monkeypatch.setenv("DEDUP_HASH_KEY", "ein Schlüssel im Umfeld")
    assert choose_key("ein Schlüssel im Umfeld".encode()) == choose_key(None)
    assert choose_key(KEYS[0]) == choose_key(KEYS[0]) != choose_key(None)
    monkeypatch.setenv("DEDUP_HASH_KEY", "")
    with pytest.raises(ParameterError, match="DEDUP_HASH_KEY: expected at least 16 bytes, found 0.*leave the variable"):
        choose_key(None)
    monkeypatch.delenv("DEDUP_HASH_KEY")
    assert PUBLIC is choose_key(None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("a text", "hash_key: expected bytes or None, found str; pass such as secrets.token_bytes"),
        (5, "hash_key: expected bytes or None, found int"),
        (b"", "hash_key: expected at least 16 bytes, found 0; take 32 random ones"),
        (b"fifteen bytes..", "hash_key: expected at least 16 bytes, found 15"),
    ],
)
def test_not_a_key(given: Any, says: str) -> None:
    """A wrong key is refused by every function, and is not shown."""
    for call in (
        lambda: dedup.find_duplicates(["a"], hash_key=given),
        lambda: dedup.match(["a"], ["b"], hash_key=given),
        lambda: dedup.find_repeats("a", hash_key=given),
        lambda: dedup.compare("a", "b", hash_key=given),
        lambda: dedup.estimate(["a"], hash_key=given),
        lambda: shingles(["a"], hash_key=given),
        lambda: tokens("a", hash_key=given),
    ):
        with pytest.raises(ParameterError, match=says) as e:
            call()
        assert "fifteen" not in str(e.value)


def test_a_short_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named where it is the variable that is wrong."""
    monkeypatch.setenv("DEDUP_HASH_KEY", "short")
    with pytest.raises(ParameterError, match="DEDUP_HASH_KEY: expected at least 16 bytes, found 5") as e:
        dedup.find_duplicates(["a"])
    assert "short" not in str(e.value)


def test_a_key_is_never_shown_or_pickled() -> None:
    """`repr` and pickles have only the fingerprint; a key that can no longer hash says so."""
    key = choose_key(SECRET)
    found = dedup.find_duplicates(["a b c", "A b c"], hash_key=SECRET)
    sets = shingles(["a b c"], hash_key=SECRET)
    for thing in (key, found, sets, parse("words:5", Reading(key))):
        shown = repr(thing).encode() + pickle.dumps(thing if thing is not found else found.summary)
        for word in key.words.tolist():
            assert str(word).encode() not in shown
            assert int(word).to_bytes(8, "little") not in shown
        assert SECRET not in shown
    again = pickle.loads(pickle.dumps(key))
    assert key == again == copy.deepcopy(key)
    with pytest.raises(ParameterError, match=f"expected the key of fingerprint {key.fingerprint}, found only its"):
        _ = again.words
    assert PUBLIC is pickle.loads(pickle.dumps(PUBLIC)) is copy.copy(PUBLIC)
    assert kernel_twins.PUBLIC == pickle.loads(pickle.dumps(parse("words:5"))).key.words.tolist()


# -------------------------------------------------------------------------------- the exact answer


@given(strategies.corpora(8), st.sampled_from(["words:1", "words:3", "chars:4"]), st.sampled_from(KEYS))
def test_exact_answers_do_not_depend_on_the_key(texts: list[str], shingle: str, key: bytes) -> None:
    """Pairs, clusters and reasons are the same for every key."""
    options: dict[str, Any] = {"shingle": shingle, "threshold": 0.5}
    public, secret = dedup.find_duplicates(texts, **options), dedup.find_duplicates(texts, **options, hash_key=key)
    assert public.pairs == secret.pairs
    assert public.clusters == secret.clusters
    left, right = [*texts, "a b"][0], [*texts, "a b"][-1]
    assert dedup.compare(left, right) == dedup.compare(left, right, hash_key=key)


def test_repeats_and_matches_do_not_depend_on_the_key() -> None:
    """Repeats, matched pairs and passages are the same for every key."""
    texts = corpora.families(count=2)
    body = "\n\n".join(texts[:3])
    for key in KEYS:
        found = dedup.find_repeats([body, body[100:]], min_words=5, hash_key=key)
        assert dedup.find_repeats([body, body[100:]], min_words=5).table == found.table
        assert (
            dedup.find_repeats([body], min_words=5).without_repeats()
            == dedup.find_repeats([body], min_words=5, hash_key=key).without_repeats()
        )
        some = dedup.match(texts, [body], metric="containment", min_words=5, hash_key=key)
        public = dedup.match(texts, [body], metric="containment", min_words=5)
        assert (public.pairs, public.passages) == (some.pairs, some.passages)


@given(st.text(max_size=30), st.sampled_from(KEYS))
def test_hashes_are_those_of_the_key(text: str, key: bytes) -> None:
    """Tokens, windows and digests by any key are those of the twins."""
    words = kernel_twins.key_words(key)
    expected = kernel_twins.token_hashes(oracles.tokens(text), words)
    assert expected == [token.hash for token in tokens(text, hash_key=key)]
    assert (
        sorted(set(kernel_twins.shingle_hashes(expected, 2, words)))
        == shingles([text], "words:2", hash_key=key)[0].tolist()
    )


# ------------------------------------------------------------------------------- texts made to collide

FORGED = (
    "dcdgemmpmcbzmrqe adaszbwcvlogbiqh dcdbumtbwpqdahii dcdbufgfbutpaenz agfdcmbvuwiggfrb dcdgeteapxfpmuco "
    "dcdbummcgpdwahft dcadaqbdjtodqchw adcggfageqfqlfnh"
)
"""Words with the hashes that those of the next text had as long as a word's hash could be turned back."""

GOOD = "the central bank will raise its rate on monday"


@pytest.mark.parametrize("key", [None, SECRET])
def test_words_that_were_forged(key: bytes | None) -> None:
    """They share nothing with the good text, and no good text is removed for them."""
    assert 0 == dedup.compare(GOOD, FORGED, shingle="words:1", hash_key=key).shared
    assert 0 == dedup.find_duplicates([FORGED, GOOD], hash_key=key).clusters.num_rows


@pytest.mark.parametrize("size", [64, 127, 128, 256, 1000])
def test_thue_morse_texts(size: int) -> None:
    """Long windows of two words in the order of Thue and Morse are not those of the words exchanged."""
    orders = (("slightly", "vendors"), ("vendors", "slightly"))
    both = [" ".join(pair[i.bit_count() % 2] for i in range(256)) for pair in orders]
    expected = oracles.jaccard(*(oracles.shingles(text, f"words:{size}") for text in both))
    assert expected == dedup.compare(both[0], both[1], shingle=f"words:{size}").jaccard
    assert 0 == dedup.find_duplicates(both, shingle="words:1000").clusters.num_rows


@pytest.mark.parametrize("bit", [0, 7, 31, 32, 33, 63])
def test_words_that_differ_in_one_bit(bit: int) -> None:
    """Half of the bits of a hash change with a bit of a word: for short words, long ones, and whole windows."""
    changed = []
    for number in range(400):
        word = bytearray(f"{number:08}abcdefghijkl".encode())
        before = kernel_twins.token_hash_of_bytes(bytes(word))
        word[bit // 8] ^= 1 << bit % 8
        after = kernel_twins.token_hash_of_bytes(bytes(word))
        changed.append((before ^ after).bit_count())
        rows = [[before, 5, 7, 11, 13], [after, 5, 7, 11, 13]]
        first, second = (kernel_twins.shingle_hashes([kernel_twins.mix(h) for h in row], 5)[0] for row in rows)
        changed.append((first ^ second).bit_count())
    assert 31 < np.mean(changed) < 33
    assert min(changed) > 8


def test_the_bits_of_hashes_are_alike() -> None:
    """Every bit of a hash is one in half of the cases, high and low halves alike, and none collide."""
    sets = shingles([" ".join(f"w{i}" for i in range(20_000))], "words:5")
    hashes = sets.values
    assert 19_996 == len(hashes)
    for bit in range(64):
        ones = int(np.count_nonzero(hashes >> np.uint64(bit) & np.uint64(1)))
        assert abs(ones - 9998) < 6 * 71, bit
    buckets = np.bincount((hashes >> np.uint64(56)).astype(np.int64), minlength=256)
    assert (buckets - 19_996 / 256).max() < 6 * 9


# -------------------------------------------------------------------------------------- signatures


def test_signatures_carry_the_fingerprint() -> None:
    """Signatures of two keys are not compared, and do not share an index; their rows and copies know it too."""
    texts = ["one two three four five six", "one two three four five six seven"]
    bands = choose_bands(0.8)
    public, secret = (signatures(shingles(texts, hash_key=key), num_perm=bands.num_perm) for key in (None, SECRET))
    print_of = choose_key(SECRET).fingerprint
    assert ("public", print_of, print_of) == (public.hash_key, secret.hash_key, secret[0].hash_key)
    assert print_of == pickle.loads(pickle.dumps(secret)).hash_key == secret.copy().hash_key
    assert np.array_equal(pickle.loads(pickle.dumps(secret)), secret)
    assert None is np.asarray(secret).view(Signatures).hash_key
    index = LSH(bands)
    index.add(["a", "b"], public)
    calls: list[Any] = [lambda: estimate(public[0], secret[0]), lambda: index.query(secret[0])]
    for refuse in [*calls, lambda: index.add([1], secret[:1])]:
        with pytest.raises(ParameterError, match=f"expected both by one hash key, found public and {print_of}; make"):
            refuse()
    assert 1.0 == estimate(np.asarray(public[0]), public[0])
    with pytest.raises(ParameterError, match=f"hash_key: expected the key of the shingles, public, found {print_of}"):
        signatures(shingles(texts), hash_key=SECRET)
    again = signatures(shingles(texts, hash_key=SECRET), num_perm=bands.num_perm, hash_key=SECRET)
    assert np.array_equal(secret, again)


# ------------------------------------------------------------------------------- files and the shell


@pytest.fixture
def notices(tmp_path: Path) -> Path:
    """Give a file of three notices, two of them the same."""
    path = tmp_path / "notices.jsonl"
    lines = ("The bridge is closed until Friday.", "the bridge is closed -- until friday", "It rained.")
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Any:
    """Run a command."""
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_the_key_of_a_file(tmp_path: Path) -> None:
    """A line break at the end of a file is not part of the key; a wrong file is named."""
    path = tmp_path / "key"
    for end in (b"", b"\n", b"\r\n"):
        path.write_bytes(KEYS[0] + end)
        assert KEYS[0] == read_key(str(path))
    path.write_bytes(b"short\n")
    wrong = {path: "at least 16 bytes in", tmp_path / "none": "No such file or directory"}
    if Path("/dev/zero").exists():
        wrong[Path("/dev/zero")] = "at most 65,536 bytes in"
    for name, says in wrong.items():
        for command in ("find", "repeats", "estimate"):
            result = run(command, path, "--hash-key-file", name)
            assert 2 == result.exit_code
            assert says in result.stderr
            assert str(name) in result.stderr
            assert "short" not in result.stderr


def test_reports_carry_the_fingerprint(notices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report says by which key; nothing else of it depends on the key, and the key is nowhere in it."""
    key = tmp_path / "key"
    key.write_bytes(SECRET)
    commands: list[tuple[str | Path, ...]]
    commands = [("find", notices), ("repeats", notices), ("match", notices, "--against", notices)]
    for command in commands:
        folders = [tmp_path / f"{command[0]}-{name}" for name in ("public", "file", "variable")]
        assert 0 == run(*command, "--output", folders[0]).exit_code
        assert 0 == run(*command, "--output", folders[1], "--hash-key-file", key).exit_code
        monkeypatch.setenv("DEDUP_HASH_KEY", KEYS[0].decode())
        assert 0 == run(*command, "--output", folders[2]).exit_code
        monkeypatch.delenv("DEDUP_HASH_KEY")
        prints = [json.loads((folder / "report.json").read_text())["options"]["hash_key"] for folder in folders]
        assert ["public", choose_key(SECRET).fingerprint, choose_key(KEYS[0]).fingerprint] == prints
        for path in folders[0].iterdir():
            others = [(folder / path.name).read_bytes() for folder in folders[1:]]
            assert all(SECRET not in data and KEYS[0] not in data for data in others)
            if path.name not in ("run.json", "report.json"):
                assert [path.read_bytes()] * 2 == others


def test_a_run_does_not_go_on_with_another_key(notices: Path, tmp_path: Path) -> None:
    """The work directory of one key is refused to another; the error says both fingerprints."""
    script = (
        "import sys; from dedup.pipelines.find_files import find_in_files\n"
        "def stop(*_): raise SystemExit(9)\n"
        "find_in_files([sys.argv[1]], work_dir=sys.argv[2], write=stop)"
    )
    work = tmp_path / "work"
    assert 9 == subprocess.run([sys.executable, "-c", script, notices, work], check=False).returncode
    key = tmp_path / "key"
    key.write_bytes(SECRET)
    result = run("find", notices, "--work-dir", work, "--hash-key-file", key)
    assert 2 == result.exit_code
    assert "hash_key" in result.stderr
    assert "public" in result.stderr
    assert choose_key(SECRET).fingerprint in result.stderr
    assert 0 == run("find", notices, "--work-dir", work).exit_code


def test_keys_by_themselves_are_equal_by_fingerprint() -> None:
    """Two keys of one fingerprint are one key."""
    assert choose_key(SECRET) == HashKey(choose_key(SECRET).fingerprint) != PUBLIC
