"""Where a cutover meets the engine: what the state remembers and the clouds show goes to the model, which refuses or
says what this update is."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.ledger import LedgerResource
from components.memory import Pending
from components.steps import Steps, StepsArgs
from runbook.model.cutover import texts
from runbook.model.cutover.ledger import Change, Ledger, Memory, change, left_behind, to_observe
from runbook.model.cutover.observed import Observed, Wanted
from runbook.model.cutover.orders import plan
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import Decision, RefusedError, decide
from runbook.model.cutover.scene import Scene, way_back_file
from runbook.model.cutover.sections import Side
from runbook.model.cutover.unnoted import records
from runbook.model.cutover.way_back import page
from runbook.model.platform import Platform
from runbook.model.serving import Record
from runbook.model.settings import Settings
from runbook.steps.reach import Reach

OBSERVED_WITH = ("CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "SUPABASE_ACCESS_TOKEN")


@dataclass(frozen=True)
class Cutover:
    """What this update is, before anything is registered."""

    platform: Platform
    settings: Settings
    memory: Memory
    observed: Observed
    decision: Decision
    reach: Reach

    @property
    def ledger(self) -> Ledger:
        return self.decision.ledger

    def records(self) -> tuple[Record, ...]:
        return records(self.platform, self.settings, self.ledger, self.memory)

    @property
    def zone_id(self) -> str:
        """The zone's id as it was seen before, on a way back: nothing is looked up then that could fail."""
        return self.ledger.zone_id if self.leaving else ""

    @property
    def leaving(self) -> Side | None:
        return left_behind(self.ledger, self.memory)

    def steps(self, zone_id: str) -> Steps:
        """Registers the ledger, and makes the steps ready to be registered between the resources they wait for."""
        flipped = self.ledger.builds if self.settings.phase.serves_next else None
        paper = page(self.platform, self.settings, self.observed, zone_id, flipped)
        scene = Scene(
            self.platform, self.settings, self.ledger, self.memory, zone_id, paper, self.decision.overridden
        )
        ledger = LedgerResource("ledger", self.ledger.as_json(), self.reach)
        _before_all(ledger)
        return Steps("step", StepsArgs(plan(scene), ledger, self.reach))

    def status(self) -> dict[str, object]:
        """For the stack's outputs: where it stands, when a flip opens and why, where the way back is on paper."""
        status: dict[str, object] = {"phase": self.settings.phase.value, "crossing": self.ledger.tag}
        opens, phase = self.decision.opening, self.settings.phase
        if opens and phase is Phase.PREPARED:
            status |= {
                "opensAt": opens.when,
                "why": opens.why,
                "cannotBeUndone": list(texts.cannot_be_undone(self.platform)),
            }
        if phase in (Phase.PREPARED, Phase.FLIPPED):
            status["wayBack"] = way_back_file(self.settings)
        return status


def _before_all(ledger: LedgerResource) -> None:
    """Every resource that is declared from now on waits for the ledger: when it refuses, nothing moves."""

    def after(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        waits = pulumi.ResourceOptions(depends_on=[ledger])
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, waits))

    pulumi.runtime.register_stack_transformation(after)


def decided(platform: Platform, settings: Settings, pending: Pending) -> Cutover:
    """What this update is. Raises: RefusedError with everything that speaks against it."""
    reach = reach_of(settings)
    memory = pending.result().memory()
    wanted = to_observe(platform, settings, memory)
    observed = look(wanted, settings, reach) if wanted else Observed()
    now = reach.now()
    crosses = change(settings, memory.ledger) in (Change.FLIP, Change.BACK)
    commit = commit_of(pulumi.get_stack()) if crosses else ""  # of other updates nobody keeps it
    decision = decide(platform, settings, memory, observed, now, missing_sources(settings, Path()), commit)
    if decision.refusals:
        raise RefusedError(pulumi.get_stack(), settings, decision.refusals, now)
    _say(platform, decision)
    return Cutover(platform, settings, memory, observed, decision, reach)


def look(wanted: Wanted, settings: Settings, reach: Reach) -> Observed:
    """What answers now, asked with the stack's own tokens."""
    from runbook.steps.observe import observe  # HTTP and DNS, which a run without a cutover does not need

    tokens = {name: settings.secrets[name].get_secret_value() for name in OBSERVED_WITH if name in settings.secrets}
    return observe(wanted, {**tokens, "VERCEL_TEAM": settings.vercel.team}, reach)


def commit_of(stack: str) -> str:
    """The git commit that holds the stack file as it is; empty where none does, or where git is not at hand."""
    file = f"Pulumi.{stack}.yaml"
    try:
        changed = _git("status", "--porcelain", "--", file)
        return "" if changed else _git("rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def missing_sources(settings: Settings, checkout: Path) -> list[str]:
    """Functions whose source is not where the config says, from the root of the checkout."""
    given = settings.cutover.functions if settings.cutover else {}
    return [name for name, function in given.items() if not (checkout / function.source).exists()]


def _say(platform: Platform, decision: Decision) -> None:
    """What may not go unread: that traffic moves, and what was let pass."""
    if decision.change is Change.FLIP:
        pulumi.log.warn(texts.before_a_flip(platform, decision.ledger.tag))
    if decision.change is Change.BACK:
        pulumi.log.warn(f"This update takes traffic back to what served before (crossing {decision.ledger.tag}).")
    for rule, reason in decision.overridden.items():
        pulumi.log.warn(f"The rule {rule} is overridden: {reason}")


def reach_of(settings: Settings) -> Reach:
    """Where steps and observations of this stack reach the vendors."""
    given = settings.endpoints
    return Reach(
        apis={
            "cloudflare": given.cloudflare,
            "vercel": given.vercel,
            "supabase": given.supabase,
            "slack": given.slack,
            "pagerduty": given.pagerduty,
            "grafana": given.grafana or settings.grafana.url,
            "loki": given.loki or settings.grafana.loki.url,
        },
        resolver=given.resolver,
        https_port=given.https_port,
        ca=given.ca,
        clock=given.clock,
    )
