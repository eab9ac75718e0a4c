"""The gRPC front end: one ResourceProvider per cloud, as the engine speaks to a provider plugin.

Source of the protocol: pulumi/provider.proto. What goes over the network here is what goes over the network in the
real providers; Check and Diff do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from runbook.rehearsal.clouds.behaviours import Aspect, Behaviour, Draft, Row
from runbook.rehearsal.clouds.faults import CloudError, Faults, How, Lost, Swallowed
from runbook.rehearsal.clouds.shapes import PACKAGES, problems, shape_of
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.wire import decode, encode

Lookup = Callable[[Store, Mapping[str, Any]], dict[str, Any]]
_ENGINES_OWN = ("version", "pluginDownloadURL", "__internal")


class Table(Protocol):
    """What a module such as `cloudflare` offers."""

    ROWS: list[Row]
    LOOKUPS: dict[str, Lookup]
    LOOKED_UP: str  # the configuration key that makes Configure ask the service

    def check_config(self, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]: ...


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one cloud by its table."""

    def __init__(self, cloud: str, table: Table, store: Store, faults: Faults) -> None:
        self.cloud, self.table, self.store, self.faults = cloud, table, store, faults
        self.behaviours = {kind: Behaviour(kind, table.ROWS) for kind in {row.kind for row in table.ROWS}}

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=version(PACKAGES[self.cloud]))

    def Handshake(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "The stand-ins attach without a handshake.")

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        config = {key: value for key, value in decode(request.news)[0].items() if key not in _ENGINES_OWN}
        unknown = [one for one in problems(shape_of(self.cloud), config) if "is not a property" in one[1]]
        # No property is named: the engine would print its value, and sends a token here without its secret mark.
        failures = [("", f"{name}: {reason}") for name, reason in [*unknown, *self.table.check_config(config)]]
        return self._checked(request, failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        if decode(request.args)[0].get(self.table.LOOKED_UP):
            self._meet("Configure", self.cloud, "", context)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        values = decode(request.news)[0]
        behaviour = self._behaviour(request.type, context)
        failures = list(problems(shape_of(request.type), values))
        return self._checked(request, failures or behaviour.refusals("check", self._draft(request.type, "", values)))

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = decode(request.old_inputs)[0], decode(request.news)[0]
        changes = self._behaviour(request.type, context).changes(
            self._draft(request.type, request.id, old), self._draft(request.type, request.id, new)
        )
        some = provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some,
            diffs=list(changes),
            replaces=[name for name, replaces in changes.items() if replaces],
            detailedDiff={
                name: provider_pb2.PropertyDiff(kind=_diff_kind(name in old, name in new, replaces), inputDiff=True)
                for name, replaces in changes.items()
            },
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        values, secrets = decode(request.properties)
        behaviour = self._behaviour(request.type, context)
        draft = self._draft(request.type, "", values)
        if request.preview:
            outputs = behaviour.outputs(draft, {}, True)
            return provider_pb2.CreateResponse(properties=encode(outputs, secrets | behaviour.secrets(outputs)))
        how = self._meet("Create", request.type, request.urn, context)
        with self.store.lock:
            self._refuse("apply", behaviour, draft, context)
            outputs = behaviour.outputs(draft, {}, False)
            id = behaviour.new_id(self._draft(request.type, "", outputs))
            held = Held(self.cloud, request.type, id, outputs, secrets | behaviour.secrets(outputs))
            self.store.put(held)
        self._lose(how, context)
        return provider_pb2.CreateResponse(id=id, properties=encode(outputs, held.secrets))

    def Update(self, request: Any, context: Any) -> Any:
        values, secrets = decode(request.news)
        behaviour = self._behaviour(request.type, context)
        draft = self._draft(request.type, request.id, values)
        outputs = behaviour.outputs(draft, decode(request.olds)[0], request.preview)
        held = Held(self.cloud, request.type, request.id, outputs, secrets | behaviour.secrets(outputs))
        if not request.preview:
            how = self._meet("Update", request.type, request.urn, context)
            with self.store.undone() if isinstance(how, Swallowed) else self.store.lock:
                if self.store.get(self.cloud, request.type, request.id) is None:
                    self._abort(context, f"404 Not Found: there is no {request.type} with the id {request.id}.")
                self._refuse("apply", behaviour, draft, context)
                self.store.put(held)
            self._lose(how, context)
        return provider_pb2.UpdateResponse(properties=encode(outputs, held.secrets))

    def Delete(self, request: Any, context: Any) -> Any:
        how = self._meet("Delete", request.type, request.urn, context)
        with self.store.undone() if isinstance(how, Swallowed) else self.store.lock:
            held = self.store.get(self.cloud, request.type, request.id)
            if held is not None:
                draft = self._draft(request.type, request.id, held.properties)
                self._refuse("delete", self._behaviour(request.type, context), draft, context)
                self.store.delete(self.cloud, request.type, request.id)
        self._lose(how, context)
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        self._meet("Read", request.type, request.urn, context)
        behaviour = self._behaviour(request.type, context)
        # An import may name the parents too, as in zone/record; an id alone is never cut.
        ids = (request.id, request.id.rpartition("/")[2])
        held = next(filter(None, (self.store.get(self.cloud, request.type, id) for id in ids)), None)
        if held is None:
            return provider_pb2.ReadResponse()  # an empty id says that the object is gone
        old_inputs, secrets = decode(request.inputs)
        outputs = behaviour.readable(
            self._draft(request.type, held.id, held.properties), decode(request.properties)[0]
        )
        inputs = behaviour.inputs_read(
            self._draft(request.type, held.id, outputs), self._draft(request.type, held.id, old_inputs)
        )
        secrets |= held.secrets
        return provider_pb2.ReadResponse(
            id=held.id, properties=encode(outputs, secrets), inputs=encode(inputs, secrets)
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        args = decode(request.args)[0]
        lookup = self.table.LOOKUPS.get(request.tok)
        if lookup is None:
            self._abort(context, f"The stand-in for {self.cloud} knows no lookup {request.tok}.")
        self._meet("Invoke", request.tok, json.dumps(args), context)
        try:
            answer: dict[str, Any] = {"return": encode(lookup(self.store, args))}  # a keyword of Python's
            return provider_pb2.InvokeResponse(**answer)
        except CloudError as error:
            self._abort(context, str(error))

    def _behaviour(self, kind: str, context: Any) -> Behaviour:
        if kind not in self.behaviours:
            self._abort(context, f"The stand-in for {self.cloud} knows no resource type {kind}.")
        return self.behaviours[kind]

    def _draft(self, kind: str, id: str, values: Mapping[str, Any]) -> Draft:
        return Draft(self.store, self.cloud, kind, id, values)

    def _checked(self, request: Any, failures: Iterable[tuple[str, str]]) -> Any:
        """The engine prints the value of a property that fails, a secret one in clear: such a one is not named."""
        secret = {path[0] for path in decode(request.news)[1]}
        made = []
        for name, reason in failures:
            if name.partition(".")[0].partition("[")[0] in secret:
                name, reason = "", reason.partition(", got: ")[0]
            made.append(provider_pb2.CheckFailure(property=name, reason=reason))
        return provider_pb2.CheckResponse(inputs=request.news, failures=made)

    def _refuse(self, aspect: Aspect, behaviour: Behaviour, draft: Draft, context: Any) -> None:
        refusals = behaviour.refusals(aspect, draft)
        if refusals:
            self._abort(context, "\n".join(sentence for _, sentence in refusals))

    def _meet(self, method: str, kind: str, name: str, context: Any) -> How | None:
        """A call over the network: it is counted, takes its time, and may go wrong. Gives how, where it is not
        refused: Swallowed, or Lost."""
        self.store.count(self.cloud, kind, method)
        try:
            self.faults.meet(self.cloud, method, kind, name)
        except CloudError as error:
            if not isinstance(error.how, Swallowed | Lost):
                self._abort(context, str(error))
            return error.how
        return None

    def _lose(self, how: How | None, context: Any) -> None:
        """It is done, and no answer comes."""
        if isinstance(how, Lost):
            self.faults.over.wait(how.seconds)
            self._abort(context, "The connection was lost.")

    def _abort(self, context: Any, sentence: str) -> NoReturn:
        context.abort(grpc.StatusCode.UNKNOWN, sentence)
        raise AssertionError  # abort has raised


def _diff_kind(was: bool, wanted: bool, replaces: bool) -> Any:
    kind = provider_pb2.PropertyDiff
    if was and wanted:
        return kind.UPDATE_REPLACE if replaces else kind.UPDATE
    if wanted:
        return kind.ADD_REPLACE if replaces else kind.ADD
    return kind.DELETE_REPLACE if replaces else kind.DELETE
