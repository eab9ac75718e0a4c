"""The platforms' runbooks as data, one file each. A third platform is a third file and its stack files."""

from __future__ import annotations

import importlib
import pkgutil

from runbook.model.platform import Platform


def names() -> list[str]:
    """Names of all platforms there are: the files of this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Platform:
    """The platform of this name; only its file is imported. Raises: ModuleNotFoundError for one not there."""
    platform = importlib.import_module(f"{__name__}.{name}").PLATFORM
    assert isinstance(platform, Platform)
    return platform
