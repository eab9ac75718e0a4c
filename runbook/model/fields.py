"""Field types of the stack config. Each refuses what the vendors let through in preview and fail or obey later."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from runbook.model.problems import refuse

# Cloudflare: 1 is automatic (served as 300), else 60 to 86400; 30 is for Enterprise zones only. Error 9021.
TTL_AUTOMATIC = 1
TTL_LEAST, TTL_MOST = 60, 86_400
# A TTL must never be clamped silently: octodns-cloudflare turns 60 into 120, and a wait computed from 60 is wrong.

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_DURATION = re.compile(r"([1-9][0-9]*)(s|m|h|d)")
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def is_hostname(text: str) -> bool:
    """RFC 1123 in lower case, at least two labels; underscore labels are allowed (RFC 8552, TXT names)."""
    labels = text.split(".")
    return len(text) <= 253 and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _hostname(value: str) -> str:
    if not is_hostname(value):
        named = urlsplit(value).hostname if "//" in value else None
        refuse(
            "A host name in lower case, without scheme, path, port or final dot, such as staff.example.org.",
            f"Write {named}." if named and is_hostname(named) else "Write the bare name.",
        )
    return value


def _target(value: str) -> str:
    if record_type(value) is None:
        refuse(
            "A host name (becomes a CNAME record), an IPv4 address (A) or an IPv6 address (AAAA).",
            "Write the bare name or address that answers for this app.",
        )
    return value


def record_type(target: str) -> str | None:
    """CNAME, A or AAAA for what the target is; None when it is none of them."""
    try:
        return {4: "A", 6: "AAAA"}[ip_address(target).version]
    except ValueError:
        return "CNAME" if is_hostname(target) else None


def _ttl(value: int) -> int:
    if value != TTL_AUTOMATIC and not TTL_LEAST <= value <= TTL_MOST:
        refuse(
            f"{TTL_AUTOMATIC} (automatic, served as 300) or {TTL_LEAST} to {TTL_MOST} seconds.",
            f"Write {TTL_LEAST if value < TTL_LEAST else TTL_MOST} or another allowed number of seconds.",
        )
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and not parts.query
    except ValueError:
        sound = False
    if not sound:
        refuse(
            "An https URL without user, password or query: those carry secrets, and this value is not one.",
            "Write https://host/path; a token belongs into secrets.",
        )
    return value


def _time_of_day(value: Any) -> time:
    """YAML 1.1 reads 08:00 without quotes as the number 480, which is refused too: nobody meant that."""
    try:
        hours, minutes = str(value).split(":")
        if len(hours) != 2 or len(minutes) != 2:
            raise ValueError
        return time(int(hours), int(minutes))
    except ValueError:
        refuse("A time of day from 00:00 to 23:59, in quotes.", 'Write it with two digits each, such as "08:30".')


def _weekday(value: str) -> str:
    if value not in WEEKDAYS:
        near = [day for day in WEEKDAYS if value and day.startswith(value.lower()[:3])]
        refuse(f"One of {', '.join(WEEKDAYS)}.", f"Write {near[0]}." if near else "Write the day's English name.")
    return value


def _zone(value: str) -> str:
    try:
        zone = ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse("A time zone of the IANA database, such as Africa/Kigali.", "Write Region/City.")
    offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}
    if len(offsets) != 1:
        refuse(
            "A time zone whose offset is the same all year: PromQL knows UTC alone, so business hours are computed "
            "from one fixed offset.",
            "Write a zone without summer time.",
        )
    return value


def zone_offset(zone: str) -> timedelta:
    """The zone's fixed offset from UTC."""
    return datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()


def _duration(value: Any) -> timedelta:
    matched = _DURATION.fullmatch(str(value))
    if not matched:
        refuse("A whole number and a unit, s, m, h or d, such as 30s or 4h.", "Write it as number and unit.")
    return timedelta(seconds=int(matched[1]) * _UNIT[matched[2]])


def duration_text(value: timedelta) -> str:
    """Shortest form Grafana and Prometheus read: 90 s stays 90s, 300 s becomes 5m."""
    seconds = int(value.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNIT[unit] == 0)
    return f"{seconds // _UNIT[unit]}{unit}"


def _pattern(expression: str, allowed: str, edit: str) -> AfterValidator:
    compiled = re.compile(expression)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            refuse(allowed, edit)
        return value

    return AfterValidator(check)


Hostname = Annotated[str, AfterValidator(_hostname)]
Target = Annotated[str, AfterValidator(_target)]
Ttl = Annotated[int, AfterValidator(_ttl)]
Url = Annotated[str, AfterValidator(_url)]
Weekday = Annotated[str, AfterValidator(_weekday), Field(json_schema_extra={"enum": list(WEEKDAYS)})]
Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[
    time, BeforeValidator(_time_of_day), Field(json_schema_extra={"pattern": "^[0-2][0-9]:[0-5][0-9]$"})
]
Duration = Annotated[
    timedelta, BeforeValidator(_duration), Field(json_schema_extra={"pattern": "^[1-9][0-9]*[smhd]$"})
]
# Supabase project refs are the first label of the project's URL; seen as 20 lower case letters in its documents.
SupabaseRef = Annotated[
    str,
    _pattern(
        "[a-z]{20}",
        "A Supabase project ref: 20 lower case letters, the first label of the project's own URL.",
        "Copy it from the project's settings.",
    ),
]
Release = Annotated[
    str,
    _pattern(
        r"[A-Za-z0-9][A-Za-z0-9._-]*",
        "A git tag, such as v1.4.2, in quotes.",
        "Write the tag of the release that serves.",
    ),
]
EnvKey = Annotated[
    str,
    _pattern(
        "[A-Z][A-Z0-9_]*",
        "A name in capitals, digits and underscores, beginning with a letter.",
        "Rename the key.",
    ),
]
