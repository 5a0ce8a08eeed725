"""The processors that a process may use: the quota of its container, from folders that look like those of Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup.runtime import processors as module
from dedup.runtime.processors import processor_quota
from dedup.runtime.threads import thread_count

SECOND = "0::/\n"
FIRST = "12:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n"
CASES: dict[str, tuple[dict[str, str], int | None]] = {
    "nothing there": ({}, None),
    "no bound": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
    "two": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
    "one and a half": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
    "a tenth": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
    "no period": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "10000\n"}, None),
    "nonsense": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "lots of it\n"}, None),
    "empty": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": ""}, None),
    "period of nothing": ({"proc/self/cgroup": SECOND, "sys/fs/cgroup/cpu.max": "10000 0"}, None),
    "nonsense groups": ({"proc/self/cgroup": "\n::\nx\n0::relative\n"}, None),
    "the smallest above counts": (
        {
            "proc/self/cgroup": "0::/a/b/c\n",
            "sys/fs/cgroup/a/b/c/cpu.max": "800000 100000",
            "sys/fs/cgroup/a/b/cpu.max": "300000 100000",
            "sys/fs/cgroup/a/cpu.max": "max 100000",
            "sys/fs/cgroup/x/cpu.max": "100000 100000",
        },
        3,
    ),
    "the path is that of the host": (
        {"proc/self/cgroup": "0::/kubepods/pod1/abc\n", "sys/fs/cgroup/cpu.max": "400000 100000"},
        4,
    ),
    "outside of its namespace": (
        {"proc/self/cgroup": "0::/../../other\n", "sys/fs/cgroup/cpu.max": "400000 100000"},
        4,
    ),
    "version 1": (
        {
            "proc/self/cgroup": FIRST,
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        },
        3,
    ),
    "version 1, its own group": (
        {
            "proc/self/cgroup": FIRST,
            "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "100000\n",
            "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "50000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000\n",
        },
        2,
    ),
    "version 1, no bound": (
        {
            "proc/self/cgroup": FIRST,
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
    "both versions": (
        {
            "proc/self/cgroup": FIRST + SECOND,
            "sys/fs/cgroup/unified/cpu.max": "500000 100000",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "600000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        5,
    ),
    "not another controller's": (
        {
            "proc/self/cgroup": "3:cpuset:/\n2:cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "600000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
}


def write(root: Path, files: dict[str, str]) -> None:
    """Write the files of a system."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


@pytest.mark.parametrize("case", CASES)
def test_the_quota(case: str, tmp_path: Path) -> None:
    """Rounded up, one at least; None where nothing bounds it or nothing can be read."""
    files, expected = CASES[case]
    write(tmp_path, files)
    assert expected == processor_quota(tmp_path)


def test_the_smaller_of_both_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default as many threads as affinity and quota allow; what is asked for is taken."""
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for quota, expected in ((None, 8), (3, 3), (20, 8), (1, 1)):
        monkeypatch.setattr(module, "processor_quota", lambda quota=quota: quota)
        assert expected == thread_count(None)
        assert 6 == thread_count(6)
