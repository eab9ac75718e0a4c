"""Where a stack stands, as plain data: what `status` prints and gives to programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from runbook.cli.errors import CliError
from runbook.cli.running import left_behind
from runbook.cli.stack import Here
from runbook.model.plans.horizon import Horizon, horizon, span

if TYPE_CHECKING:
    from runbook.model.settings import Settings

DEAD = ", and that process runs no more"
LEDGER = "pulumi-python:dynamic/runbook:Ledger"


@dataclass
class Standing:
    """`asked`: the phase that the stack file asks for; `phase`: the one the state has, "" before the first update.
    `serving`: app to host, target, build and where that is known from. `against`: rules that refuse an `up` now, with
    sentences. `unseen`: what could not be looked at, and why. Times are ISO 8601."""

    stack: str
    asked: str = ""
    phase: str = ""
    since: str = ""
    crossing: str = ""
    under_way: bool = False
    serving: dict[str, dict[str, str]] = field(default_factory=dict)
    opens: str = ""
    why: str = ""
    open: bool = False
    window: str = ""
    freeze: list[str] = field(default_factory=list)
    against: list[dict[str, str]] = field(default_factory=list)
    way_back: dict[str, Any] = field(default_factory=dict)
    overrides: list[dict[str, str]] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)
    lock: str = ""
    left_behind: str = ""
    deployments: str = ""
    unseen: list[str] = field(default_factory=list)
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def standing(here: Here) -> Standing:
    """Everything that can be seen; what cannot be is in `unseen`. Raises: CliError for a stack file that is wrong."""
    here.begin()
    seen = Standing(here.stack)
    settings = _settings(here, seen)
    seen.asked = settings.phase.value
    _state(here, seen)
    now = _now(settings, seen)
    if not seen.unseen:
        _clouds(here, seen)
    else:
        _from_the_state(here, seen)
    _config(settings, seen, now)
    seen.evidence = _evidence(here)
    lock = here.engine.lock()
    seen.lock = "" if lock is None else f"{lock.text}{DEAD if lock.dead else ''}"
    seen.left_behind = _left_behind(here)
    seen.deployments = _deployments(here, seen)
    seen.next = following(here, seen)
    return seen


def _settings(here: Here, seen: Standing) -> Settings:
    """Without the stack's secrets where they cannot be opened: what they open is then not looked at."""
    try:
        return here.settings
    except CliError as error:
        if error.details:  # the file itself is wrong
            raise
        seen.unseen.append(f"the clouds: {error.text}")
        return without_secrets(here)


def without_secrets(here: Here) -> Settings:
    """The stack file's settings as far as they are sound, without its secrets."""
    from runbook.model.reading import sections
    from runbook.model.settings import Settings

    sound, _ = sections({key: value for key, value in here.raw.items() if key != "secrets"})
    return Settings.model_construct(**sound)


def _state(here: Here, seen: Standing) -> None:
    try:
        memory = here.memory
    except CliError as error:
        seen.unseen.append(f"the state: {error.text}")
        return
    if memory.ledger is None:
        return
    ledger = memory.ledger
    seen.phase, seen.crossing, seen.under_way = ledger.phase.value, ledger.tag, memory.open
    kept = next((each for each in here.resources if each["type"] == LEDGER), {})
    crossed = ledger.phase.value in ("flipped", "rolled-back")
    moved = ledger.begun if memory.open else memory.completed_at if crossed else None
    written = (
        "" if here.place.practice else str(kept.get("modified", ""))
    )  # by the machine's clock, which practice leaves
    seen.since = moved.isoformat(timespec="seconds") if moved else written


def _now(settings: Settings, seen: Standing) -> datetime:
    from components.cutover import reach_of

    try:
        return reach_of(settings).now()
    except Exception as error:  # whatever a clock that is down makes of itself
        seen.unseen.append(f"the practice ground's clock: {error}")
        return datetime.now(UTC)


def _clouds(here: Here, seen: Standing) -> None:
    from runbook.model.serving import hosts

    observed, settings = here.observed, here.settings
    seen.unseen += [f"{what}: {why}" for what, why in observed.failures.items()]
    served = hosts(here.platform, settings)
    listed = {record.name: record for record in observed.records if record.type in ("CNAME", "A", "AAAA")}
    for app, host in served.items():
        row = {"host": host}
        if record := listed.get(host):
            row["target"] = record.content
        if build := observed.serving.get(app):
            row |= {"build": build.id, "state": build.state}
        seen.serving[app] = {**row, "from": "observed"} if len(row) > 1 else {**_kept(here, app, row)}
    direct = {name: record for name, record in listed.items() if not record.proxied and name in served.values()}
    ttls = {name: observed.served_ttl.get(name, 300 if each.ttl == 1 else each.ttl) for name, each in direct.items()}
    _way_back(here, seen, horizon(ttls))
    decision = here.decision
    ledger = here.memory.ledger
    if decision.opening and seen.asked in ("prepared", "flipped") and not (ledger and ledger.phase.serves_next):
        seen.open = decision.opening.at is not None and decision.opening.at <= here.now
        seen.opens, seen.why = decision.opening.when, decision.opening.why
    for refusal in decision.refusals:
        rule = refusal.rule.value if refusal.rule else ""
        seen.against.append({"rule": rule, "allowed": refusal.problem.allowed, "edit": refusal.problem.edit})


