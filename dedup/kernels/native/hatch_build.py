"""The build hook that compiles the library of kernels next to their sources and puts it into the wheel.

The library is built on Linux, for x86-64 or AArch64, if there are a C compiler and numba. Otherwise the wheel is pure
Python, and numba compiles the kernels on their first call. The variable ``DEDUP_BUILD`` changes that:

- ``all``: build every processor level of this kind of machine, and fail if that is not possible. Wheels for other
  machines are made like this.
- ``none``: build no library.

Without the variable, two levels are built: the lowest, and the best one that this machine can run. Other machines run
the lowest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILD_VARIABLE = "DEDUP_BUILD"
KERNELS_FOLDER = "dedup/kernels/native"
FILE = "library.abi3.so"


class CustomBuildHook(BuildHookInterface[Any]):  # type: ignore[misc]  # hatchling exists only in builds
    """Build the library of kernels, and put it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library; name the wheel by its platform."""
        wanted = os.environ.get(BUILD_VARIABLE, "")
        if wanted not in {"", "all", "none"}:
            raise ValueError(f"expected {BUILD_VARIABLE} to be all or none, found {wanted!r}")
        if self.target_name != "wheel" or wanted == "none" or sysconfig.get_config_var("Py_GIL_DISABLED"):
            return  # an interpreter without the GIL has no stable ABI
        root = Path(self.root)
        folder = root / KERNELS_FOLDER
        if not os.access(folder, os.W_OK):
            folder = Path(tempfile.mkdtemp(prefix="dedup-kernels-"))
        command = [sys.executable, "-m", "dedup.kernels.native.build", "--output", str(folder)]
        if wanted != "all":
            command += ["--levels", "here"]
        paths = filter(None, [os.environ.get("PYTHONPATH")])  # an isolated build has its packages there
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(root), *paths)),
            "DEDUP_KERNELS": "jit",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(  # noqa: S603  # our own module
            command, cwd=root, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            message = f"the kernels are not compiled ahead of time: {last[0]}"
            if wanted == "all":
                raise RuntimeError(f"{message}\n{done.stderr}")
            self.app.display_warning(message)
            return
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"
        if version != "editable":
            build_data["force_include"][str(folder / FILE)] = f"{KERNELS_FOLDER}/{FILE}"
