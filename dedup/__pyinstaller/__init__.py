"""Where PyInstaller finds what a program needs that is made with this package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_folders"]


def hook_folders() -> list[str]:
    """Return the folder of the hook; PyInstaller asks by the entry point ``pyinstaller40``."""
    return [str(Path(__file__).parent)]
