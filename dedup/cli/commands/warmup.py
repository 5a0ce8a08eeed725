"""``dedup warmup``: make the kernels ready before the first search: when a container is built, say."""

from __future__ import annotations

import time

import click

from dedup.cli.command import Command
from dedup.cli.ending import note, say
from dedup.cli.options import quieted

__all__ = ["warmup"]


@click.command(cls=Command, examples=["dedup warmup", "RUN dedup warmup  # in a Dockerfile"])
@quieted
def warmup() -> None:
    """Compile the kernels of the searches, if this installation does not contain them.

    An installation with compiled kernels has nothing to do. Otherwise the kernels are compiled in several processes and
    kept on disk. For a container or a job, run this when the image is built.
    """
    from dedup.kernels import native, warming
    from dedup.runtime.processors import processors

    if native.COMPLETE:
        say(f"nothing to do: the kernels are compiled, for processor level {native.LEVEL}")
        return
    note(f"compiling all kernels, once, about 20 s ({native.REASON})")
    started = time.monotonic()
    names = warming.all_kernels()
    if not warming.warm(names, max(2, min(processors(), 4))):
        from dedup.errors import StorageError

        raise StorageError(
            "expected to compile all kernels and to keep them, found that they cannot be kept here; "
            "name a folder that can be written in NUMBA_CACHE_DIR"
        )
    say(f"{len(names)} kernels compiled in {time.monotonic() - started:.0f} s")
