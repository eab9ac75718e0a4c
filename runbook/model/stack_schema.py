"""JSON schema of a stack file, for editors: what the settings are, in the form in which Pulumi keeps them.

The schema knows one file alone. What depends on the platform or on two places at once is checked when the stack is
read (checks.py).
"""

from __future__ import annotations

from typing import Any

from runbook.model.problems import NAMESPACE
from runbook.model.settings import Settings

# An encrypted value as the engine writes it. A secret in clear is refused when read, so editors mark it too.
_ENCRYPTED = {
    "type": "object",
    "description": "Set by pulumi config set --secret.",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def stack_schema() -> dict[str, Any]:
    """Schema (draft 2020-12) of Pulumi.<stack>.yaml. Keys of other namespaces may hold anything."""
    settings = _plain(Settings.model_json_schema())
    properties = settings["properties"]
    properties["secrets"] = {
        "description": properties["secrets"]["description"],
        "anyOf": [{"$ref": "#/$defs/Encrypted"}, {"additionalProperties": {"$ref": "#/$defs/Encrypted"}}],
        "type": "object",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file",
        "type": "object",
        "properties": {
            "config": {
                "description": settings["description"],
                "type": "object",
                "properties": {f"{NAMESPACE}:{key}": value for key, value in properties.items()},
                "required": [f"{NAMESPACE}:{key}" for key in settings["required"]],
                "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
                "additionalProperties": False,
            },
            # What the engine itself keeps in a stack file.
            **{key: {"type": "string"} for key in ("encryptionsalt", "secretsprovider", "encryptedkey")},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": {**settings["$defs"], "Encrypted": _ENCRYPTED},
    }


def _plain(node: Any) -> Any:
    """Without what pydantic adds for itself: titles made of names, and formats and defaults in its own notation."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    choices = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        # What may be left out is not written as null, and an editor then points at the very value that is wrong.
        kept = {**choices[0], **{key: value for key, value in kept.items() if key != "anyOf"}}
    # JSON schema's own time has seconds and a zone, and its duration is PT30S; ours have a pattern.
    if kept.get("format") in ("time", "duration", "date-time"):
        if kept.pop("format") == "time" and "default" in kept:
            kept["default"] = kept["default"][: len("08:00")]
    elif kept.get("default") is None or isinstance(kept["default"], dict | list):
        kept.pop("default", None)
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    return kept
