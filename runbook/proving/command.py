"""The command `make alerts`: every alert of every production stack, on the real data sources' own programs."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from runbook.model.problems import ConfigError, PlatformError
from runbook.proving import loki, postgres_server
from runbook.proving.alertmanager import AlertmanagerFailed
from runbook.proving.emitted import NotReadable
from runbook.proving.engines import NoEngines, engines
from runbook.proving.problems import ProofError
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
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "result.json").unlink(missing_ok=True)  # an old one must not pass for this run's
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
