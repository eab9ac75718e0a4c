"""What people will notice, what waits, and how one gets back: sentences for a reviewer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import Memory, dns_only, seconds
from runbook.model.cutover.opening import UNKNOWN_NEGATIVE, Opening
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.cutover.sections import Side
from runbook.model.plans.horizon import FLOORS, Horizon, horizon, span
from runbook.model.plans.operation import Operation, Plan
from runbook.model.plans.places import RECORD, SWITCH, acts, flips, goes_back
from runbook.model.plans.says import declared, shown_value
from runbook.model.platform import Platform, Secret
from runbook.model.serving import records, stack_of
from runbook.model.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What is known beside the plan. `overridden`: rules that are let pass, each with its reason."""

    platform: Platform
    settings: Settings
    memory: Memory
    opening: Opening | None = None
    overridden: Mapping[Rule, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Path of the page of the way back that needs no Pulumi."""
        return f"{self.settings.endpoints.out}/way-back/{stack_of(self.settings).name}.md"

    def left(self, direction: Direction) -> Side:
        """The side that a crossing in this direction leaves, whether it is under way already or begins now."""
        ledger = self.memory.ledger
        if ledger is None:
            return self.settings.current
        before = ledger.before if direction is Direction.FLIP else ledger.leaving
        return (before if self.memory.going(direction) else None) or ledger.side


def noticed(plan: Plan, asked: Asked) -> tuple[str, ...]:
    """What people will notice, the worst first. Never empty."""
    switches = [each for each in plan.changes if each.type == SWITCH]
    found = [*(_flip(plan, asked) if flips(plan) else _back(plan, asked) if goes_back(plan) else _rest(plan))]
    found += [
        f"Switch {(each.new or each.old).get('key')}: {each.op}, "
        f"{shown_value(each.new.get('valueJson')) or 'no value'}, at once."
        for each in switches
    ]
    return tuple(found) or ("Nothing: what serves stays as it is.",)


def _flip(plan: Plan, asked: Asked) -> Iterator[str]:
    now, then = asked.left(Direction.FLIP), asked.settings.side
    if _does(plan, "end-sessions"):
        yield "Everybody is signed out, and signs in again."
    if renewed := _renewed(asked.platform):
        yield f"{' and '.join(renewed)}: renewed. What was signed with the one before counts no more."
    yield from _moved(plan, asked, now, then)
    if now.release != then.release:
        yield f"Release {then.release} in place of {now.release}, within seconds: it is built already."
    else:
        yield f"The release stays {then.release}; its builds are new ones, with next's env."


def _moved(plan: Plan, asked: Asked, now: Side, then: Side) -> Iterator[str]:
    """Names that lead elsewhere, and how long until everybody follows."""
    changed = {str(each.new.get("name")): each for each in plan.changes if _retargets(each)}
    for app in asked.platform.apps:
        host = (then.auth_host if app.auth else asked.settings.apps[app.name].host) or ""
        if app.auth and now.auth_host != then.auth_host:
            what = "is at its host name again" if goes_back(plan) else "has a new host name"
            yield f"{app.title} {what}: {then.auth_host} in place of {now.auth_host}."
        elif host in changed:
            when = _within(changed[host], asked.settings.apps[app.name].proxied)
            yield f"{app.title} ({host}) moves to {then.targets[app.name]} {when}."


def _within(operation: Operation, proxied: bool) -> str:
    if proxied:
        return "at once: it is proxied"
    ttl, least = seconds(int(operation.old["ttl"])), max(FLOORS.values())
    return f"within {span(ttl + least)}: a TTL of {ttl} s, and up to {least} s in browsers"


def _retargets(operation: Operation) -> bool:
    return operation.type == RECORD and "content" in operation.diff


def _renewed(platform: Platform) -> tuple[str, ...]:
    """Names of the secrets that a flip renews."""
    values = (each.value for _, app in platform.vercel_apps for each in app.variables)
    return tuple(dict.fromkeys(each.name for each in values if isinstance(each, Secret) and each.renewed))


def _back(plan: Plan, asked: Asked) -> Iterator[str]:
    now, then = asked.left(Direction.BACK), asked.settings.side
    if asked.platform.auth_app:
        yield "Everybody who signed in since the flip signs in again."
    yield from _moved(plan, asked, now, then)
    yield f"Release {then.release} again, within seconds: the very builds that served before."


def _rest(plan: Plan) -> Iterator[str]:
    """Without a crossing nothing that serves changes, but a name that was left may end."""
    for each in plan.changes:
        if each.type == RECORD and each.op == "delete":
            yield f"{each.old.get('name')} is taken away: who still uses it reaches nothing."


def _does(plan: Plan, step: str) -> bool:
    return any(each.step == step and acts(each) for each in plan.changes)


def way_back(plan: Plan, asked: Asked) -> tuple[tuple[str, ...], int | None]:
    """How one gets back from where the plan leads, and how many seconds until clients follow; None where there is
    nothing to go back from."""
    phase, how_long = asked.settings.phase, _horizon(asked)
    if not any(map(declared, plan.changes)) and not any(map(acts, plan.changes)):
        return (), None
    if phase.serves_next:
        return (
            f"./cutover rollback --stack {plan.stack}: traffic is back within {_long(how_long)}. {how_long.why}",
            "DNS and builds go back at once and side by side; neither waits for anything else.",
            f"Without Pulumi: {asked.page} has the calls for a terminal with curl.",
        ), how_long.seconds
    if phase is Phase.PREPARED:
        return (
            f"Nothing serves from it yet: write phase: {Phase.STEADY} and apply again.",
            f"After a flip traffic would be back within {_long(how_long)}. {how_long.why}",
            f"Without Pulumi: {asked.page}, which this phase writes.",
        ), None
    if phase is Phase.ROLLED_BACK:
        return ("This is the way back. Forward again: prepare anew, then flip.",), None
    return ("Put the stack file back as it was, and apply again.",), None


def _long(how_long: Horizon) -> str:
    return span(how_long.seconds) if how_long.seconds else "seconds"


def _horizon(asked: Asked) -> Horizon:
    settings = asked.settings
    names = dns_only(asked.platform, settings)
    standing = {each.name: seconds(each.ttl) for each in records(asked.platform, settings)}
    before = settings.current.auth_host
    if settings.phase is Phase.SETTLED and before and before not in standing:
        return Horizon(
            UNKNOWN_NEGATIVE + max(FLOORS.values()),
            UNKNOWN_NEGATIVE,
            f"{before} is gone then and has to be made again: that it was missing is remembered for up to "
            f"{UNKNOWN_NEGATIVE} s.",
        )
    return horizon({name: standing[name] for name in names})


def waits(plan: Plan, asked: Asked) -> tuple[str, ...]:
    """What holds the next move up, and what is let pass."""
    return tuple(_waits(plan, asked))


def _waits(plan: Plan, asked: Asked) -> Iterator[str]:
    settings, cutover = asked.settings, asked.settings.cutover
    for rule, reason in asked.overridden.items():
        yield f"The rule {rule} is overridden: {reason}"
    if cutover and settings.phase is Phase.PREPARED:
        if asked.opening:
            opens = f"opens {asked.opening.when}" if asked.opening.at else "cannot be dated yet"
            yield f"The flip {opens}. {asked.opening.why}"
        yield f"The cutover window is {texts.span(cutover)}."
    if cutover and settings.phase is Phase.FLIPPED:
        least = ", later where tokens live longer" if asked.platform.auth_app else ""
        yield f"It can be settled {span(int(cutover.soak.total_seconds()))} after it is complete{least}."
    if settings.phase is Phase.ROLLED_BACK:
        yield "New builds take no domain until rolled-back is left for steady or prepared."
