"""From the raw stack config to typed settings: everything wrong is found in one go, or nothing is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from runbook.model.checks import CHECKS, secret_command
from runbook.model.platform import Platform
from runbook.model.problems import ConfigError, Problem, path
from runbook.model.settings import Settings

_KEYS = {field.alias or name: name for name, field in Settings.model_fields.items()}


def platform_name(stack: str, raw: Mapping[str, Any], known: Sequence[str]) -> str:
    """Name of the stack's platform; nothing else can be judged before it is known. Raises: ConfigError."""
    name = raw.get("platform")
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 1) or known
        edit = f"Write {near[0]}, or add runbook/platforms/{name}.py." if name else f"Add platform: {near[0]}."
        raise ConfigError(stack, [Problem(path("platform"), name, f"One of {', '.join(known)}.", edit)])
    return str(name)


def read(stack: str, raw: Mapping[str, Any], platform: Platform, in_clear: Collection[str] = ()) -> Settings:
    """Settings from a stack's config without its namespace.

    `in_clear`: names under `secrets` that stand unencrypted in the stack file. Each section is parsed by itself and
    the checks across sections run on those that are sound, so a typo in one place hides no mistake in another.

    Raises: ConfigError with every problem found.
    """
    problems = [_unknown((), key, list(_KEYS)) for key in raw if key not in _KEYS]
    sound: dict[str, Any] = {}
    for key, name in _KEYS.items():
        field = Settings.model_fields[name]
        if key in raw:
            try:
                sound[name] = TypeAdapter(cast(Any, field.annotation)).validate_python(raw[key])
            except ValidationError as error:
                problems += [_problem((key, *detail["loc"]), detail) for detail in error.errors()]
        elif field.is_required():
            problems.append(Problem(path(key), None, field.description or "It must be given.", f"Add {key}."))
        else:
            sound[name] = field.get_default()
    settings = Settings.model_construct(**sound)
    for needs, check in CHECKS:
        if needs <= sound.keys():
            problems += check(platform, settings)
    problems += [
        Problem(path("secrets", name), "(not shown)", "A Pulumi secret, never clear text.", secret_command(name))
        for name in sorted(in_clear)
    ]
    if problems:
        raise ConfigError(stack, problems)
    return settings


def _problem(location: Sequence[str | int], error: ErrorDetails) -> Problem:
    parts, known = _resolve(location)
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "refused":
        return Problem(path(*parts), value, context["allowed"], context["edit"])
    if kind == "missing":
        return Problem(path(*parts), None, "It must be given.", f"Add {parts[-1]}.")
    if kind == "extra_forbidden":
        return _unknown(parts[:-1], str(parts[-1]), known)
    if parts[0] == "secrets":
        value = "(not shown)"
    return Problem(path(*parts), value, error["msg"] + ".", "Write such a value.")


def _unknown(parts: Sequence[str | int], key: str, known: Sequence[str]) -> Problem:
    near = difflib.get_close_matches(key, known, 1)
    edit = f"Write {near[0]} instead of {key}." if near else f"Remove {key}."
    return Problem(path(*parts, key), "…", f"Known here: {', '.join(known)}.", edit)


def _resolve(location: Sequence[str | int]) -> tuple[list[str | int], list[str]]:
    """A location as in the stack file (pydantic adds the kind of a union's member), and its parent's keys."""
    schema = Settings.model_json_schema()
    node: dict[str, Any] = schema
    parts: list[str | int] = []
    known: list[str] = []
    for part in location:
        node = _referred(schema, node)
        if "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = {"$ref": node["discriminator"]["mapping"][part]}
            continue
        known = list(node.get("properties", {}))
        parts.append(part)
        inner = node.get("additionalProperties") or node.get("items") or {}
        node = node.get("properties", {}).get(part, inner if isinstance(inner, dict) else {})
    return [part for part in parts if part != "[key]"], known


def _referred(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:  # an optional value: the other choice is null
        node = node["anyOf"][0]
    return schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
