"""The gRPC front end: one ResourceProvider per cloud, as the engine speaks to a provider plugin.

Source of the protocol: pulumi/provider.proto. What goes over the network here is what goes over the network in the
real providers; Check and Diff do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from runbook.rehearsal.clouds.behaviours import Behaviour, Draft
from runbook.rehearsal.clouds.faults import CloudError, Faults
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.wire import decode, encode

Lookup = Callable[[Store, Mapping[str, Any]], dict[str, Any]]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one cloud. `behaviours` and `lookups` are keyed by token."""

    def __init__(
        self,
        cloud: str,
        version: str,
        store: Store,
        faults: Faults,
        behaviours: Mapping[str, Behaviour],
        lookups: Mapping[str, Lookup],
    ) -> None:
        self.cloud, self.version, self.store, self.faults = cloud, version, store, faults
        self.behaviours, self.lookups = behaviours, lookups

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        draft = self._draft(request.type, "", decode(request.news)[0])
        failures = self._behaviour(request.type, context).refusals("check", draft)
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures],
        )

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = decode(request.old_inputs)[0], decode(request.news)[0]
        changes = self._behaviour(request.type, context).changes(
            self._draft(request.type, request.id, old), self._draft(request.type, request.id, new)
        )
        changes = {name: replaces for name, replaces in changes.items() if name not in request.ignoreChanges}
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
            return provider_pb2.CreateResponse(properties=encode(behaviour.outputs(draft, {}, True), secrets))
        self._over_the_network("Create", request, context)
        self._refuse(behaviour, draft, context)
        outputs = behaviour.outputs(draft, {}, False)
        id = behaviour.new_id(self._draft(request.type, "", outputs))
        self.store.put(Held(self.cloud, request.type, id, outputs, secrets))
        return provider_pb2.CreateResponse(id=id, properties=encode(outputs, secrets))

    def Update(self, request: Any, context: Any) -> Any:
        values, secrets = decode(request.news)
        behaviour = self._behaviour(request.type, context)
        draft = self._draft(request.type, request.id, values)
        outputs = behaviour.outputs(draft, decode(request.olds)[0], request.preview)
        if not request.preview:
            self._over_the_network("Update", request, context)
            if self.store.get(self.cloud, request.type, request.id) is None:
                self._abort(context, f"404 Not Found: there is no {request.type} with the id {request.id}.")
            self._refuse(behaviour, draft, context)
            self.store.put(Held(self.cloud, request.type, request.id, outputs, secrets))
        return provider_pb2.UpdateResponse(properties=encode(outputs, secrets))

    def Delete(self, request: Any, context: Any) -> Any:
        self._over_the_network("Delete", request, context)
        self.store.delete(self.cloud, request.type, request.id)
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        self._over_the_network("Read", request, context)
        held = self.store.get(self.cloud, request.type, request.id)
        if held is None:
            return provider_pb2.ReadResponse()  # an empty id says that the object is gone
        old_inputs, secrets = decode(request.inputs)
        outputs = self._behaviour(request.type, context).readable(held, decode(request.properties)[0])
        inputs = {name: value for name, value in outputs.items() if name in old_inputs}
        secrets |= held.secrets
        return provider_pb2.ReadResponse(
            id=held.id, properties=encode(outputs, secrets), inputs=encode(inputs, secrets)
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        args = decode(request.args)[0]
        lookup = self.lookups.get(request.tok)
        if lookup is None:
            self._abort(context, f"The stand-in for {self.cloud} knows no lookup {request.tok}.")
        self._meet("Invoke", request.tok, json.dumps(args), context)
        try:
            return provider_pb2.InvokeResponse(**{"return": encode(lookup(self.store, args))})
        except CloudError as error:
            self._abort(context, str(error))

    def _behaviour(self, kind: str, context: Any) -> Behaviour:
        if kind not in self.behaviours:
            self._abort(context, f"The stand-in for {self.cloud} knows no resource type {kind}.")
        return self.behaviours[kind]

    def _draft(self, kind: str, id: str, values: Mapping[str, Any]) -> Draft:
        return Draft(self.store, self.cloud, kind, id, values)

    def _refuse(self, behaviour: Behaviour, draft: Draft, context: Any) -> None:
        refusals = behaviour.refusals("apply", draft)
        if refusals:
            self._abort(context, "\n".join(sentence for _, sentence in refusals))

    def _over_the_network(self, method: str, request: Any, context: Any) -> None:
        self._meet(method, request.type, request.urn, context)

    def _meet(self, method: str, kind: str, name: str, context: Any) -> None:
        self.store.count(self.cloud, kind, method)
        try:
            self.faults.meet(self.cloud, method, kind, name)
        except CloudError as error:
            self._abort(context, str(error))

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
