"""What people do on the practice ground beside cutovers: move the clock, release, break and mend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.practice.answering import Answer
from runbook.cli.practice.breaks import Breaks
from runbook.cli.practice.making import Making
from runbook.rehearsal.clouds.vercel import PROJECT
from runbook.rehearsal.clouds.web import catch_up, deployments, release
from runbook.rehearsal.cutover.edits import ZONE


class Playing:
    """`asked` is called at each request, `over` to end the practice."""

    def __init__(self, making: Making, asked: Callable[[], None], over: Callable[[], None]) -> None:
        assert making.file.platform is not None
        self._making, self._asked, self._over = making, asked, over
        self._clouds, self._platform = making.clouds, making.file.platform
        self._breaks = Breaks.of(self._platform, making.file.config)
        self._broken: list[str] = []
        self._ready = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """The ground is made."""
        self._ready = True

    def answers(self) -> Mapping[str, Answer]:
        """By word. `status` and `stop` are answered from the beginning, all else once the ground is made."""
        words = {"clock": self._clock, "release": self._release, "break": self._break, "mend": self._mend}
        return {
            "status": self._with_asking(self._status),
            "stop": self._stop,
            **{word: self._with_asking(self._when_ready(answer)) for word, answer in words.items()},
        }

    def _with_asking(self, answer: Answer) -> Answer:
        def answered(values: Mapping[str, Any]) -> dict[str, Any]:
            self._asked()
            with self._lock:
                return answer(values)

        return answered

    def _when_ready(self, answer: Answer) -> Answer:
        def answered(values: Mapping[str, Any]) -> dict[str, Any]:
            if not self._ready:
                raise CliError("The practice is not up yet.", "Wait for it: ./cutover practice start")
            return answer(values)

        return answered

    def _status(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        run = self._making.run
        return {
            "stage": "ready" if self._ready else self._making.stage,
            "resources": run.steps() if run else 0,
            "clock": self._clouds.clock.now().isoformat(),
            "zone": ZONE,
            "broken": [self._breaks.says(word) for word in self._broken],
            "serving": self._serving(),
        }

    def _serving(self) -> dict[str, str]:
        """App to the release that serves."""
        found = {}
        for app, _ in self._platform.vercel_apps:
            for project in self._clouds.store.find("vercel", PROJECT, name=self._project(app.name)):
                build = deployments.serving(self._clouds.store, project.id)
                found[app.name] = f"{build.properties['release']}, build {build.id}" if build else "nothing"
        return found

    def _clock(self, values: Mapping[str, Any]) -> dict[str, Any]:
        clock = self._clouds.clock
        to = datetime.fromisoformat(values["to"]) if "to" in values else None
        by = to - clock.now() if to else timedelta(seconds=values["by"])
        if by < timedelta():
            at = f"{(clock.now() + by).astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M}"
            raise CliError(
                f"That is {at} {ZONE}, which is past already: the practice clock only goes forward.",
                "Name a time to come, or begin anew: ./cutover practice reset",
                Code.USAGE,
            )
        now = clock.move(by)
        catch_up(self._clouds.store, now, self._clouds.faults)
        return {"clock": now.isoformat(), "zone": ZONE, "moved": by.total_seconds()}

    def _release(self, values: Mapping[str, Any]) -> dict[str, Any]:
        known = [app.name for app, _ in self._platform.vercel_apps]
        if values["app"] not in known:
            raise CliError(
                f"There is no app {values['app']} at Vercel here: there are {', '.join(known)}.",
                f"Name one: ./cutover practice release {known[0]}",
                Code.USAGE,
            )
        clock, store = self._clouds.clock, self._clouds.store
        version = self._next_version()
        made = release(store, self._project(values["app"]), version, clock.now())
        # It takes the domains when it is ready, which in practice nobody has to wait for.
        ready = datetime.fromtimestamp(made.properties["readyAt"] / 1000, ZoneInfo(ZONE)) + timedelta(seconds=1)
        clock.set(max(ready, clock.now().astimezone(ready.tzinfo)))
        catch_up(store, clock.now(), self._clouds.faults)
        serves = deployments.serving(store, made.properties["projectId"])
        return {"release": version, "build": made.id, "serves": serves is not None and serves.id == made.id}

    def _next_version(self) -> str:
        """One that no build has yet."""
        head, _, _ = str(self._making.file.config["current"]["release"]).partition("-")
        base, _, last = head.rpartition(".")
        taken = {build.properties["release"] for build in self._clouds.store.find("vercel", deployments.DEPLOYMENT)}
        number = int(last) + 1
        while f"{base}.{number}" in taken:
            number += 1
        return f"{base}.{number}"

    def _break(self, values: Mapping[str, Any]) -> dict[str, Any]:
        word = self._known(values["what"])
        self._breaks.turn(self._clouds.faults, word)
        if word not in self._broken:
            self._broken.append(word)
        return {"what": word, "says": self._breaks.says(word)}

    def _mend(self, values: Mapping[str, Any]) -> dict[str, Any]:
        words = [self._known(values["what"])] if values.get("what") else list(self._broken)
        mended = [word for word in words if word in self._broken]
        for word in mended:
            self._breaks.turn_back(self._clouds.faults, word)
            self._broken.remove(word)
        return {"mended": mended}

    def _known(self, word: str) -> str:
        if word in self._breaks.words:
            return word
        words = ", ".join(self._breaks.words)
        raise CliError(f"Nothing here is called {word}: there are {words}.", "Name one of these.", Code.USAGE)

    def _stop(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        self._over()
        return {}

    def _project(self, app: str) -> str:
        return f"{self._platform.name}-{app}-{self._making.file.config['environment']}"
