"""The official installer, as Pulumi's Automation API runs it."""

from __future__ import annotations

import os
from pathlib import Path

from script.engine.places import Places
from script.engine.process import Runner

# The installer takes some seconds; where its host is blocked it must not hold up the build for long.
LIMIT_SECONDS = 300
# A host that swallows packets is given up after the socket's time-out. The version is the SDK's own.
INSTALL = """
import socket, sys
socket.setdefaulttimeout(10)
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1])
"""


def fetch(into: Path, places: Places, runner: Runner) -> None:
    """Install the CLI in `into`/bin; the installer checks that it runs. Raises CommandFailed."""
    runner.progress.start("Fetching the Pulumi CLI")
    runner.run([places.python, "-c", INSTALL, into], env=os.environ, limit=LIMIT_SECONDS)
    runner.progress.done("Pulumi CLI fetched")
