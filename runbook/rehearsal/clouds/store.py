"""The one store behind every front end of the stand-in clouds: what a cloud holds, and who called it.

It knows nothing of the engine's protocol: an object is a cloud, a kind, an id and plain JSON properties, so that
a front end that speaks HTTP or DNS reads and writes the same objects. A row outlives the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    cloud TEXT, kind TEXT, id TEXT, properties TEXT, secrets TEXT, PRIMARY KEY (cloud, kind, id));
CREATE TABLE IF NOT EXISTS calls (
    cloud TEXT, kind TEXT, method TEXT, times INTEGER, PRIMARY KEY (cloud, kind, method));
"""

SecretPath = tuple[str | int, ...]
Call = tuple[str, str, str]


@dataclass(frozen=True)
class Held:
    """One object of a cloud. `secrets` are the paths inside `properties` that hold a secret."""

    cloud: str
    kind: str
    id: str
    properties: dict[str, Any]
    secrets: frozenset[SecretPath] = frozenset()

    def __repr__(self) -> str:
        return f"Held({self.cloud} {self.kind} {self.id})"  # never the properties: they hold secrets in clear


class Store:
    """Objects and call counts in one SQLite file that only its owner can read (mode 0600).

    Safe to use from many threads and from a second process. `path` is created when it does not exist. Who reads and
    then writes holds `lock` meanwhile.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        # A crash of the machine may lose the last writes of a rehearsal; waiting for the disk would cost more.
        self._db.execute("PRAGMA journal_mode=WAL").fetchone()
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        with self.lock:
            self._db.close()

    def put(self, held: Held) -> None:
        """Create the object, or replace it whole."""
        paths = sorted(map(list, held.secrets), key=repr)
        row = (held.cloud, held.kind, held.id, json.dumps(held.properties), json.dumps(paths))
        with self.lock:
            self._db.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?) ON CONFLICT (cloud, kind, id) "
                "DO UPDATE SET properties = excluded.properties, secrets = excluded.secrets",
                row,
            )

    def get(self, cloud: str, kind: str, id: str) -> Held | None:
        found = self._select("WHERE cloud = ? AND kind = ? AND id = ?", [cloud, kind, id])
        return found[0] if found else None

    def delete(self, cloud: str, kind: str, id: str) -> None:
        """Remove the object; one that is already gone is no error."""
        with self.lock:
            self._db.execute("DELETE FROM objects WHERE cloud = ? AND kind = ? AND id = ?", (cloud, kind, id))

    def find(self, cloud: str, kind: str, **wanted: str | float | None) -> list[Held]:
        """The objects of a kind, oldest first, whose top-level properties equal those given; None: has none."""
        where = "".join(f" AND json_extract(properties, '$.{name}') IS ?" for name in wanted)
        return self._select(f"WHERE cloud = ? AND kind = ?{where} ORDER BY rowid", [cloud, kind, *wanted.values()])

    def objects(self) -> list[Held]:
        """Every object of every cloud."""
        return self._select("ORDER BY cloud, kind, id", [])

    def change(self, cloud: str, kind: str, id: str, **properties: Any) -> Held:
        """Change an object as a person does in the vendor's own pages; a value of None takes a property away.

        Raises KeyError when the cloud holds no such object.
        """
        with self.lock:
            held = self.get(cloud, kind, id)
            if held is None:
                raise KeyError(f"{cloud} holds no {kind} with the id {id}.")
            merged = {key: value for key, value in (held.properties | properties).items() if value is not None}
            changed = Held(cloud, kind, id, merged, held.secrets)
            self.put(changed)
            return changed

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Nothing that is done meanwhile lasts; nobody else reads or writes until its end."""
        with self.lock:
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def count(self, cloud: str, kind: str, method: str) -> None:
        """Note one call that the real front end would have sent over the network."""
        with self.lock:
            self._db.execute(
                "INSERT INTO calls VALUES (?, ?, ?, 1) "
                "ON CONFLICT (cloud, kind, method) DO UPDATE SET times = times + 1",
                (cloud, kind, method),
            )

    def calls(self) -> Counter[Call]:
        """How often each (cloud, kind, method) was called; subtract two of these to see what a command did."""
        with self.lock:
            rows = self._db.execute("SELECT cloud, kind, method, times FROM calls").fetchall()
        return Counter({(cloud, kind, method): times for cloud, kind, method, times in rows})

    def _select(self, where: str, values: list[str | float | None]) -> list[Held]:
        with self.lock:
            rows = self._db.execute(f"SELECT * FROM objects {where}", values).fetchall()
        return [
            Held(cloud, kind, id, json.loads(properties), frozenset(tuple(path) for path in json.loads(secrets)))
            for cloud, kind, id, properties, secrets in rows
        ]
