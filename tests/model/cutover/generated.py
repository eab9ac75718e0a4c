"""Generated cutovers: both platforms, both kinds of auth cutover, with everything that may change along with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import settings as examples_of
from hypothesis import strategies as st

from runbook.model import alerting, dashboards, serving
from runbook.model.cutover.phases import Phase
from runbook.model.platform import Platform
from runbook.model.reading import read
from runbook.model.settings import Settings
from tests.model.cutover import examples
from tests.stacks import STACKS, platform, raw

EXAMPLES = examples_of(max_examples=40, derandomize=True, database=None, deadline=None)
REFS = st.sampled_from(["q", "w", "z"]).map(lambda letter: letter * 20)
TARGETS = st.sampled_from(["one.vercel-dns.com", "two.example.net", "three.example.net"])
ADDRESSES = st.sampled_from(["192.0.2.30", "192.0.2.31"])
RELEASES = st.sampled_from(["v2.0.0", "v2.1.0", "7f3a"])
TTLS = st.sampled_from([1, 60, 61, 300, 3600, 86_400])
ENV = st.dictionaries(st.sampled_from(["LEVEL", "BANNER"]), st.sampled_from(["a", "b", "https://x.example"]))


@dataclass(frozen=True)
class Made:
    """A generated stack: its raw config without a cutover, and the cutover's section without a phase."""

    stack: str
    base: dict[str, Any]
    block: dict[str, Any]

    @property
    def platform(self) -> Platform:
        return platform(self.stack)

    def asked(self, phase: Phase) -> Settings:
        """The settings with the cutover's section."""
        return self._settings({**self.base, "cutover": {**self.block, "phase": phase.value}})

    def steady(self) -> Settings:
        """Before it: without the section."""
        return self._settings(self.base)

    def renewed(self) -> Settings:
        """After it: `current` is what next was, written out, and the section is gone."""
        then = self.asked(Phase.SETTLED).next
        assert then is not None
        return self._settings({**self.base, "current": then.model_dump(mode="json", by_alias=True)})

    def read(self, phase: Phase) -> Settings:
        """As the program reads it, with every check, which takes longer. Raises: ConfigError"""
        config = {**self.base, "cutover": {**self.block, "phase": phase.value}}
        return read(self.stack, examples.with_secrets(self.stack, config), self.platform)

    def _settings(self, config: dict[str, Any]) -> Settings:
        return Settings.model_validate({**config, "secrets": _secrets(self.stack)})


@cache
def _secrets(stack: str) -> dict[str, Any]:
    made: dict[str, Any] = examples.config(stack)["secrets"]
    return made


@st.composite
def cutovers(draw: st.DrawFn, stacks: tuple[str, ...] = STACKS) -> Made:
    """Any cutover that the model takes."""
    stack = draw(st.sampled_from(stacks))
    base, found = raw(stack), platform(stack)
    for app in found.apps:
        proxied = draw(st.booleans())
        base["apps"][app.name] = {
            **{key: value for key, value in base["apps"][app.name].items() if key == "host"},
            **({"proxied": True} if proxied else {"ttl": draw(TTLS)}),
        }
    if draw(st.booleans()):
        content = f'"{draw(st.sampled_from(["proof", "policy"]))}"'
        more = {"name": base["zone"], "type": "TXT", "content": content, "ttl": draw(TTLS)}
        base["records"] = [*base.get("records", []), more]
    on_vercel = [app.name for app, _ in found.vercel_apps]
    current = base["current"]
    current["generation"] = draw(st.integers(1, 3))
    current["env"] = {app: draw(ENV) for app in draw(st.sets(st.sampled_from(on_vercel)))}
    then: dict[str, Any] = {"targets": _targets(draw, current["targets"])}
    if found.auth_app:
        ref = draw(REFS)
        if draw(st.booleans()):
            then |= {"supabaseRef": ref}
            if draw(st.booleans()):
                then |= {"authHost": f"signin.{base['zone']}"}
            then["targets"][found.auth_app.name] = f"{ref}.supabase.co"
    if draw(st.booleans()):
        then["release"] = draw(RELEASES)
    if draw(st.booleans()):
        then["env"] = {app: draw(ENV) for app in draw(st.sets(st.sampled_from(on_vercel)))}
    if draw(st.booleans()):
        then["generation"] = current["generation"] + draw(st.integers(1, 4))
    block = {**examples.cutover(stack), "next": then}
    return Made(stack, base, {key: value for key, value in block.items() if key != "phase"})


def _targets(draw: st.DrawFn, current: dict[str, str]) -> dict[str, str]:
    """One at least, each of the type of the one that serves."""
    moving = draw(st.sets(st.sampled_from(sorted(current)), min_size=1))
    return {app: draw(ADDRESSES if current[app][:1].isdecimal() else TARGETS) for app in sorted(moving)}


@dataclass(frozen=True)
class Desired:
    """Everything that a cloud can see, but for the texts of the watch."""

    records: tuple[serving.Record, ...]
    cache_rules: tuple[serving.CacheRule, ...]
    webs: tuple[serving.Web, ...]
    drains: tuple[serving.DrainTarget | None, ...]
    checks: tuple[serving.UptimeCheck, ...]
    groups: tuple[alerting.RuleGroup, ...]
    boards: tuple[dashboards.Dashboard, ...]

    def with_ttls_of(self, other: Desired) -> Desired:
        """The same, with the TTL that the other has for each name."""
        ttls = {record.key: record.ttl for record in other.records}
        records = tuple(replace(each, ttl=ttls.get(each.key, each.ttl)) for each in self.records)
        return replace(self, records=records)

    def without(self, host: str | None) -> Desired:
        """The same without the records of a name."""
        return replace(self, records=tuple(each for each in self.records if each.name != host))


def desired(made: Made, settings: Settings) -> Desired:
    found = made.platform
    return Desired(
        serving.records(found, settings),
        serving.cache_rules(found, settings),
        serving.webs(found, settings),
        (serving.log_drain(found, settings), serving.trace_drain(found, settings)),
        serving.uptime_checks(found, settings),
        alerting.rule_groups(found, settings),
        dashboards.dashboards(found, settings, None),
    )
