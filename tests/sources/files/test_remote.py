"""Files on other machines: a store (moto's S3) and a web server, both on this one; errors come soon."""

from __future__ import annotations

import gc
import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

import dedup
from dedup.errors import InputError, ParameterError
from dedup.sources.files.remote.addresses import is_address, shown_address
from tests.corpus_files import PACKERS, WRITERS

BODY = [{"text": "the ferry leaves at noon", "key": 1}, {"text": "something else", "key": 2}]
SAME = [{"text": "The ferry leaves at noon!", "key": 3}]
ROOT = Path(dedup.__file__).parents[1]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start a store on this machine."""
    pytest.importorskip("moto.server")
    pytest.importorskip("flask")
    code = (
        "from moto.server import ThreadedMotoServer; import time\n"
        "server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start()\n"
        "print(server.get_host_and_port()[1], flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Say where the store is, and who we are."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return endpoint


def put(endpoint: str, path: str, data: bytes) -> None:
    """Write a file, and make its bucket."""
    options = {"endpoint_override": endpoint, "allow_bucket_creation": True, "allow_delayed_open": True}
    store = fs.S3FileSystem(access_key="key", secret_key="secret", region="us-east-1", **options)
    store.create_dir(path.partition("/")[0])
    with store.open_output_stream(path, compression=None) as file:  # else Arrow packs by the name
        file.write(data)


def fill(endpoint: str, bucket: str) -> None:
    """Write a folder of some formats, and of what is not read."""
    put(endpoint, f"{bucket}/in/a.jsonl.gz", gzip.compress(WRITERS[".jsonl"](BODY)))
    put(endpoint, f"{bucket}/in/deep/b.parquet", WRITERS[".parquet"](SAME))
    put(endpoint, f"{bucket}/in/.hidden.jsonl", b"no")
    put(endpoint, f"{bucket}/in/deep/c.docx", b"PK")
    put(endpoint, f"{bucket}/in/old/d.jsonl", WRITERS[".jsonl"](SAME))
    put(endpoint, f"{bucket}/other.csv", b"text,key\nthe ferry leaves at noon,9\n")


def test_files_of_a_store(store: str) -> None:
    """Files, folders and patterns, in the order of their addresses, compressed or not; what is not read is counted."""
    fill(store, "one")
    files = dedup.files("s3://one/in", exclude="old/", id="key")
    assert ["s3://one/in/a.jsonl.gz", "s3://one/in/deep/b.parquet"] == files.paths
    assert {".docx": 1} == files.unread["kinds"]
    with pytest.warns(UserWarning, match="1 file not read"):
        assert [3] == dedup.find_duplicates(files).removed.to_pylist()
    assert files.paths == dedup.files("s3://one/in/*.jsonl.gz", "s3://one/in/**/*.parquet").paths
    assert ["s3://one/other.csv"] == dedup.files("s3://one/*.csv").paths
    assert 4 == len(dedup.files("s3://one/", include=["*.jsonl", "*.csv", "*.parquet", "a*"]).paths)
    result = dedup.find_duplicates(dedup.files("s3://one/other.csv", "s3://one/in/old/d.jsonl"))
    assert ["s3://one/other.csv:2"] == result.removed.to_pylist()


def test_copies_are_removed(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are there as long as the files may be read, and no longer."""
    fill(store, "two")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = dedup.files("s3://two/in/old", "s3://two/other.csv")
    assert 2 == len(list(tmp_path.glob("*/*")))
    result = dedup.find_duplicates(files)
    del files
    assert 1 == len(result.repeated)
    del result
    gc.collect()
    assert [] == list(tmp_path.glob("*/*"))


