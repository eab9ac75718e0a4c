"""What a step is, as data. A component makes each one a resource; `runbook/steps/` does what its kind says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr


class Kind(StrEnum):
    """What a step does. The gates only look."""

    REMIND = "remind"
    BUILD = "build"
    AUTH_SETTINGS = "auth-settings"
    CUSTOM_HOSTNAME = "custom-hostname"
    END_SESSIONS = "end-sessions"
    PURGE = "purge"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    REASSIGN = "reassign"
    DEPLOY_FUNCTION = "deploy-function"
    PAGE = "page"
    ANNOUNCE = "announce"
    LOCK = "lock"
    ANNOTATE = "annotate"
    WRITE = "write"
    COMPLETE = "complete"

    BUILD_HEALTHY = "build-healthy"
    TARGET_ANSWERS = "target-answers"
    TTL_SERVED = "ttl-served"
    DRAIN_ANSWERS = "drain-answers"
    DNS_SERVED = "dns-served"
    HEALTHY = "healthy"
    LOGIN = "login"
    WORKER_SERVED = "worker-served"
    EVENT_ARRIVES = "event-arrives"


class Group(StrEnum):
    """The declared resources that steps wait for, or that wait for steps."""

    RECORDS = "records"
    CACHE_RULES = "cache-rules"
    ENV = "env"


@dataclass(frozen=True)
class Step:
    """One step. It acts when `trigger` is not empty and not the one it acted on last.

    `name` never carries a side or a phase. `args` are plain JSON and hold no secret; `secrets` are by the name under
    which the kind reads them. `reads`: steps whose evidence it is given. `after`: the steps and groups it waits for.
    `reported`: a failure is told and retried by the next `up`, and holds up nothing. `undone`: it also acts when its
    trigger becomes empty again, to take back what it did (a reminder that is scheduled).
    """

    name: str
    kind: Kind
    trigger: str
    args: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    after: tuple[str | Group, ...] = ()
    reported: bool = False
    undone: bool = False


@dataclass(frozen=True)
class Plan:
    """All steps of a stack, and what the declared groups wait for beside the ledger."""

    steps: tuple[Step, ...]
    after: Mapping[Group, tuple[str, ...]]
