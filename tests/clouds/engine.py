"""The stand-ins over real gRPC, without the engine: a client that says what the engine would say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.store import SecretPath
from runbook.rehearsal.clouds.wire import decode, encode

NONE: frozenset[SecretPath] = frozenset()


class Engine:
    """Calls the provider of the type's cloud; values go in and come out plain, secrets as paths."""

    def __init__(self, clouds: Clouds) -> None:
        self.clouds = clouds
        ports = dict(one.split(":") for one in clouds.env()["PULUMI_DEBUG_PROVIDERS"].split(","))
        self._channels = {cloud: grpc.insecure_channel(f"127.0.0.1:{port}") for cloud, port in ports.items()}
        self._stubs = {
            cloud: provider_pb2_grpc.ResourceProviderStub(channel) for cloud, channel in self._channels.items()
        }

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def stub(self, kind: str) -> Any:
        return self._stubs[kind.partition(":")[0]]

    def check(self, kind: str, values: Mapping[str, Any], *, secrets: frozenset[SecretPath] = NONE) -> dict[str, str]:
        response = self.stub(kind).Check(pb.CheckRequest(type=kind, news=encode(dict(values), secrets)))
        return {failure.property: failure.reason for failure in response.failures}

    def check_config(self, cloud: str, config: dict[str, Any]) -> list[str]:
        response = self.stub(cloud).CheckConfig(pb.CheckRequest(news=encode(config)))
        assert {failure.property for failure in response.failures} <= {""}
        return [failure.reason for failure in response.failures]

    def diff(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, bool]:
        """The changed properties, each with whether it replaces."""
        request = pb.DiffRequest(id="x", type=kind, old_inputs=encode(dict(old)), news=encode(dict(new)))
        response = self.stub(kind).Diff(request)
        replacing = (pb.PropertyDiff.ADD_REPLACE, pb.PropertyDiff.UPDATE_REPLACE, pb.PropertyDiff.DELETE_REPLACE)
        found = {name: one.kind in replacing for name, one in response.detailedDiff.items()}
        assert [name for name, replaces in found.items() if replaces] == list(response.replaces)
        assert (response.changes == pb.DiffResponse.DIFF_SOME) == bool(found)
        return found

    def create(
        self, kind: str, values: Mapping[str, Any], *, secrets: frozenset[SecretPath] = NONE, preview: bool = False
    ) -> tuple[str, dict[str, Any], frozenset[SecretPath]]:
        request = pb.CreateRequest(
            type=kind, urn=f"urn::{kind}::one", properties=encode(dict(values), secrets), preview=preview
        )
        response = self.stub(kind).Create(request)
        return (response.id, *decode(response.properties))

    def update(
        self, kind: str, id: str, old: Mapping[str, Any], new: Mapping[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        request = pb.UpdateRequest(
            type=kind, id=id, urn="urn", olds=encode(dict(old)), news=encode(dict(new)), preview=preview
        )
        return decode(self.stub(kind).Update(request).properties)[0]

    def read(
        self, kind: str, id: str, inputs: Mapping[str, Any] | None = None, state: Mapping[str, Any] | None = None
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """(id, inputs, outputs) as they are now; an id of "" says that the object is gone."""
        request = pb.ReadRequest(
            type=kind, id=id, urn="urn", inputs=encode(dict(inputs or {})), properties=encode(dict(state or {}))
        )
        response = self.stub(kind).Read(request)
        return response.id, decode(response.inputs)[0], decode(response.properties)[0]

    def delete(self, kind: str, id: str) -> None:
        self.stub(kind).Delete(pb.DeleteRequest(type=kind, id=id, urn="urn"))

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        response = self.stub(token).Invoke(pb.InvokeRequest(tok=token, args=encode(args)))
        return decode(getattr(response, "return"))[0]

    def refusal(self, kind: str, values: Mapping[str, Any], **options: Any) -> str:
        """The sentence with which a create is refused."""
        with pytest.raises(grpc.RpcError) as caught:
            self.create(kind, values, **options)
        return str(caught.value.details())

    def held(self, kind: str) -> list[Held]:
        return self.clouds.store.find(kind.partition(":")[0], kind)