def test_copies_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    """By the next run that makes a copy; a run that ends removes its own."""
    code = (
        "import io, os, signal, sys; from dedup.sources.files.remote.copies import copy_of\n"
        "copy = copy_of(io.BytesIO(b'x' * 1000))[0]\n"
        "if sys.argv[1] == 'killed': os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    for how, left in (("killed", 1), ("ended", 0)):
        subprocess.run([sys.executable, "-c", code, how], env=env, check=False, timeout=60)
        assert left == len(list(tmp_path.glob("*/*")))
    assert [] == list(tmp_path.iterdir())


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    command = [sys.executable, "-m", "dedup", *arguments]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=env, timeout=60)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
def test_packed_files_of_a_store(kind: str, packing: str, store: str, tmp_path: Path) -> None:
    """They are unpacked once, as on this machine, and written back packed."""
    data = PACKERS[packing](WRITERS[kind](BODY))
    put(store, f"packed/a{kind}{packing}", data)
    (tmp_path / f"a{kind}{packing}").write_bytes(data)
    address = f"s3://packed/a{kind}{packing}"
    assert list(dedup.files(tmp_path / f"a{kind}{packing}").read()) == list(dedup.files(address).read())
    done = run("clean", address, "--output", f"b{kind}{packing}", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    assert list(dedup.files(address).read()) == list(dedup.files(tmp_path / f"b{kind}{packing}").read())


def test_reports_of_a_store(store: str, tmp_path: Path) -> None:
    """`find`, `apply` and `clean` work; a file that changed is an error, and so is an output in a store."""
    fill(store, "three")
    done = run("find", "s3://three/in/a.jsonl.gz", "s3://three/in/old", "--output", "report", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    inputs = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["inputs"]
    assert ["s3://three/in/a.jsonl.gz", "s3://three/in/old/d.jsonl"] == [each["path"] for each in inputs]
    done = run("apply", "report", "--output", "out", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    assert WRITERS[".jsonl"](BODY) == gzip.decompress((tmp_path / "out" / "a.jsonl.gz").read_bytes())
    done = run("clean", "s3://three/in/a.jsonl.gz", "s3://three/in/old", "--output", "clean", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    assert WRITERS[".jsonl"](BODY) == gzip.decompress((tmp_path / "clean" / "a.jsonl.gz").read_bytes())
    put(store, "three/in/old/d.jsonl", WRITERS[".jsonl"]([*SAME, *SAME]))
    done = run("apply", "report", "--output", "new", cwd=tmp_path)
    assert (2, True) == (done.returncode, "d.jsonl: expected the 48 bytes that were searched" in done.stderr), (
        done.stderr
    )
    for command in (("find", "a.txt"), ("clean", "a.txt"), ("apply", "report")):
        (tmp_path / "a.txt").write_text("a text", encoding="utf-8")
        done = run(*command, "--output", "s3://three/out", cwd=tmp_path)
        assert 2 == done.returncode
        assert "output: expected a path on this machine, found s3://three/out" in done.stderr


BAD = {
    "s3://none/a.jsonl": "no such file or folder there",
    "s3://none/*.jsonl": "no such bucket; check its name",
    "s3://four/none.jsonl": "no such file or folder there",
    "s3://four/*.none": "no file matches",
    "s3:/four/a.jsonl": "expected an address with two slashes, which a pathlib.Path does not keep",
    "ftp://four/a.jsonl": "found ftp://; copy the file to this machine, and name the copy",
    "file:///tmp/a.jsonl": "found file://; name its path",
    "hdfs://127.0.0.1:9/a.jsonl": "expected the libraries of Hadoop, found none; install Java and Hadoop",
    "http://127.0.0.1:9/a.jsonl": "no connection (Connection refused); check the address and the network",
    "http://[/a.jsonl": "check the address",
}


@pytest.mark.parametrize("address", BAD)
def test_bad_addresses(address: str, store: str) -> None:
    """Each is an error within seconds that says what to do, and others are read."""
    fill(store, "four")
    start = time.monotonic()
    with pytest.raises(InputError) as error:
        dedup.files(address)
    assert BAD[address] in str(error.value)
    assert time.monotonic() - start < 20
    files = dedup.files(address, "s3://four/other.csv")
    assert [shown_address(address)] == [reject.file for reject in files.listing.rejects]


def test_access_and_network(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials, and without a store: what to set."""
    fill(store, "five")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(
        InputError, match=r"no connection \(.*\); check the address and the network, and AWS_ENDPOINT_URL"
    ):
        dedup.files("s3://five/other.csv")


@pytest.mark.parametrize("words", ["ACCESS_DENIED during HeadObject", "HTTP 403", "could not load credentials"])
def test_refused_access(words: str) -> None:
    """The reason says what to set."""
    from dedup.sources.files.remote.addresses import reason_of

    assert "AWS_ACCESS_KEY_ID" in reason_of(OSError(f"AWS Error {words}"), "s3://a/b")
    assert "GOOGLE_APPLICATION_CREDENTIALS" in reason_of(OSError(words), "gs://a/b")
    assert "kinit" in reason_of(OSError(words), "hdfs://a/b")


# ---------------------------------------------------------------------------------------- the web


class Pages(http.server.BaseHTTPRequestHandler):
    """Some pages."""

    def do_GET(self) -> None:
        """Answer."""
        name = self.path.partition("?")[0]
        if name == "/broken.jsonl":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(WRITERS[".jsonl"](BODY))
            return
        if name == "/moved.jsonl":
            self.send_response(302)
            self.send_header("Location", "/a.jsonl")
            self.end_headers()
            return
        data = {
            "/a.jsonl": WRITERS[".jsonl"](BODY),
            "/b.jsonl.gz": gzip.compress(WRITERS[".jsonl"](SAME)),
            "/noname": b"a text",
        }
        self.send_response(200 if name in data else 404)
        self.end_headers()
        self.wfile.write(data.get(name, b""))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """Start a web server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_files_of_the_web(web: str, tmp_path: Path) -> None:
    """They are read by their suffix or their beginning; what follows the path of an address is not written anywhere."""
    files = dedup.files(f"{web}/a.jsonl?signature=secret", f"{web}/b.jsonl.gz", id="key")
    assert [f"{web}/a.jsonl", f"{web}/b.jsonl.gz"] == files.paths
    assert [3] == dedup.find_duplicates(files).removed.to_pylist()
    assert [f"{web}/noname"] == dedup.files(f"{web}/noname").paths
    assert [f"{web}/moved.jsonl"] == dedup.files(f"{web}/moved.jsonl").paths
    (tmp_path / "b.txt").write_text("a text", encoding="utf-8")
    files = dedup.files(f"{web}/none.jsonl?secret", f"{web}/broken.jsonl", tmp_path / "b.txt")
    first, second = files.listing.rejects
    assert (f"{web}/broken.jsonl", "the answer ends after 84 of 5,000 bytes; search again") == (
        first.file,
        first.reason,
    )
    assert (f"{web}/none.jsonl", "the server answers 404 Not Found; check the address") == (second.file, second.reason)
    (pattern, _) = dedup.files(f"{web}/*.jsonl", f"{web}/none.jsonl", tmp_path / "b.txt").listing.rejects
    assert "check the address; a web server does not list its files, so * is no pattern there" in pattern.reason


def test_local_names_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of this machine that is called so is no address."""
    monkeypatch.chdir(tmp_path)
    Path("s3:/bucket").mkdir(parents=True)
    Path("s3:/bucket/a.txt").write_text("a text", encoding="utf-8")
    assert not is_address("s3://bucket/a.txt")
    assert ["s3://bucket/a.txt"] == dedup.files("s3://bucket/a.txt").paths
    assert not is_address("C:\\a.txt")
    with pytest.raises(ParameterError):
        dedup.files("-", encoding="none-such")