def _from_the_state(here: Here, seen: Standing) -> None:
    try:
        ledger = here.memory.ledger
    except CliError:
        return
    for app in ledger.side.targets if ledger else ():
        seen.serving[app] = _kept(here, app, {})


def _kept(here: Here, app: str, row: dict[str, str]) -> dict[str, str]:
    ledger = here.memory.ledger
    target = ledger.side.targets.get(app, "") if ledger else ""
    return {**row, "target": target, "from": "the state, not looked at" if target else "not looked at"}


def _way_back(here: Here, seen: Standing, how_long: Horizon) -> None:
    ledger = here.memory.ledger
    possible = bool(ledger and ledger.before is not None)
    if not possible and seen.asked not in ("prepared",):
        return
    seen.way_back = {
        "possible": possible,
        "seconds": how_long.seconds,
        "text": span(how_long.seconds) if how_long.seconds else "at once",
        "why": how_long.why,
    }


def _config(settings: Settings, seen: Standing, now: datetime) -> None:
    cutover = settings.cutover
    seen.freeze = [f"{each.reason}, until {each.end:%Y-%m-%d %H:%M}" for each in settings.freeze if each.holds(now)]
    if cutover is None:
        return
    window, zone = cutover.window, ZoneInfo(cutover.window.zone)
    whole = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} {window.zone}"
    if window.holds(now):
        left = span(int((window.closes - now).total_seconds()))
        seen.window = f"open, for another {left} ({whole})"
    elif now < window.opens:
        seen.window = f"opens in {span(int((window.opens - now).total_seconds()))} ({whole})"
    else:
        seen.window = f"is over ({whole})"
    seen.overrides = [
        {"rule": each.rule.value, "reason": each.reason, "until": f"{each.until:%Y-%m-%d %H:%M} {window.zone}"}
        for each in cutover.overrides
        if now < each.until.replace(tzinfo=zone)
    ]


def _evidence(here: Here) -> dict[str, str]:
    """The last crossing's record; from its file, else from the state."""
    files = sorted((here.out / "evidence").glob(f"{here.title}-*-*.json"), key=lambda path: path.stat().st_mtime)
    for file in reversed([each for each in files if each.name.count(".") == 1]):
        try:
            found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return {"crossing": str(found.get("crossing", "")), "at": str(found.get("at", "")), "file": file.name}
    return {}


def _left_behind(here: Here) -> str:
    """What a command of this program that was killed has left."""
    found = left_behind(here.engine.logs)
    if found is None:
        return ""
    log = here.shown(here.engine.logs / found["log"])
    if found["alive"]:
        return f"`pulumi {found['command']}` still runs (process {found['pid']}, since {found['began']}): {log}"
    return f"`pulumi {found['command']}` of {found['began']} ended while nobody watched: {log}"


def _deployments(here: Here, seen: Standing) -> str:
    """After a way back Vercel assigns no domain to new builds, until rolled-back is left."""
    if seen.phase != "rolled-back":
        return ""
    lock = here.memory.evidence.get("lock", {})
    held = [app for app, found in lock.items() if isinstance(found, dict) and found.get("assigns_domains") is False]
    if held:
        return f"new builds of {' and '.join(held)} take no domain until rolled-back is left for steady or prepared"
    return "locked by agreement alone: a release would take the domains"


def _to_the_flip(here: Here, seen: Standing) -> str:
    flip, early = here.command("phase flipped"), seen.window.startswith("opens")
    if seen.open and not early:
        return flip
    if here.place.practice:
        word = "window" if early else "opens"
        return f"./cutover practice clock {word} (for real you would wait), then {flip}"
    return f"{flip}, once it opens and in its window"


def following(here: Here, seen: Standing) -> str:
    """What is most likely next, with its command."""
    if seen.lock.endswith(DEAD):
        return f"{here.freeing}, which frees the lock"
    if seen.lock:
        return f"{here.command('status')}, when that update has ended"
    if seen.under_way:
        back, on = here.command("rollback"), here.command("plan")
        return f"on with it: {on}, or back: {back}" if seen.asked == "flipped" else here.command("rollback")
    if seen.asked != seen.phase:
        return here.command("plan")
    if seen.phase == "prepared":
        return _to_the_flip(here, seen)
    if seen.phase == "flipped":
        return f"{here.command('phase settled')}, after the soak; or back: {here.command('rollback')}"
    if seen.phase == "rolled-back":
        return f"{here.command('phase steady')}, when the cause is known"
    if seen.phase == "settled":
        return here.command("phase steady")
    if here.raw.get("cutover"):
        return here.command("phase prepared")
    if here.place.practice:
        return "./cutover practice reset, to play it again; or ./cutover practice stop, which ends it"
    return here.command("plan")
