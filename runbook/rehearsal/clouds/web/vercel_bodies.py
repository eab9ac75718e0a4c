"""What POST /v13/deployments takes. Source: the schema of its body in Vercel's API documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.web.asking import Fact, Refusal, Refused

_SCHEMA = "https://vercel.com/docs/rest-api/deployments/create-a-new-deployment; the text is unverified"
EXTRA = Refusal(400, "bad_request", "Invalid request: should NOT have additional property `{name}`.", _SCHEMA)
MISSING = Refusal(400, "bad_request", "Invalid request: missing required property `{name}`.", _SCHEMA)
WRONG = Refusal(400, "bad_request", "Invalid request: `{name}` should be {what}.", _SCHEMA)
NO_SOURCE = Refusal(400, "bad_request", "Give one of gitSource, deploymentId: there is nothing to build.", UNVERIFIED)
SOURCE = Fact("A gitSource names its repository by repoId, or by org and repo.", _SCHEMA)
TEXTS = Fact("Values of env, build.env and meta are strings.", _SCHEMA)

_KNOWN = {
    "autoAssignCustomDomains", "build", "customEnvironmentSlugOrId", "deploymentId", "env", "files", "gitMetadata",
    "gitSource", "meta", "monorepoManager", "name", "project", "projectSettings", "regions", "target",
    "withLatestCommit",
}  # fmt: skip


def check(body: Mapping[str, Any]) -> None:
    """Raises: Refused, for the first thing in the body that the schema does not allow."""
    for name in body:
        if name not in _KNOWN:
            raise Refused(EXTRA, name=name)
    if not isinstance(body.get("name"), str):
        raise Refused(MISSING, name="name")
    if body.get("target") not in (None, "production", "preview", "staging"):
        raise Refused(WRONG, name="target", what="one of production, preview, staging")
    if not isinstance(body.get("autoAssignCustomDomains", True), bool):
        raise Refused(WRONG, name="autoAssignCustomDomains", what="boolean")
    if not isinstance(body.get("build", {}), dict):
        raise Refused(WRONG, name="build", what="object")
    for name, texts in (("env", body), ("meta", body), ("env", body.get("build", {}))):
        _texts(name, texts.get(name, {}))
    _source(body)


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise Refused(WRONG, name=name, what="object of strings")


def _source(body: Mapping[str, Any]) -> None:
    source = body.get("gitSource")
    if source is None:
        if "deploymentId" not in body:
            raise Refused(NO_SOURCE)
        return
    if not isinstance(source, dict) or source.get("type") not in ("github", "gitlab", "bitbucket"):
        raise Refused(WRONG, name="gitSource.type", what="one of github, gitlab, bitbucket")
    if not (source.get("repoId") or (source.get("org") and source.get("repo"))):
        raise Refused(MISSING, name="gitSource.repoId")
