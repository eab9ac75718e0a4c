"""Steps as dynamic resources: each acts once per trigger, in the order of the plan, and keeps what it saw.

A kept state names `components.steps.StepProvider` and the type of `StepResource`: neither class nor this module may
be renamed or moved, or refresh and destroy of old states fail with "No module named …".
"""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from runbook.model.cutover.step import Group, Kind, Plan, Step
from runbook.steps.call import Call, StepError
from runbook.steps.reach import Reach

WORKERS = 64  # more than any plan has steps


class StepProvider(ResourceProvider):
    """Runs in a process of its own, next to the engine. Inputs reach it in the clear; what it returns is kept in the
    clear, but for what is also a secret input.

    Outputs: `acted` the trigger it acted on last, or ""; `evidence` a JSON object; `failed` the sentence of a failure
    that was only reported, or "". Raises: StepError with a sentence, where the failure of a step fails the update.
    """

    serialize_as_secret_always = False  # what is kept of it is its name alone

    def configure(self, req: ConfigureRequest) -> None:
        # For each exception of ours grpc prints a traceback, which the engine shows beside the sentence.
        logging.getLogger("grpc._server").disabled = True
        # The SDK serves with four threads (pulumi/dynamic/__main__.py), and the engine checks one resource after the
        # other: four steps that wait for a vendor that is down held up all that came after them, DNS records too.
        for pool in gc.get_objects():
            if issubclass(type(pool), ThreadPoolExecutor):  # to be asked itself, a dead proxy raises
                pool._max_workers = WORKERS

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only a trigger makes a step act. A failure that nothing will retry is forgotten, without a call."""
        return DiffResult(changes=_is_due(olds, news) or olds["failed"] != "")

    def create(self, props: dict[str, Any]) -> CreateResult:
        nothing = {"acted": "", "evidence": "{}", "failed": ""}
        return CreateResult(props["name"], _outputs(nothing, props))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outputs(olds, news))


class StepResource(Resource, module="runbook", name="Step"):
    """One step. Outputs as StepProvider says."""

    acted: pulumi.Output[str]
    evidence: pulumi.Output[str]
    failed: pulumi.Output[str]

    def __init__(self, name: str, inputs: Mapping[str, pulumi.Input[Any]], opts: pulumi.ResourceOptions) -> None:
        super().__init__(StepProvider(), name, {**inputs, "acted": None, "evidence": None, "failed": None}, opts)


@dataclass(frozen=True)
class StepsArgs:
    """`ledger`: what every step waits for."""

    plan: Plan
    ledger: pulumi.Resource
    reach: Reach


class Steps(pulumi.ComponentResource):
    """All steps of a plan. They and the declared groups wait for each other in turn, so each is made when it is asked
    for: `until` before the resources of a group, `met` after them, `rest` at the end."""

    def __init__(self, name: str, args: StepsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:cutover:Steps", name, None, opts)
        self._name, self._args = name, args
        self._planned = {step.name: step for step in args.plan.steps}
        self._made: dict[str, StepResource] = {}
        self._groups: dict[Group, list[pulumi.Resource]] = {group: [] for group in Group}
        self._waited_for: set[Group] = set()

    def until(self, group: Group) -> list[pulumi.Resource]:
        """What the resources of a group wait for: the ledger and steps."""
        return [self._args.ledger, *(self._step(name) for name in self._args.plan.after.get(group, ()))]

    def met(self, group: Group, resources: Sequence[pulumi.Resource]) -> None:
        """More resources of a group. Raises: RuntimeError where a step was made that should wait for them."""
        if group in self._waited_for:
            raise RuntimeError(f"A step that waits for {group} was declared before all of {group}.")
        self._groups[group].extend(resources)

    def rest(self) -> None:
        """Every step that nothing asked for."""
        for name in self._planned:
            self._step(name)
        self.register_outputs({})

    def _step(self, name: str) -> StepResource:
        if name not in self._made:
            self._made[name] = self._make(self._planned[name])
        return self._made[name]

    def _make(self, step: Step) -> StepResource:
        """Raises: KeyError for a step that the plan does not have."""
        waits: list[pulumi.Resource] = [self._args.ledger]
        for each in step.after:
            waits += self._groups[each] if isinstance(each, Group) else [self._step(each)]
        self._waited_for |= {each for each in step.after if isinstance(each, Group)}
        made = StepResource(
            f"{self._name}-{step.name}",
            {
                "name": step.name,
                "kind": step.kind.value,
                "trigger": step.trigger,
                "args": _json(step.args),
                "secrets": pulumi.Output.secret(
                    _json({name: value.get_secret_value() for name, value in step.secrets.items()})
                ),
                "reach": _json(self._args.reach.as_json()),
                "reads": {name: _kept(self._step(name)) for name in step.reads},
                "reported": step.reported,
                "undone": step.undone,
            },
            pulumi.ResourceOptions(parent=self, depends_on=waits),
        )
        made.failed.apply(lambda sentence: _warn(made, sentence))
        return made


def _kept(step: StepResource) -> dict[str, pulumi.Output[str]]:
    return {"acted": step.acted, "evidence": step.evidence, "failed": step.failed}


def _warn(step: StepResource, sentence: str) -> None:
    """Told from the program, which can name the step: a dynamic provider has no door to the terminal but stderr."""
    if sentence:
        pulumi.log.warn(f"{sentence}\nNothing waited for this; the next `pulumi up` tries it again.", resource=step)


def _is_due(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return bool(news["trigger"] != olds["acted"] and (news["trigger"] or news["undone"]))


def _outputs(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept after this create or update, which acts when it is due."""
    kept = {"acted": olds["acted"], "evidence": olds["evidence"], "failed": ""}
    if not _is_due(olds, news):
        return kept
    from runbook.steps.kinds import act  # with its HTTP client, which only a step that acts needs

    call = Call(
        name=news["name"],
        trigger=news["trigger"],
        args=json.loads(news["args"]),
        secrets=json.loads(news["secrets"]),
        reach=Reach.of(json.loads(news["reach"])),
        read={name: json.loads(kept["evidence"]) for name, kept in news["reads"].items()},
        acted={name: kept["acted"] for name, kept in news["reads"].items()},
        failed={name: kept["failed"] for name, kept in news["reads"].items()},
        before=json.loads(olds["evidence"]),
    )
    try:
        evidence = act(Kind(news["kind"]), call)
    except StepError as error:
        sentence = f"Step {call.name}: {error}"
        if not news["reported"]:
            raise StepError(sentence) from None
        return {**kept, "failed": sentence}
    return {"acted": call.trigger, "evidence": _json(evidence), "failed": ""}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
