"""How many processors a process may use: those that it may run on, and the quota of its container.

A container that may use two processors' time on a machine of 64 is still allowed to run on all of them; 64 threads
would be stopped most of the time. The quota is that of the control groups (cgroups) of Linux, in either version: of the
process's own group and of all groups above it, the smallest counts.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["processor_quota", "processors"]

HOME = "sys/fs/cgroup"
"""Where control groups are mounted, seen from the root folder."""

SECOND = ("", "unified")
"""Folders there of version 2: alone, or beside version 1."""

FIRST = ("cpu", "cpu,cpuacct", "cpuacct,cpu")
"""Folders there of the processor's controller, in version 1."""


def processors() -> int:
    """Return the number of processors that this process may use, one at least."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = processor_quota()
    return allowed if quota is None else min(allowed, quota)


def processor_quota(root: str | Path = "/") -> int | None:
    """Return how many processors' time the container grants, rounded up; None where it sets no bound.

    `root` is the folder in which ``proc`` and ``sys`` are looked for. What cannot be read sets no bound.
    """
    home = Path(root) / HOME
    quotas = []
    for controllers, group in _groups(Path(root) / "proc/self/cgroup"):
        if not controllers:
            quotas += [_second(folder) for name in SECOND for folder in _upwards(home / name, group)]
        elif "cpu" in controllers.split(","):
            quotas += [_first(folder) for name in FIRST for folder in _upwards(home / name, group)]
    found = [quota for quota in quotas if quota is not None]
    return max(1, math.ceil(min(found))) if found else None


def _groups(listing: Path) -> Iterator[tuple[str, str]]:
    """Yield the controllers ("" for version 2) and the path of each group that the process is in."""
    for line in _read(listing).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if group.startswith("/"):
            yield controllers, group


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """Yield the folder of a group and those of the groups above it.

    In a container the path may be that of the host; the folders that are not there say nothing, the mount itself does.
    """
    path = PurePosixPath(group)
    if ".." not in path.parts:
        for part in (path, *path.parents):
            yield mount / str(part).lstrip("/")
    else:
        yield mount


def _second(folder: Path) -> float | None:
    """Return the quota of a group in version 2: ``cpu.max`` holds "max 100000", or microseconds in a period."""
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _ratio(quota, period)


def _first(folder: Path) -> float | None:
    """Return the quota of a group in version 1, where -1 stands for none."""
    return _ratio(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float | None:
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(quota) and int(period) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
