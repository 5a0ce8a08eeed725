"""The hook for PyInstaller: modules that are imported when their names are first used, and the Unicode tables."""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

datas = collect_data_files("dedup", includes=["**/*.npz", "**/*.js", "**/*.css"])
hiddenimports = collect_submodules("dedup", filter=lambda name: "__pyinstaller" not in name)
