"""Addresses of files on other machines: ``s3://bucket/key``, ``gs://…``, ``hdfs://…``, ``https://…``."""

from __future__ import annotations

import os
import re

__all__ = ["ON_WEB", "is_address", "reason_of", "scheme_of", "shown_address", "unknown_scheme"]

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+[^/]")
"""How an address begins; a `pathlib.Path` has one slash of it."""

IN_STORES, ON_WEB = {"s3", "gs", "hdfs"}, {"http", "https"}

REFUSED_WORDS = ("ACCESS_DENIED", "403", "401", "redential", "OAuth2", "SIGNATURE", "INVALID_ACCESS_KEY")
CAUSE_CHARACTERS = 160
"""Characters of the message of a library that are told."""

UNCONNECTED_WORDS = ("NETWORK_CONNECTION", "resolve host", "onnect", "timed out", "Timeout", "TIMEOUT", "unreachable")

CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws; for a public bucket set "
    "AWS_NO_SIGN_REQUEST=1",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login; for a public bucket set "
    "GOOGLE_NO_SIGN_REQUEST=1",
    "hdfs": "log in to the cluster, for example with kinit",
}
"""What to do if a store refuses access."""

HADOOP = "install Java and Hadoop, and set JAVA_HOME, HADOOP_HOME and CLASSPATH (hadoop classpath --glob)"


def is_address(name: str) -> bool:
    """Return whether a name is an address, and no file of this machine has it."""
    return ADDRESS.match(name) is not None and not os.path.lexists(name)


def scheme_of(address: str) -> str:
    """Return what is before the colon.

    >>> scheme_of("S3://bucket/key")
    's3'
    """
    return address.partition(":")[0].lower()


def unknown_scheme(address: str) -> str:
    """Return the reason why an address cannot be read; "" if its scheme is known."""
    scheme = scheme_of(address)
    if not address[len(scheme) + 1 :].startswith("//"):
        return "expected an address with two slashes, which a pathlib.Path does not keep; give it as a str"
    if scheme in IN_STORES or scheme in ON_WEB:
        return ""
    what = "name its path" if scheme == "file" else "copy the file to this machine, and name the copy"
    return f"expected a path, or s3://, gs://, hdfs://, http:// or https://, found {scheme}://; {what}"


def shown_address(address: str) -> str:
    """Return an address for messages and reports: that of a web page without what may be a password or a signature.

    >>> shown_address("https://me:pw@example.org/a.jsonl?X-Amz-Signature=1"), shown_address("s3://bucket/a?b")
    ('https://example.org/a.jsonl', 's3://bucket/a?b')
    """
    if scheme_of(address) not in ON_WEB:
        return address
    scheme, _, rest = re.split(r"[?#]", address, maxsplit=1)[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def reason_of(error: OSError, address: str) -> str:
    """Return why an address cannot be read, and what to do."""
    text, scheme = " ".join(str(error).split()), scheme_of(address)
    if isinstance(error, FileNotFoundError):
        return "no such file or folder there"
    if "NO_SUCH_BUCKET" in text:
        return "no such bucket; check its name, and the region (AWS_REGION)"
    if scheme == "hdfs" and ("libjvm" in text or "libhdfs" in text):
        return f"expected the libraries of Hadoop, found none; {HADOOP}"
    if scheme in CREDENTIALS and any(word in text for word in REFUSED_WORDS):
        return f"the store refuses access; {CREDENTIALS[scheme]}"
    if any(word in text for word in UNCONNECTED_WORDS):
        endpoint = ", and AWS_ENDPOINT_URL" if scheme == "s3" else ""
        told = text
        if len(text) > CAUSE_CHARACTERS:  # the cause is at the end
            told = f"... {text[-CAUSE_CHARACTERS:].partition(' ')[2]}"
        return f"no connection ({told}); check the address and the network{endpoint}"
    return error.strerror or text[:300]
