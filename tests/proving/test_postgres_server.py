"""The server out of the wheel: it comes, it goes, and it says why it does not."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from runbook.proving import postgres_server
from runbook.proving.postgres_server import NotStarted, server


def test_it_is_gone_after_a_mistake_in_the_block() -> None:
    with suppress(ZeroDivisionError), server() as socket:
        with psycopg.connect(host=str(socket), user="postgres", dbname="postgres") as connection:
            assert connection.info.server_version >= 160000
        pid = int((socket / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)  # it is there
        raise ZeroDivisionError
    assert not socket.parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_nobody_else_may_connect() -> None:
    with server() as socket:
        assert socket.stat().st_mode & 0o077 == 0


def test_a_missing_wheel_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "_PACKAGE", "no_such_package")
    with pytest.raises(NotStarted, match=r"^The package no_such_package is not installed: run script/setup and then"):
        server().__enter__()


def test_a_path_too_long_for_a_socket_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(NotStarted, match=r"Unix-domain socket path .* is too long[\s\S]*Point TMPDIR at a folder"):
        server().__enter__()
    assert list(deep.iterdir()) == []
