from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds.net.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """One company: two proxied apps on Vercel, its auth host at Supabase, one app elsewhere."""
    scene = Scene(tmp_path / "store.db")
    with scene.clouds:
        yield scene
