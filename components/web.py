"""Apps on Vercel: projects, domains, env vars, retention, drains and feature switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumiverse_vercel as vercel
from pydantic import SecretStr

from components.secrets import given, only_secret
from components.steps import Steps
from runbook.model.alerting import base_name
from runbook.model.cutover.step import Group
from runbook.model.platform import Platform
from runbook.model.serving import DrainTarget, Web, log_drain, trace_drain
from runbook.model.settings import Settings

# What Vercel can send; firewall and redirect lines are Cloudflare's work here.
LOG_SOURCES = ["build", "edge", "external", "lambda", "static"]


@dataclass(frozen=True)
class FlagsArgs:
    """`values`: switch name to whether it is on."""

    store_name: str
    values: Mapping[str, bool]

    @classmethod
    def of(cls, settings: Settings) -> FlagsArgs:
        return cls(f"{base_name(settings)}-flags", settings.flags)


class Flags(pulumi.ComponentResource):
    """The platform's feature switches in one Edge Config, which apps read through `connection` without a redeploy."""

    connection: pulumi.Output[str]

    def __init__(self, name: str, args: FlagsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:web:Flags", name, None, opts)
        store = vercel.EdgeConfig(f"{name}-store", name=args.store_name, opts=pulumi.ResourceOptions(parent=self))
        for flag, on in args.values.items():
            vercel.EdgeConfigItem(
                f"{name}-{flag}",
                edge_config_id=store.id,
                key=flag,
                value_json=on,
                # Every property replaces, and a key cannot stand twice: for a moment the app has its default.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
        token = vercel.EdgeConfigToken(
            f"{name}-token",
            edge_config_id=store.id,
            label=args.store_name,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["connectionString", "token"]),
        )
        self.connection = pulumi.Output.secret(token.connection_string)
        # Not the connection: the SDK writes registered outputs into its debug log, secret ones in the clear.
        self.register_outputs({"storeId": store.id})


@dataclass(frozen=True)
class WebAppArgs:
    """`flags`: connection string of the switches, for an app that reads them. `steps`: what its env waits for in a
    cutover, and what waits for it."""

    web: Web
    flags: pulumi.Input[str] | None
    steps: Steps


class WebApp(pulumi.ComponentResource):
    """One app on Vercel. Project and domain serve, so they are protected. The company deploys with Vercel's own
    tools: no Deployment is declared here, and an env change reaches no running build."""

    project_id: pulumi.Output[str]

    def __init__(self, name: str, args: WebAppArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:web:App", name, None, opts)
        serving = pulumi.ResourceOptions(parent=self, protect=True)
        project = vercel.Project(
            f"{name}-project",
            name=args.web.project,
            framework=args.web.framework,
            root_directory=args.web.root_directory,
            auto_assign_custom_domains=True,
            opts=serving,
        )
        self.project_id = project.id
        vercel.ProjectDomain(f"{name}-domain", project_id=project.id, domain=args.web.host, opts=serving)
        self._waits = args.steps.until(Group.ENV)
        made = [
            self._variable(f"{name}-env-{env.key}", env.key, given(env.value), env.targets, env.sensitive)
            for env in args.web.env
        ]
        args.steps.met(Group.ENV, made)
        if args.flags is not None:
            self._variable(f"{name}-env-EDGE_CONFIG", "EDGE_CONFIG", args.flags, args.web.targets, sensitive=True)
        vercel.ProjectDeploymentRetention(
            f"{name}-retention",
            project_id=project.id,
            expiration_production=args.web.retention,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"projectId": self.project_id})

    def _variable(
        self, name: str, key: str, value: pulumi.Input[str], targets: Sequence[str], sensitive: bool
    ) -> vercel.ProjectEnvironmentVariable:
        return vercel.ProjectEnvironmentVariable(
            name,
            project_id=self.project_id,
            key=key,
            value=value,
            targets=list(targets),
            sensitive=sensitive,
            # A changed key or sensitivity replaces, and a twin created first would be refused.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=self._waits),
        )


@dataclass(frozen=True)
class DrainsArgs:
    """`secret` signs what is sent, so that the receiver can tell it from anyone's POST."""

    logs: DrainTarget
    traces: DrainTarget | None
    secret: SecretStr
    project_ids: Sequence[pulumi.Input[str]]

    @classmethod
    def of(cls, platform: Platform, settings: Settings, project_ids: Sequence[pulumi.Input[str]]) -> DrainsArgs:
        return cls(
            logs=log_drain(platform, settings),
            traces=trace_drain(platform, settings),
            secret=settings.secrets["LOG_DRAIN_SECRET"],
            project_ids=project_ids,
        )


class Drains(pulumi.ComponentResource):
    """Vercel's log drain, and its trace drain where the platform has one. Vercel calls the endpoint when the drain is
    made and wants x-vercel-verify back: an endpoint that does not answer fails the `up`."""

    def __init__(self, name: str, args: DrainsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:web:Drains", name, None, opts)
        vercel.LogDrain(
            f"{name}-logs",
            name=args.logs.name,
            endpoint=args.logs.endpoint,
            delivery_format="json",
            environments=list(args.logs.environments),
            sources=LOG_SOURCES,
            secret=only_secret(args.secret),
            project_ids=args.project_ids,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if args.traces is not None:
            vercel.TraceDrain(
                f"{name}-traces",
                name=args.traces.name,
                endpoint=args.traces.endpoint,
                delivery_format="proto",
                secret=only_secret(args.secret),
                project_ids=args.project_ids,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
