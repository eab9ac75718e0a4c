"""A declared resource that writes down when it is created or changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


def note(name: str, **what: Any) -> None:
    with Path("acts.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"name": name, **what}) + "\n")


class NotedProvider(ResourceProvider):
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=olds["value"] != news["value"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        note("record", value=props["value"])
        return CreateResult("record", {"value": props["value"]})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        note("record", value=news["value"])
        return UpdateResult({"value": news["value"]})


class Noted(Resource):
    def __init__(self, name: str, value: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(NotedProvider(), name, {"value": value}, opts)
