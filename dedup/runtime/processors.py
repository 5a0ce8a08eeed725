"""How many processors a process may use: the processors that it may run on, and the quota of its container.

A container may have a quota of two processors on a machine with 64, and may still run on all of them. 64 threads would
then be stopped most of the time. The quota is read from the control groups (cgroups) of Linux, version 1 or 2: the
smallest quota of the process's own group and of all groups above it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["processor_quota", "processors"]

CGROUP_MOUNT = "sys/fs/cgroup"
"""Where control groups are mounted, relative to the root folder."""

CGROUP_V2_FOLDERS = ("", "unified")
"""Folders in it where version 2 may be mounted: without version 1, or together with it."""

CGROUP_V1_FOLDERS = ("cpu", "cpu,cpuacct", "cpuacct,cpu")
"""Folders in it where the controller `cpu` of version 1 may be mounted."""


def processors() -> int:
    """Return the number of processors that this process may use, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = processor_quota()
    return allowed if quota is None else min(allowed, quota)


def processor_quota(root: str | Path = "/") -> int | None:
    """Return the processor quota of the container, rounded up to whole processors; None if there is no quota.

    `root` is the folder that contains ``proc`` and ``sys``. A file that cannot be read sets no quota.
    """
    home = Path(root) / CGROUP_MOUNT
    quotas = []
    for controllers, group in _groups(Path(root) / "proc/self/cgroup"):
        if not controllers:
            quotas += [_second(folder) for name in CGROUP_V2_FOLDERS for folder in _upwards(home / name, group)]
        elif "cpu" in controllers.split(","):
            quotas += [_first(folder) for name in CGROUP_V1_FOLDERS for folder in _upwards(home / name, group)]
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
    """Yield the folder of a group and the folders of the groups above it.

    In a container the path may be the path on the host. Folders that do not exist set no quota; the mount itself does.
    """
    path = PurePosixPath(group)
    if ".." not in path.parts:
        for part in (path, *path.parents):
            yield mount / str(part).lstrip("/")
    else:
        yield mount


def _second(folder: Path) -> float | None:
    """Return the quota of a group in version 2. ``cpu.max`` has the quota and the period, in microseconds.

    "max 100000" is no quota.
    """
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _ratio(quota, period)


def _first(folder: Path) -> float | None:
    """Return the quota of a group in version 1, where -1 means no quota."""
    return _ratio(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float | None:
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(quota) and int(period) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
