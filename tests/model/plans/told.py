"""Summaries of plans that were played in the model, as a reviewer of each move gets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.cutover.refusals import decide
from runbook.model.plans.notice import Asked
from runbook.model.plans.operation import Plan
from runbook.model.plans.rules import judge
from runbook.model.plans.summary import Summary, summary
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import PREPARED_AT, SETTLED_AT, observed, played
from tests.model.plans.previews import planned
from tests.stacks import platform

COMMENTS = Path(__file__).parent / "comments"
HASH = "0123456789abcdef" * 4


def told(stack: str, was: Settings, asked: Settings, memory: Memory, plan: Plan | None = None) -> Summary:
    """The summary of one update. `plan`: in place of the one that the model makes."""
    now = {Phase.PREPARED: PREPARED_AT, Phase.FLIPPED: IN_WINDOW}.get(asked.phase, SETTLED_AT)
    found = platform(stack)
    decision = decide(found, asked, memory, observed(stack, was, memory, PREPARED_AT), now)
    plan = plan or planned(stack, was, asked, memory, now)
    overridden = {Rule.SOAK: "the soak was tried in staging"} if asked.phase is Phase.SETTLED else {}
    context = Asked(found, asked, memory, decision.opening, overridden)
    return summary(plan, HASH, context, judge(plan, found, asked, memory, now))


def prepare() -> Summary:
    return told("prod", configured("prod", None), configured("prod"), played("prod"))


def flip() -> Summary:
    """With a new auth host."""
    return told("prod", configured("prod"), configured("prod", "flipped"), played("prod", Phase.PREPARED))


def flip_in_place() -> Summary:
    """The auth host stays and leads to another Supabase project; something else rides along."""
    stack = "staging"
    asked = configured(stack, "flipped", records=[])
    return told(stack, configured(stack), asked, played(stack, Phase.PREPARED))


def flip_of_apps() -> Summary:
    stack = "easymo-prod"
    return told(stack, configured(stack), configured(stack, "flipped"), played(stack, Phase.PREPARED))


def settle() -> Summary:
    memory = played("prod", Phase.PREPARED, Phase.FLIPPED)
    return told("prod", configured("prod", "flipped"), configured("prod", "settled"), memory)


def back() -> Summary:
    memory = played("prod", Phase.PREPARED, Phase.FLIPPED)
    return told("prod", configured("prod", "flipped"), configured("prod", "rolled-back"), memory)


def back_of_apps() -> Summary:
    stack = "easymo-prod"
    memory = played(stack, Phase.PREPARED, Phase.FLIPPED)
    return told(stack, configured(stack, "flipped"), configured(stack, "rolled-back"), memory)


def nothing() -> Summary:
    steady = configured("prod", None)
    return told("prod", steady, steady, played("prod"))


def refused() -> Summary:
    steady = configured("prod", None)
    plan = Plan(
        "prod", "", "", "", (), "1 reason against this update of prod; nothing was changed.\n\n```\n</details>"
    )
    return told("prod", steady, steady, played("prod"), plan)


ALL: dict[str, Callable[[], Summary]] = {
    each.__name__.replace("_", "-"): each
    for each in (prepare, flip, flip_in_place, flip_of_apps, settle, back, back_of_apps, nothing, refused)
}
