"""What Vercel and its provider do, row by row.

Where a source reads "provider source", the file is in github.com/vercel/terraform-provider-vercel, folder vercel.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, FOUND, OWN, SEEN, UNVERIFIED, Draft, Row, rows
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.faults import CloudError
from runbook.rehearsal.clouds.refusals import absent, between, matches, named, not_empty, one_of, one_value, taken
from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.wire import known

PROJECT = "vercel:index/project:Project"
DOMAIN = "vercel:index/projectDomain:ProjectDomain"
VARIABLE = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
RETENTION = "vercel:index/projectDeploymentRetention:ProjectDeploymentRetention"
LOG_DRAIN = "vercel:index/logDrain:LogDrain"
TRACE_DRAIN = "vercel:index/traceDrain:TraceDrain"
EDGE_CONFIG = "vercel:index/edgeConfig:EdgeConfig"
ITEM = "vercel:index/edgeConfigItem:EdgeConfigItem"
TOKEN = "vercel:index/edgeConfigToken:EdgeConfigToken"
_SOURCE = "provider source: resource_{}.go"
_PROJECTS, _DOMAINS = _SOURCE.format("project"), _SOURCE.format("project_domain")
_VARIABLES = _SOURCE.format("project_environment_variable")
_RETENTIONS = _SOURCE.format("project_deployment_retention")
_LOGS, _TRACES = _SOURCE.format("log_drain"), _SOURCE.format("trace_drain")
_EDGE, _ITEMS, _TOKENS = (_SOURCE.format(f"edge_config{end}") for end in ("", "_item", "_token"))
_SDK = "SDK: additional_secret_outputs"
_DOC = "SDK docstring"
_SOURCES = ("static", "edge", "external", "build", "lambda", "firewall", "redirect")
_PERIODS = ("1d", "1w", "1m", "2m", "3m", "6m", "1y", "unlimited")
# The real provider asks the service for this list, which grows: one that is new there may be missing here.
_FRAMEWORKS = """angular astro blitzjs brunch create-react-app django docusaurus docusaurus-2 dojo eleventy elysia
ember express fastapi fasthtml fastify flask gatsby go gridsome h3 hexo hono hugo hydrogen ionic-angular
ionic-react jekyll koa middleman nestjs nextjs nitro node nuxtjs parcel polymer preact python react-router
redwoodjs remix ruby rust saber sanity sanity-v3 sapper scully services solidstart solidstart-1 stencil storybook
svelte sveltekit sveltekit-1 tanstack-start umijs vite vitepress vue vuepress xmcp zola"""


def _new(prefix: str, length: int) -> Callable[[Draft], str]:
    return lambda _draft: prefix + secrets.token_hex(length)[:length]


def _sorted(_draft: Draft, value: list[Any]) -> list[Any]:
    return sorted(set(value))  # a set in the provider's schema: order and repetition say nothing


def _no_projects(draft: Draft) -> str | None:
    for id in draft["projectIds"] or []:
        if not draft.store.get("vercel", PROJECT, id):
            return f"not_found - There is no project for {id}."
    return None


def _git_type(draft: Draft) -> str | None:
    kind = (draft["gitRepository"] or {}).get("type")
    if kind in (None, "github", "gitlab", "bitbucket"):
        return None
    return f"gitRepository.type value must be one of: github, gitlab, bitbucket, got: {kind}."


def _assigned(draft: Draft) -> str | None:
    for other in draft.others(domain=draft["domain"]):
        whose = "the" if other.properties["projectId"] == draft["projectId"] else "another"
        return f"Cannot add {draft['domain']} since it's already assigned to {whose} project. (400)"
    return None


def _no_target(draft: Draft) -> str | None:
    if any(draft.values.get(name) for name in ("targets", "customEnvironmentIds")):
        return None
    return "At least one of target or custom_environment_ids must be set."


def _sensitive_in_development(draft: Draft) -> str | None:
    if not draft["sensitive"] or "development" not in (draft["targets"] or []):
        return None
    return "Sensitive environment variables cannot be created in the Development environment."


def _same_variable(draft: Draft) -> str | None:
    for other in draft.others(key=draft["key"], projectId=draft["projectId"], gitBranch=draft["gitBranch"]):
        if set(other.properties.get("targets", [])) & set(draft["targets"] or []):
            return (
                "ENV_ALREADY_EXISTS - Another Environment Variable with the same Name and Environment exists in "
                "your project. Remove it or choose a different Name or Environment."
            )
    return None


def _short_secret(draft: Draft) -> str | None:
    given = draft["secret"]
    return None if given is None or len(given) >= 32 else "secret string length must be at least 32."


def _rules(draft: Draft) -> str | None:
    for rule in draft.items("samplingRules"):
        if not 0 <= rule.get("rate", 0) <= 1:
            return f"samplingRules rate must be between 0 and 1, got: {rule['rate']}."
        if rule.get("environment") not in (None, "production", "preview"):
            return f"samplingRules environment must be one of: production, preview, got: {rule['environment']}."
    return None


def _team_rows(kind: str, source: str) -> list[Row]:
    return [*rows(kind, "replace", source, "teamId"), *rows(kind, "computed", UNVERIFIED, teamId="team_standin")]


_NO_PROJECT = absent(
    PROJECT,
    "projectId",
    "Could not find project, please make sure both the project_id and team_id match the project and team you wish "
    "to deploy to.",
)
_NO_EDGE_CONFIG = absent(EDGE_CONFIG, "edgeConfigId", "not_found - There is no edge config {edgeConfigId}.")
_TAKEN_NAME = taken("conflict - {name} already exists, please use a new name. (409)", "name")
_PROJECT_NAME = matches(
    "name",
    "[a-z0-9-]{1,100}",
    "The name of a Project can only contain up to 100 alphanumeric lowercase characters and hyphens.",
)
_EDGE_NAME = matches(
    "name",
    "[a-z0-9_-]{0,32}",
    "The name of an Edge Config can only contain up to 32 alphanumeric lowercase characters, hyphens and "
    "underscores.",
)
_HOST = matches(
    "domain",
    r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}",
    "bad_request - The domain name is not valid: give the name alone, without https:// and path.",
)
_URL = matches("endpoint", "https?://.+", "endpoint must be the whole URL that is sent to, starting with https://.")
_KEY = matches("key", "[A-Za-z0-9_-]{1,256}", "Key must be 1-256 chars: letters, numbers, '_' or '-'")
_TAKEN_KEY = taken("conflict - The edge config holds an item {key} already.", "edgeConfigId", "key")
_TOKEN_FORMAT = (
    "api_token (VERCEL_API_TOKEN) must be 24 characters and only contain characters 0-9 and a-f (all lowercased)"
)
_LABEL = matches("label", ".{1,52}", "label string length must be between 1 and 52.")

ROWS: list[Row] = [
    *rows(PROJECT, "id", _DOC, id=_new("prj_", 28)),
    *_team_rows(PROJECT, _PROJECTS),
    *rows(PROJECT, "default", _DOC, autoAssignCustomDomains=True, gitForkProtection=True),
    *rows(PROJECT, "held", UNVERIFIED, gitRepository=lambda _, value: {"productionBranch": "main"} | value),
    *rows(PROJECT, "check", _PROJECTS, name=_PROJECT_NAME),
    *rows(PROJECT, "check", OWN, name=named),
    *rows(PROJECT, "check", SEEN, framework=one_of("framework", *_FRAMEWORKS.split()), gitRepository=_git_type),
    *rows(PROJECT, "apply", UNVERIFIED, name=_TAKEN_NAME),
    *rows(DOMAIN, "id", _DOMAINS, id=lambda d: d["domain"]),
    *_team_rows(DOMAIN, _DOMAINS),
    *rows(DOMAIN, "replace", _DOMAINS, "domain", "projectId"),
    *rows(DOMAIN, "computed", UNVERIFIED, verified=True),
    *rows(DOMAIN, "check", SEEN, redirectStatusCode=one_of("redirectStatusCode", 301, 302, 307, 308)),
    *rows(DOMAIN, "apply", _DOMAINS, projectId=_NO_PROJECT),
    *rows(DOMAIN, "apply", UNVERIFIED, domain=_HOST),
    *rows(DOMAIN, "apply", API, domain=_assigned),
    *rows(VARIABLE, "id", UNVERIFIED, id=_new("", 16)),
    *_team_rows(VARIABLE, _VARIABLES),
    *rows(VARIABLE, "replace", SEEN, "key", "sensitive"),
    *rows(VARIABLE, "replace", _VARIABLES, "projectId"),
    *rows(VARIABLE, "replace", FOUND, "customEnvironmentIds"),
    *rows(VARIABLE, "computed", _DOC, visibility=lambda d: "secret" if d["sensitive"] else "config"),
    *rows(VARIABLE, "held", SEEN, targets=_sorted),
    *rows(VARIABLE, "held", UNVERIFIED, customEnvironmentIds=_sorted),
    *rows(VARIABLE, "secret", _SDK, "value", "valueWo"),
    *rows(VARIABLE, "unreadable", _VARIABLES, value=lambda d: d["sensitive"], valueWo=lambda _: True),
    *rows(VARIABLE, "check", SEEN, targets=one_of("targets", "production", "preview", "development")),
    *rows(VARIABLE, "check", SEEN, sensitive=_sensitive_in_development),
    *rows(VARIABLE, "check", _DOC, value=one_value("value", "valueWo"), targets=_no_target),
    *rows(VARIABLE, "check", _DOC, visibility=one_of("visibility", "config", "secret")),
    *rows(VARIABLE, "apply", _VARIABLES, projectId=_NO_PROJECT),
    *rows(VARIABLE, "apply", API, key=_same_variable),
    *rows(RETENTION, "id", _RETENTIONS, id=lambda d: f"{d['teamId']}/{d['projectId']}"),
    *_team_rows(RETENTION, _RETENTIONS),
    *rows(RETENTION, "replace", _RETENTIONS, "projectId"),
    *rows(RETENTION, "default", _RETENTIONS, expirationPreview="6m", expirationProduction="1y"),
    *rows(RETENTION, "default", _RETENTIONS, expirationCanceled="1m", expirationErrored="3m"),
    *[
        row
        for name in ("Preview", "Production", "Canceled", "Errored")
        for row in rows(
            RETENTION, "check", _RETENTIONS, **{f"expiration{name}": one_of(f"expiration{name}", *_PERIODS)}
        )
    ],
    *rows(RETENTION, "apply", _RETENTIONS, projectId=_NO_PROJECT),
    *rows(LOG_DRAIN, "id", _DOC, id=_new("ld_", 32)),
    *_team_rows(LOG_DRAIN, _LOGS),
    *rows(LOG_DRAIN, "replace", _LOGS, "deliveryFormat", "endpoint", "environments", "headers", "name"),
    *rows(LOG_DRAIN, "replace", _LOGS, "projectIds", "samplingRate", "secret", "sources"),
    *rows(LOG_DRAIN, "held", _LOGS, environments=_sorted, sources=_sorted, projectIds=_sorted),
    *rows(LOG_DRAIN, "computed", _LOGS, secret=_new("", 32)),
    *rows(LOG_DRAIN, "secret", _SDK, "secret", "headers"),
    *rows(LOG_DRAIN, "unreadable", _LOGS, "secret"),
    *rows(LOG_DRAIN, "check", OWN, name=named),
    *rows(LOG_DRAIN, "check", _LOGS, deliveryFormat=one_of("deliveryFormat", "json", "ndjson")),
    *rows(LOG_DRAIN, "check", _LOGS, environments=one_of("environments", "production", "preview")),
    *rows(LOG_DRAIN, "check", _LOGS, environments=not_empty("environments"), sources=not_empty("sources")),
    *rows(LOG_DRAIN, "check", _LOGS, sources=one_of("sources", *_SOURCES)),
    *rows(LOG_DRAIN, "check", _LOGS, samplingRate=between("samplingRate", 0, 1)),
    *rows(LOG_DRAIN, "check", _LOGS, secret=_short_secret),
    *rows(LOG_DRAIN, "apply", UNVERIFIED, endpoint=_URL, projectIds=_no_projects),
    *rows(TRACE_DRAIN, "id", _DOC, id=_new("drn_", 32)),
    *_team_rows(TRACE_DRAIN, _TRACES),
    *rows(TRACE_DRAIN, "replace", _TRACES, "deliveryFormat", "endpoint", "headers", "name", "projectIds"),
    *rows(TRACE_DRAIN, "replace", _TRACES, "samplingRules", "secret"),
    *rows(TRACE_DRAIN, "held", _TRACES, projectIds=_sorted),
    *rows(TRACE_DRAIN, "computed", _TRACES, secret=_new("", 32)),
    *rows(TRACE_DRAIN, "secret", _SDK, "secret", "headers"),
    *rows(TRACE_DRAIN, "unreadable", _TRACES, "secret"),
    *rows(TRACE_DRAIN, "check", OWN, name=named),
    *rows(TRACE_DRAIN, "check", _TRACES, deliveryFormat=one_of("deliveryFormat", "json", "proto")),
    *rows(TRACE_DRAIN, "check", _TRACES, samplingRules=_rules, secret=_short_secret),
    *rows(TRACE_DRAIN, "apply", UNVERIFIED, endpoint=_URL, projectIds=_no_projects),
    *rows(EDGE_CONFIG, "id", _DOC, id=_new("ecfg_", 28)),
    *_team_rows(EDGE_CONFIG, _EDGE),
    *rows(EDGE_CONFIG, "check", OWN, name=named),
    *rows(EDGE_CONFIG, "check", _EDGE, name=_EDGE_NAME),
    *rows(EDGE_CONFIG, "apply", UNVERIFIED, name=_TAKEN_NAME),
    *rows(ITEM, "id", _ITEMS, id=lambda d: f"{d['edgeConfigId']}/{d['key']}"),
    *_team_rows(ITEM, FOUND),
    *rows(ITEM, "replace", _ITEMS, "edgeConfigId", "key", "value", "valueJson"),
    *rows(ITEM, "check", _ITEMS, value=one_value("value", "valueJson"), key=_KEY),
    *rows(ITEM, "apply", UNVERIFIED, edgeConfigId=_NO_EDGE_CONFIG, key=_TAKEN_KEY),
    *rows(TOKEN, "id", UNVERIFIED, id=lambda _: str(uuid.uuid4())),
    *_team_rows(TOKEN, _TOKENS),
    *rows(TOKEN, "replace", _TOKENS, "edgeConfigId", "label"),
    *rows(TOKEN, "computed", UNVERIFIED, token=lambda _: str(uuid.uuid4())),
    *rows(
        TOKEN, "computed", UNVERIFIED,
        connectionString=lambda d: f"https://edge-config.vercel.com/{d['edgeConfigId']}?token={d['token']}",
    ),
    *rows(TOKEN, "secret", _SDK, "token", "connectionString"),
    *rows(TOKEN, "check", _TOKENS, label=_LABEL),
    *rows(TOKEN, "apply", UNVERIFIED, edgeConfigId=_NO_EDGE_CONFIG),
]  # fmt: skip


def check_config(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Refusals of the provider's own configuration. Source: provider source, provider.go."""
    token = config.get("apiToken") or ""
    if not token:
        yield "apiToken", "Unable to find api_token: api_token cannot be an empty string"
    elif known(token) and not re.search("[0-9a-zA-Z]{24}", token):
        yield "apiToken", _TOKEN_FORMAT


def get_domain_config(store: Store, args: Mapping[str, Any]) -> dict[str, Any]:
    """What a domain's DNS should be, and whether the records that the store holds say so (misconfigured)."""
    number = uuid.uuid5(uuid.NAMESPACE_DNS, args["domain"])
    cname, addresses = f"{number.hex[:16]}.vercel-dns-017.com", ["216.150.1.1", "216.150.16.1"]
    records = store.find("cloudflare", RECORD, name=args["domain"])
    right = any(record.properties.get("content") in (cname, *addresses) for record in records)
    answer = {"id": args["domain"], "misconfigured": not right, "recommendedCname": cname}
    return dict(args) | answer | {"recommendedIpv4s": addresses}


def get_project(store: Store, args: Mapping[str, Any]) -> dict[str, Any]:
    for project in store.find("vercel", PROJECT, name=args["name"]):
        return project.properties | {"id": project.id}
    raise CloudError(f"not_found - There is no project for {args['name']}.")


LOOKED_UP = "team"  # provider source, provider.go
LOOKUPS: dict[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {
    "vercel:index/getDomainConfig:getDomainConfig": get_domain_config,
    "vercel:index/getProject:getProject": get_project,
}
