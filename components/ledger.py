"""The ledger of crossings as a dynamic resource: the state keeps it, and its check refuses in preview already.

A kept state names `components.ledger.LedgerProvider` and the type of `LedgerResource`: neither class nor this module
may be renamed or moved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from runbook.steps.reach import Reach

NOT_KEPT = ("__provider", "reach")  # inputs that are not part of the record


class LedgerProvider(ResourceProvider):
    """Keeps what it is given."""

    serialize_as_secret_always = False  # what is kept of it is its name alone

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """`olds` are the inputs of the last update, which is what the program itself remembers."""
        from runbook.model.cutover import ledger

        now = Reach.of(json.loads(news["reach"])).now()
        refused = ledger.check(record(olds) or None, record(news), now)
        # Without the name of a property the engine adds no value to the text.
        return CheckResult(news, [CheckFailure("", "\n\n".join(refused))] if refused else [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=record(olds) != record(news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("ledger", record(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(record(news))


class LedgerResource(Resource, module="runbook", name="Ledger"):
    """`record` is JSON that holds no secret; a key without a value (None) is left out of what is kept."""

    def __init__(self, name: str, ledger: Mapping[str, Any], reach: Reach) -> None:
        inputs = {**ledger, "reach": json.dumps(reach.as_json(), sort_keys=True)}
        super().__init__(LedgerProvider(), name, inputs, pulumi.ResourceOptions(protect=True))


def record(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The ledger alone, of the inputs or outputs of its resource."""
    return {name: value for name, value in inputs.items() if name not in NOT_KEPT}
