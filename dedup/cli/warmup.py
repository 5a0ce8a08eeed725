"""``dedup warmup``: make the kernels ready before the first search: when a container is built, say."""

from __future__ import annotations

import sys
import time

import click

from dedup.cli.ending import say, tell

__all__ = ["expect", "warmup"]


def expect(command: str | None) -> None:
    """Tell the kernels which command runs, so that those it calls are compiled side by side where they are missing."""
    if command not in {None, "apply", "warmup"} and not {"--help", "-h"} & set(sys.argv):  # help loads no numpy
        from dedup.kernels import native, warming

        if not native.COMPLETE:
            warming.expect(command)


@click.command()
def warmup() -> None:
    """Compile what the searches run, once, where this installation did not bring it.

    An installation with compiled kernels has nothing to do. Else they are compiled in several processes, and kept: for
    a container or a job, run this where its image is made.
    """
    from dedup.kernels import native, warming
    from dedup.runtime.processors import processors

    if native.COMPLETE:
        say(f"nothing to do: the kernels are compiled, for processor level {native.LEVEL}")
        return
    tell(f"compiling all kernels, once, about 20 s ({native.REASON})")
    started = time.monotonic()
    names = warming.all_kernels()
    if not warming.warm(names, max(2, min(processors(), 4))):
        from dedup.errors import StorageError

        raise StorageError(
            "expected to compile all kernels and to keep them, found that they cannot be kept here; "
            "name a folder that can be written in NUMBA_CACHE_DIR"
        )
    say(f"{len(names)} kernels compiled in {time.monotonic() - started:.0f} s")
