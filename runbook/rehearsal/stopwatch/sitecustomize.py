"""Times the program from inside its own process, without a line of the program knowing.

Python imports a module of this name when it starts. Only the rehearsal puts this folder on PYTHONPATH, and only the
process that runs the program is timed: not pip, which the engine asks for versions, nor a dynamic provider.
"""

from __future__ import annotations

import atexit
import builtins
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SDKS = {"pulumi", "pulumi_cloudflare", "pulumiverse_vercel", "pulumiverse_grafana"}
HOST = "pulumi-language-python-exec"  # the script of Pulumi's Python host that runs a program


class Stopwatch:
    """All in seconds; CPU time is that of the whole process. Written to `into` when Python ends."""

    def __init__(self, into: Path) -> None:
        self.into = into
        self.began, self.start = time.time(), time.perf_counter()
        self.sdk_import = self.sdk_cpu = self.last_registration = self.own_cpu = 0.0
        self.plain_import = builtins.__import__
        builtins.__import__ = self.timed_import
        atexit.register(self.write)

    def timed_import(self, name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] not in SDKS:
            return self.plain_import(name, *rest, **more)
        builtins.__import__ = self.plain_import  # what an SDK imports in its turn is part of it
        before, cpu_before = time.perf_counter(), time.process_time()
        try:
            return self.plain_import(name, *rest, **more)
        finally:
            self.sdk_import += time.perf_counter() - before
            self.sdk_cpu += time.process_time() - cpu_before
            builtins.__import__ = self.timed_import
            self.watch_registrations()

    def watch_registrations(self) -> None:
        resource: Any = sys.modules.get("pulumi.resource")
        register = getattr(resource, "register_resource", self.registered)
        if getattr(register, "__name__", "") == "register_resource":

            def registered(*args: Any, **more: Any) -> Any:
                try:
                    return register(*args, **more)
                finally:
                    self.registered()

            resource.register_resource = registered

    def registered(self) -> None:
        self.last_registration = time.perf_counter() - self.start
        self.own_cpu = time.process_time() - self.sdk_cpu

    def write(self) -> None:
        names = ("began", "sdk_import", "last_registration", "own_cpu")
        self.into.write_text(json.dumps({name: getattr(self, name) for name in names}), encoding="utf-8")


if "STOPWATCH_FILE" in os.environ and any(Path(word).name == HOST for word in sys.orig_argv):
    Stopwatch(Path(os.environ["STOPWATCH_FILE"]))
