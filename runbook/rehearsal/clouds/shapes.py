"""What the installed SDKs say about inputs: names, types, what is required. Each input is checked against it.

The SDKs are the only source of types here: provider plugins, which carry the schema, are not to be had offline.
"""

from __future__ import annotations

import difflib
import functools
import gc
import importlib
import inspect
import threading
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi import Output, _types

from runbook.rehearsal.clouds.wire import UNKNOWN, asset

PACKAGES = {"cloudflare": "pulumi_cloudflare", "vercel": "pulumiverse_vercel", "grafana": "pulumiverse_grafana"}
_PLAIN = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Shape:
    """One type: `name` is how a sentence calls it; a list or map has `of`, an object has `fields`."""

    name: str
    of: Shape | None = None
    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


ANY = Shape("anything")
_IMPORTING = threading.RLock()


@functools.cache
def shape_of(token: str) -> Shape:
    """The inputs of a resource type such as `vercel:index/project:Project`, or of a provider: `vercel`."""
    return _object(_class(token, "Args"))


@functools.cache
def always_there(token: str) -> Mapping[str, Any]:
    """The outputs that the SDK types as never missing, each with the neutral value of its type."""
    cls = _class(token, "")
    hints = {name: typing.get_args(_hint(prop.fget, cls))[0] for _, name, prop in _types._py_properties(cls)}
    return {name: _neutral(hint) for name, hint in hints.items() if type(None) not in typing.get_args(hint)}


def _neutral(hint: Any) -> Any:
    origin = typing.get_origin(hint) or hint
    if origin in (str, bool, int, float):
        return origin()
    return [] if origin in (Sequence, list) else {}


def problems(shape: Shape, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, sentence) for each unknown key, wrong type and missing required property. UNKNOWN fits anything."""
    if value == UNKNOWN or shape is ANY:
        return
    if not _fits(shape, value):
        yield path, f"{path} must be {shape.name}, got {_said(value)}."
    elif shape.fields:
        yield from _object_problems(shape, value, path)
    elif shape.of and isinstance(value, list):
        for index, one in enumerate(value):
            yield from problems(shape.of, one, f"{path}[{index}]")
    elif shape.of:
        for key, one in value.items():
            yield from problems(shape.of, one, f"{path}.{key}")


def _object_problems(shape: Shape, value: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    inside = f"{path}." if path else ""
    for key, one in value.items():
        if key not in shape.fields:
            near = difflib.get_close_matches(key, shape.fields, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(shape.fields))}."
            yield inside + key, f"{inside}{key} is not a property of {shape.name}; {hint}"
        elif one is not None:
            yield from problems(shape.fields[key], one, inside + key)
    for key in sorted(shape.required):
        if value.get(key) is None:
            yield inside + key, f"{inside}{key} is required by {shape.name} and is missing."


def _fits(shape: Shape, value: Any) -> bool:
    if asset(value):
        return False
    if shape.fields or shape.name == "a map":
        return isinstance(value, dict)
    if shape.of:
        return isinstance(value, list)
    if shape.name == _PLAIN[str]:
        return isinstance(value, str)
    if shape.name == _PLAIN[bool]:
        return isinstance(value, bool)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (shape.name == _PLAIN[float] and isinstance(value, float))


def _said(value: Any) -> str:
    """The type of a value in words: never the value, which may be a secret."""
    names = {dict: "an object", list: "a list"} | _PLAIN
    return asset(value) or names.get(type(value), "nothing")


def _class(token: str, suffix: str) -> type:
    package, _, rest = token.partition(":")
    module, _, kind = rest.partition(":")
    path = module.partition("/")[0].lower()
    name = PACKAGES[package] + (f".{path}" if path not in ("", "index") else "")
    with _IMPORTING:  # the SDKs import their parts lazily, which two threads at once do not survive
        found: type = getattr(_import(name), (kind or "Provider") + suffix)
    return found


def _import(name: str) -> Any:
    """Import without the garbage collector, which takes half of the time here and frees nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if collecting:
            gc.enable()


@functools.cache
def _object(cls: type) -> Shape:
    hints = {name: _hint(prop.fget, cls) for _, name, prop in _types._py_properties(cls)}
    pulumi_name = {python: name for python, name, _ in _types._py_properties(cls)}
    parameters = inspect.signature(cls).parameters.items()
    required = {pulumi_name[n] for n, p in parameters if n in pulumi_name and p.default is p.empty}
    fields = {name: _shape(hint) for name, hint in hints.items()}
    return Shape(cls.__name__.removesuffix("Args"), fields=fields, required=frozenset(required))


def _hint(getter: Any, cls: type) -> Any:
    module = vars(importlib.import_module(cls.__module__))
    # Output and T as pulumi/_types.py passes them: Input refers to both by name.
    return typing.get_type_hints(getter, module, {"Output": Output, "T": type(None)})["return"]


def _shape(hint: Any) -> Shape:
    """A type of the SDK without Input, Optional, Awaitable and Output around it."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Union:
        plain = [one for one in arguments if one is not type(None) and not _wraps(one)]
        return _shape(plain[0]) if len(plain) == 1 else ANY
    if typing.get_origin(hint) in (Sequence, list):
        return Shape("a list", of=_shape(arguments[0]))
    if typing.get_origin(hint) in (Mapping, dict):
        return Shape("a map", of=_shape(arguments[1]))
    if isinstance(hint, type) and _types.is_input_type(hint):
        return _object(hint)
    return Shape(_PLAIN[hint]) if hint in _PLAIN else ANY


def _wraps(hint: Any) -> bool:
    return typing.get_origin(hint) in (Awaitable, Output)
