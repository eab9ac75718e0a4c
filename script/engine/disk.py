"""Whether there is room, asked before the work and not after an hour of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.engine.problems import no_disk


def check(needs: Mapping[Path, int]) -> None:
    """Raise SetupError when a disk has less room than the folders on it need, in bytes.

    What a folder holds already counts as done work, so that an interrupted set-up can resume.
    """
    disks: dict[int, list[Path]] = {}
    for folder in needs:
        disks.setdefault(os.stat(_existing(folder)).st_dev, []).append(folder)
    for folders in disks.values():
        free = shutil.disk_usage(_existing(folders[0])).free
        needed = sum(needs[folder] for folder in folders)
        if free < needed:
            needed -= sum(min(_size(folder), needs[folder]) for folder in folders)
        if free < needed:
            raise no_disk(str(folders[0]), needed, free)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(place, name)).st_size for name in names)
    return total
