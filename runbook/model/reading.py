"""From the raw stack config to typed settings: everything wrong is found in one go, or nothing is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from runbook.model.checks import CHECKS
from runbook.model.cutover import checks as _cutover_checks  # noqa: F401  (registers its checks)
from runbook.model.platform import Platform
from runbook.model.problems import ConfigError, Problem, Said, nearest, path
from runbook.model.secrets_needed import in_the_clear, secret_command
from runbook.model.settings import Settings

_KINDS = {
    "array": "A list.",
    "object": "A section of names and values.",
    "boolean": "true or false.",
}
_SCALARS = ("string", "integer", "boolean")
_KEYS = {field.alias or name: name for name, field in Settings.model_fields.items()}


def platform_name(stack: str, raw: Mapping[str, Any], known: Sequence[str]) -> str:
    """Name of the stack's platform; nothing else can be judged before it is known. Raises: ConfigError."""
    name = raw.get("platform")
    if name not in known:
        edit = f"Write {nearest(name, known) or 'one of these'}, or add the file runbook/platforms/{name}.py."
        problem = Problem(
            path("platform"),
            Said.MISSING if name is None else name,
            f"One of {', '.join(known)}.",
            "Add platform." if name is None else edit,
        )
        raise ConfigError(stack, [problem])
    return str(name)


def read(stack: str, raw: Mapping[str, Any], platform: Platform, in_clear: Collection[str] = ()) -> Settings:
    """Settings from a stack's config without its namespace.

    `in_clear`: names under `secrets` that stand unencrypted in the stack file. Each section is parsed by itself and
    the checks across sections run on those that are sound, so a typo in one place hides no mistake in another.

    Raises: ConfigError with every problem found.
    """
    sound, problems = sections(raw)
    settings = Settings.model_construct(**sound)
    for needs, check in CHECKS:
        if needs <= sound.keys():
            problems += check(platform, settings)
    if isinstance(raw.get("secrets"), Mapping):
        problems += [in_the_clear(name) for name in sorted(set(in_clear) & raw["secrets"].keys())]
    if problems:
        raise ConfigError(stack, sorted(problems, key=_place))
    return settings


def sections(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The sections that are sound in themselves, by their name in `Settings`, and what is wrong with the others."""
    problems = [_unknown((), key, list(_KEYS)) for key in raw if key not in _KEYS]
    sound: dict[str, Any] = {}
    for key, name in _KEYS.items():
        if key in raw:
            try:
                sound[name] = _adapter(name).validate_python(raw[key])
            except ValidationError as error:
                problems += [_problem((key, *detail["loc"]), detail) for detail in error.errors()]
        elif Settings.model_fields[name].is_required():
            problems.append(_missing((key,)))
        else:
            sound[name] = Settings.model_fields[name].get_default()
    return sound, problems


def _place(problem: Problem) -> tuple[int, list[str | int]]:
    """Where it stands in a stack file, whatever order the engine hands the keys over in: unknown sections come first,
    the tenth entry of a list after the second."""
    text = problem.path.partition(":")[2]
    section = re.split(r"[.\[]", text)[0]
    known = list(_KEYS)
    parts = re.split(r"(\d+)", text)
    return known.index(section) if section in known else -1, [
        int(part) if part.isdecimal() else part for part in parts
    ]


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Parses one section. `annotation` alone lacks the validators of an annotated field: they are its metadata."""
    field = Settings.model_fields[name]
    typed: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(typed)


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema()


def _problem(location: Sequence[str | int], error: ErrorDetails) -> Problem:
    parts, parent, node = _resolve(location)
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    at = path(*parts)
    if kind == "missing":
        return _missing(location)
    if kind == "extra_forbidden":
        return _unknown(parts[:-1], str(parts[-1]), list(parent.get("properties", {})))
    if location[-1] == "[key]":
        value = Said.MISNAMED
    elif parts[0] == "secrets" or parts[:2] == ["current", "env"] or parts[:3] == ["cutover", "next", "env"]:
        value = Said.HIDDEN
    if kind == "refused":
        return Problem(at, context["said"] or value, context["allowed"], context["edit"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kinds = list(node["discriminator"]["mapping"])
        given = value.get("kind", Said.MISSING) if isinstance(value, Mapping) else value
        return Problem(f"{at}.kind", given, f"One of {', '.join(kinds)}.", _choice(given, kinds))
    if parts[0] == "secrets":
        at_once = "Remove it; the next preview then shows a command for each secret."
        return Problem(at, value, _allowed(node), secret_command(str(parts[1])) if parts[1:] else at_once)
    if isinstance(value, str) and node.get("type") not in _SCALARS:  # a secret that was indented to a wrong place
        value = Said.TEXT
    return Problem(at, value, _allowed(node), _edit(node, value))


def _missing(location: Sequence[str | int]) -> Problem:
    parts, _, node = _resolve(location)
    return Problem(path(*parts), Said.MISSING, _allowed(node), f"Add {parts[-1]}.")


def _unknown(parts: Sequence[str | int], key: str, known: Sequence[str]) -> Problem:
    near = nearest(key, known)
    edit = f"Write {near} instead of {key}." if near else f"Remove {key}."
    return Problem(path(*parts, key), Said.UNKNOWN, f"Only {', '.join(known)}.", edit)


def _allowed(node: Mapping[str, Any]) -> str:
    """What the JSON schema says of a place, in sentences."""
    kind, least, most = node.get("type"), node.get("minimum"), node.get("maximum")
    if "discriminator" in node:
        return f"A section whose kind is one of {', '.join(node['discriminator']['mapping'])}."
    if "properties" in node:  # its description is of the class, for readers of the code
        return f"A section of {', '.join(node['properties'])}."
    if "enum" in node:
        text = f"One of {', '.join(node['enum'])}."
    elif kind == "integer":
        text = "A whole number" + (
            "." if least is None else f", {least} or more." if most is None else f" from {least} to {most}."
        )
    elif node.get("minItems"):
        text = "A list with at least one entry."
    else:
        text = _KINDS.get(str(kind), "A text.")
    return f"{text} {node['description']}" if "description" in node else text


def _edit(node: Mapping[str, Any], value: object) -> str:
    if "enum" in node:
        return _choice(value, node["enum"])
    if node.get("type") == "string" and isinstance(value, (int, float)):
        return f'Write it in quotes: "{value}".'
    return {
        "integer": "Write a whole number without quotes or unit.",
        "array": "Write each entry after a dash.",
        "object": "Write its keys below it, each on a line of its own.",
        "boolean": "Write true or false, without quotes.",
    }.get("object" if "discriminator" in node else str(node.get("type")), "Write a text in quotes.")


def _choice(value: object, known: Sequence[str]) -> str:
    return f"Write {nearest(value, known) or 'one of these'}."


def _resolve(location: Sequence[str | int]) -> tuple[list[str | int], dict[str, Any], dict[str, Any]]:
    """A location as in the stack file (pydantic adds the kind of a union's member), and the JSON schema of its parent
    and its own; {} for what is not in the schema."""
    parent, node = {}, _schema()
    parts: list[str | int] = []
    for part in location:
        if part == "[key]":
            continue
        if part in node.get("discriminator", {}).get("mapping", {}):
            node = _referred({"$ref": node["discriminator"]["mapping"][part]})
            continue
        parts.append(part)
        inner = node.get("additionalProperties") or node.get("items") or {}
        parent, node = node, _referred(node.get("properties", {}).get(part, inner if isinstance(inner, dict) else {}))
    return parts, parent, node


def _referred(node: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:  # an optional value: the other choice is null
        node = {**node, **node["anyOf"][0]}
    return _schema()["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
