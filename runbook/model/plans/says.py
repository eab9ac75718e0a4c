"""Operations in words: one line each, without a value that could hold a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from runbook.model.cutover.step import Kind
from runbook.model.plans.operation import LEDGER, SECRET, STEP, STEPS_PROVIDER, UNKNOWN, Operation
from runbook.model.plans.places import ENV, RECORD

CLOUDS = {"cloudflare": "Cloudflare", "vercel": "Vercel", "grafana": "Grafana"}
LONGEST = 60  # characters of a value that are shown
_URL = re.compile(r"//(?:[^\s/@]*@)?([^/?#\s]*)([/?#]\S*)?")
_LABELS = {
    RECORD: "DNS record",
    ENV: "env",
    "cloudflare:index/ruleset:Ruleset": "cache rules",
    "vercel:index/projectDomain:ProjectDomain": "domain",
    "vercel:index/projectDeploymentRetention:ProjectDeploymentRetention": "how long builds are kept",
    "vercel:index/edgeConfigItem:EdgeConfigItem": "switch",
    "vercel:index/edgeConfig:EdgeConfig": "store of switches",
    "vercel:index/edgeConfigToken:EdgeConfigToken": "access to switches",
    "vercel:index/logDrain:LogDrain": "log drain",
    "vercel:index/traceDrain:TraceDrain": "trace drain",
    "grafana:alerting/ruleGroup:RuleGroup": "alert rules",
    "grafana:alerting/contactPoint:ContactPoint": "contact point",
    "grafana:alerting/muteTiming:MuteTiming": "mute timing",
    "grafana:alerting/notificationPolicy:NotificationPolicy": "policy tree",
    "grafana:oss/dataSource:DataSource": "data source",
    "grafana:syntheticMonitoring/check:Check": "outside check",
}


def declared(operation: Operation) -> bool:
    """Whether it is something that a cloud can see, and no step: not the ledger, not what only groups others."""
    kind = operation.type
    return kind not in (LEDGER, STEP, STEPS_PROVIDER) and not kind.startswith(("runbook:", "pulumi:pulumi:"))


def cloud(operation: Operation) -> str:
    """Whose it is."""
    kind = operation.type.removeprefix("pulumi:providers:")
    return CLOUDS.get(kind.split(":")[0], "Elsewhere")


def declaration(operation: Operation) -> str:
    """A declared change, such as "update DNS record auth.ibimina.rw (ttl 3600 to 60)"."""
    differs = [_change(path, operation) for path in operation.diff]
    told = f" ({', '.join(differs)})" if differs and operation.op in ("update", "replace") else ""
    return f"{operation.op} {_label(operation)}{told}"


def _label(operation: Operation) -> str:
    inputs, kind = operation.new or operation.old, operation.type
    if kind.startswith("pulumi:providers:"):
        return f"access to {cloud(operation)}"
    if kind == RECORD:
        return f"DNS record {inputs.get('name')} {inputs.get('type')}"
    if kind == ENV:
        app = operation.name.split("-env-")[0].removeprefix("web-")
        return f"env {inputs.get('key')} of {app}"
    word = kind.rsplit(":", 1)[-1]
    return f"{_LABELS.get(kind, re.sub('(?<!^)(?=[A-Z])', ' ', word).lower())} {operation.name}"


def _change(path: str, operation: Operation) -> str:
    old, new = operation.old.get(path), operation.new.get(path)
    if operation.type == ENV and path == "value":  # a value that a person set may be more than it seems
        return "value, not shown"
    shown = [shown_value(each) for each in (old, new)]
    return f"{path} {shown[0]} to {shown[1]}" if all(shown) and shown[0] != shown[1] else path


def shown_value(value: Any) -> str:
    """A short plain value; empty where it is better named than shown. Of a URL scheme and host alone."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or value in ("", SECRET, UNKNOWN) or value[:1] in "{[":
        return ""
    text = _URL.sub(lambda found: f"//{found[1]}" + ("/…" if found[2] else ""), value)
    return text if len(text) <= LONGEST and "\n" not in text else ""


def act(operation: Operation) -> str:
    """What a step that acts does, in words for a reviewer."""
    args, rest = _args(operation), operation.step.partition("-")[2]
    try:
        kind = Kind(str(operation.new.get("kind")))
    except ValueError:
        return operation.step
    if not operation.new.get("trigger"):
        return (
            "Take the reminder back, where it is still to come" if kind is Kind.REMIND else f"Undo {operation.step}"
        )
    return _ACTS[kind](args, rest)


def _args(operation: Operation) -> Mapping[str, Any]:
    text = operation.new.get("args")
    loaded = json.loads(text) if isinstance(text, str) and text[:1] == "{" else {}
    return loaded if isinstance(loaded, dict) else {}


def _all(values: Any) -> str:
    return ", ".join(map(str, values or ())) or "nothing"


def _purge(hosts: Any) -> str:
    return f"Purge Cloudflare's caches of {_all(hosts)}" if hosts else "Purge no cache: no name is proxied"


def _when(text: object) -> str:
    try:
        return f"{datetime.fromisoformat(str(text)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return "its time"


def _remind(args: Mapping[str, Any]) -> str:
    return f"Post the reminder to {args.get('channel')} at {_when(args.get('at'))}, at once when that is past"


# Arguments of the step, and what follows the first dash in its name.
_ACTS: Mapping[Kind, Callable[[Mapping[str, Any], str], str]] = {
    Kind.REMIND: lambda args, _: _remind(args),
    Kind.BUILD: lambda args, app: f"Build {app} {args.get('release')} with next's env; it takes no domain",
    Kind.AUTH_SETTINGS: lambda args, _: f"Set the redirect list of {_all(args.get('refs'))}",
    Kind.CUSTOM_HOSTNAME: lambda args, _: f"Let {args.get('ref')} answer as {args.get('host')}",
    Kind.END_SESSIONS: lambda args, _: f"End every session of {args.get('ref')}",
    Kind.PURGE: lambda args, _: _purge(args.get("hosts")),
    Kind.PROMOTE: lambda _, app: f"Promote the next build of {app}: it takes the domains",
    Kind.ROLL_BACK: lambda args, app: f"Put the build of {app} back that served before: {args.get('deployment')}",
    Kind.REASSIGN: lambda _, app: f"Let new builds of {app} take domains again",
    Kind.DEPLOY_FUNCTION: lambda args, _: f"Deploy {args.get('slug')} again, at {args.get('tag')}",
    Kind.PAGE: lambda _, name: f"Page through {name}",
    Kind.ANNOUNCE: lambda args, _: f"Tell {args.get('channel')}",
    Kind.LOCK: lambda *_: "See that new builds take no domain",
    Kind.ANNOTATE: lambda *_: "Mark the moment on the dashboards",
    Kind.WRITE: lambda args, _: f"Write the page of the way back, {args.get('path')}",
    Kind.COMPLETE: lambda args, _: f"Write the evidence, {args.get('path')}",
    Kind.BUILD_HEALTHY: lambda _, name: f"Look: the next build of {name.removeprefix('build-')} is healthy",
    Kind.TARGET_ANSWERS: lambda args, _: f"Look: {args.get('target')} answers as {args.get('host')}",
    Kind.TTL_SERVED: lambda args, _: f"Look: {_all(args.get('names'))} is served with {args.get('ttl')} s",
    Kind.DRAIN_ANSWERS: lambda _, name: f"Look: {name} can be reached",
    Kind.DNS_SERVED: lambda args, _: f"Look: DNS gives the targets of {_all(args.get('targets'))}",
    Kind.HEALTHY: lambda args, _: f"Look: {args.get('host')}{args.get('path')} answers",
    Kind.LOGIN: lambda args, _: f"Look: a login round trip over {args.get('auth_host')}",
    Kind.WORKER_SERVED: lambda args, _: f"Look: {args.get('host')} serves the new service worker",
    Kind.EVENT_ARRIVES: lambda *_: "Look: a marked event arrives through the log drain",
}
