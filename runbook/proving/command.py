"""The command `make alerts`: every alert of every production stack, on the real data sources' own programs."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from runbook.model.problems import ConfigError, PlatformError
from runbook.proving import loki, postgres_server
from runbook.proving.alertmanager import AlertmanagerFailed
from runbook.proving.emitted import NotReadable
from runbook.proving.engines import NoEngines, engines
from runbook.proving.problems import AGAIN, ProofError
from runbook.proving.prove import prove
from runbook.proving.report import page
from runbook.proving.stacks import production

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out" / "alerts"
REFUSALS = (
    ProofError,
    NoEngines,
    AlertmanagerFailed,
    loki.NotStarted,
    postgres_server.NotStarted,
    NotReadable,
    ConfigError,
    PlatformError,
)


def main() -> int:
    """The exit code: 0 when everything is proven, 1 when something is not or nothing could be."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()

    def say(done: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {done}", file=sys.stderr)

    try:
        with _alone():
            result = prove(production(ROOT), engines(), OUT / "promtool", say)
            (OUT / "result.json").write_text(result.as_json(), encoding="utf-8")
    except REFUSALS as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The proof cannot be made, because the system refused something: {error}.", file=sys.stderr)
        return 1
    print("\n".join(page(result)))
    return 1 if result.failures else 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Empties out/alerts, so that nothing old passes for this run's, and holds it against a second proof."""
    OUT.parent.mkdir(exist_ok=True)
    with OUT.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProofError(f"Alerts are being proven in this checkout already: wait for it and {AGAIN}.") from None
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir()
        yield
