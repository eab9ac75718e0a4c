"""The gates that ask the authoritative servers of a zone: the TTL before a flip, the answers after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from runbook.steps import names
from runbook.steps.call import Call, StepError
from runbook.steps.names import Served
from runbook.steps.reach import Reach
from runbook.steps.together import results
from runbook.steps.waiting import until

PROPAGATION = 15.0  # seconds until a change at Cloudflare is served everywhere; a few are usual
_QUESTION = 8.0  # seconds for one name at all of its servers


def ttl_served(call: Call) -> dict[str, Any]:
    """The TTL of each name, the largest that any server gives: at most `args.ttl` seconds. The names are in use, so
    every server has a record of each."""
    most = int(call.args["ttl"])
    seen = _ask(call, dict.fromkeys(call.args["names"]))
    late = [
        f"{name} has no record at {one.server}"
        if one.ttl is None
        else f"{name} is served with a TTL of {one.ttl} s by {one.server}"
        for name, answers in seen.items()
        for one in answers
        if one.ttl is None or one.ttl > most
    ]
    if late:
        raise StepError(
            f"{'; '.join(late)}. At most {most} s is wanted before names may move: lower the TTL, wait until"
            " resolvers have forgotten the old one, and run up again."
        )
    ttl = {name: max(one.ttl or 0 for one in answers) for name, answers in seen.items()}
    return {"ttl": ttl, "servers": _servers(seen.values())}


def dns_served(call: Call) -> dict[str, Any]:
    """What every authoritative server gives for each name: its target, or any address when the name is proxied."""
    return until(call, PROPAGATION, partial(_dns_served, call))


def _dns_served(call: Call) -> dict[str, Any]:
    targets: dict[str, str] = dict(call.args["targets"])
    proxied = set(call.args["proxied"])
    seen = _ask(call, {name: "A" if name in proxied else call.args["types"][name] for name in targets})
    wrong = [
        sentence
        for name, target in targets.items()
        for one in seen[name]
        if (sentence := _wrong(call.reach, name, target, name in proxied, one))
    ]
    if wrong:
        raise StepError(f"{'; '.join(wrong)}. Run up again; if it stays, look at the record at Cloudflare.")
    return {
        name: {
            "answer": ", ".join(sorted({value for one in answers for value in one.values})),
            "servers": _servers([answers]),
        }
        for name, answers in seen.items()
    }


def _wrong(reach: Reach, name: str, target: str, proxied: bool, one: Served) -> str | None:
    """What is wrong with one server's answer. Of a proxied name any address is right that is not the target's own."""
    if not one.values:
        return f"{one.server} gives no record for {name}"
    gives = f"{one.server} gives {', '.join(one.values)} for {name}"
    if proxied:
        bare = one.type == "CNAME" or names.same(target) in one.values
        return f"{gives}, which is to be proxied" if bare else None
    return None if _is(reach, target, one) else f"{gives}, not {target}"


def _is(reach: Reach, target: str, one: Served) -> bool:
    wanted = names.same(target)
    if [names.same(value) for value in one.values] == [wanted]:
        return True
    # At the top of a zone Cloudflare serves the addresses of a CNAME in its place (CNAME flattening). An address is
    # itself, but for a resolver that stands in for the system's.
    if not one.flattened and not names.is_address(target):
        return False
    return set(one.values) <= set(names.addresses(reach, target))


def _ask(call: Call, kinds: dict[str, str | None]) -> dict[str, Sequence[Served]]:
    seconds = min(_QUESTION, call.left())
    works = {name: partial(names.served, call.reach, name, kind, seconds=seconds) for name, kind in kinds.items()}
    return dict(zip(kinds, results(works, seconds), strict=True))


def _servers(seen: Iterable[Sequence[Served]]) -> list[str]:
    return sorted({str(one.server) for answers in seen for one in answers})
