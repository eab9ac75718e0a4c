"""What Grafana and its provider do with the notification policy tree, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runbook.rehearsal.clouds.behaviours import SEEN, UNVERIFIED, Draft, Row, rows
from runbook.rehearsal.clouds.wire import known

POLICY_TREE = "grafana:alerting/notificationPolicy:NotificationPolicy"
DEFAULTS = ("grafana-default-email", "email receiver")  # contact points that a Grafana may have from the start
_SOURCE = "provider source: resource_alerting_notification_policy.go"
_MATCHES = ("=", "!=", "=~", "!~")

Policy = dict[str, Any]


def policy_tree_rows(point: str, timing: str) -> list[Row]:
    """The rows of the tree, and of contact points that a tree uses. `point` and `timing`: the types that it names."""

    def unknown_receiver(draft: Draft) -> str | None:
        held = {one.properties["name"] for one in draft.store.find(draft.cloud, point)} | {None, *DEFAULTS}
        wanted = [draft["contactPoint"], *(policy.get("contactPoint") for policy in _every(draft))]
        return next((f"400: receiver '{name}' does not exist." for name in wanted if name not in held), None)

    def unknown_timing(draft: Draft) -> str | None:
        held = {one.properties["name"] for one in draft.store.find(draft.cloud, timing)}
        wanted = [name for policy in _every(draft) for name in policy.get("muteTimings") or []]
        return next(
            (f"400: mute time interval '{name}' does not exist." for name in wanted if name not in held), None
        )

    def receiver_in_use(draft: Draft) -> str | None:
        for tree in draft.store.find(draft.cloud, POLICY_TREE):
            named = [tree.properties, *_nested(tree.properties.get("policies") or [])]
            if any(policy.get("contactPoint") == draft["name"] for policy in named):
                return f"409: contact point {draft['name']} is currently used by a notification policy."
        return None

    return [
        *rows(POLICY_TREE, "id", _SOURCE, id="1:policy"),
        *rows(POLICY_TREE, "default", _SOURCE, disableProvenance=False),
        *rows(POLICY_TREE, "held", _SOURCE, policies=_held),
        *rows(POLICY_TREE, "check", SEEN, policies=_bad_match),
        *rows(POLICY_TREE, "check", _SOURCE, groupBies=_empty_grouping),
        *rows(POLICY_TREE, "apply", UNVERIFIED, contactPoint=unknown_receiver, policies=unknown_timing),
        *rows(point, "delete", UNVERIFIED, name=receiver_in_use),
    ]


def _every(draft: Draft) -> Iterator[Policy]:
    return _nested(draft.items("policies"))


def _nested(policies: list[Policy]) -> Iterator[Policy]:
    for policy in policies:
        yield policy
        yield from _nested(policy.get("policies") or [])


def _held(_draft: Draft, policies: list[Policy]) -> list[Policy]:
    return [_held_policy(policy) for policy in policies]


def _held_policy(policy: Policy) -> Policy:
    """Matchers are a set."""
    held: Policy = {"continue": False, **policy}
    if "matchers" in held:
        held["matchers"] = sorted(held["matchers"], key=lambda matcher: json.dumps(matcher, sort_keys=True))
    if "policies" in held:
        held["policies"] = [_held_policy(inner) for inner in held["policies"]]
    return held


def _bad_match(draft: Draft) -> str | None:
    for policy in _every(draft):
        for matcher in policy.get("matchers") or []:
            match = matcher.get("match", "=")
            if known(match) and match not in _MATCHES:
                return f"match must be one of: {', '.join(_MATCHES)}, got: {match}."
    return None


def _empty_grouping(draft: Draft) -> str | None:
    return "groupBies must not hold an empty string." if "" in (draft["groupBies"] or []) else None
