"""Cloudflare's filter expressions: as much of them as cache rules of this program need.

Source: https://developers.cloudflare.com/ruleset-engine/rules-language/.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

HOST, PATH = "http.host", "http.request.uri.path"
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {"starts_with": str.startswith, "ends_with": str.endswith}
_TEXT_OR_EQ = re.compile(r'("(?:[^"\\]|\\.)*")|\beq\b')


def meant(expression: str, fields: Mapping[str, str]) -> bool:
    """Whether a request with these fields, which are HOST and PATH, is meant. Raises: ValueError for what is not read
    here. `and`, `or`, `not` and brackets bind as in Python, whose parser reads it once `eq` is called ==."""
    python = _TEXT_OR_EQ.sub(lambda found: found[1] or "==", expression)
    try:
        return _holds(ast.parse(f"({python})", mode="eval").body, fields)
    except (SyntaxError, KeyError) as error:
        raise ValueError(f"the expression {expression!r} is not read here") from error


def _holds(node: ast.expr, fields: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(joined, values):
            found = [_holds(each, fields) for each in values]  # each is read, whatever the others say
            return all(found) if isinstance(joined, ast.And) else any(found)
        case ast.UnaryOp(ast.Not(), operand):
            return not _holds(operand, fields)
        case ast.Compare(field, [ast.Eq()], [ast.Constant(str() as text)]):
            return fields[ast.unparse(field)] == text
        case ast.Call(ast.Name(name), [field, ast.Constant(str() as text)]):
            return _FUNCTIONS[name](fields[ast.unparse(field)], text)
    raise KeyError(ast.unparse(node))
