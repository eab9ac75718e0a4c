"""Field types of the stack config. Each refuses what the vendors let through in preview and fail or obey later."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from runbook.model.problems import Said, nearest, refuse

# Cloudflare: 1 is automatic (served as 300), else 60 to 86400; 30 is for Enterprise zones only. Error 9021.
TTL_AUTOMATIC = 1
TTL_LEAST, TTL_MOST = 60, 86_400
# A TTL must never be clamped silently: octodns-cloudflare turns 60 into 120, and a wait computed from 60 is wrong.

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DURATION = re.compile(r"([1-9][0-9]{0,4})(s|m|h|d)")
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def is_hostname(text: str) -> bool:
    """RFC 1123 in lower case, at least two labels; underscore labels are allowed (RFC 8552, TXT names). The last
    label is no number (RFC 3696), or 192.0.2.300 would be a name."""
    labels = text.split(".")
    named = len(text) <= 253 and len(labels) > 1 and not labels[-1].isdecimal()
    return named and all(_LABEL.fullmatch(label) for label in labels)


def _hostname(value: str) -> str:
    if not is_hostname(value):
        refuse(
            "A host name in lower case, without scheme, path, port or final dot, such as staff.example.org.",
            f"Write {_bare(value) or 'the bare name'}.",
        )
    return value


def _bare(value: str) -> str | None:
    """The host name that a URL or a sloppily written name contains."""
    try:
        named = (urlsplit(value if "//" in value else f"//{value}").hostname or "").rstrip(".")
    except ValueError:
        return None
    return named if is_hostname(named) else None


def _target(value: str) -> str:
    kind = record_type(value)
    if kind is None or "%" in value:
        refuse(
            "A host name (becomes a CNAME record), an IPv4 address (A) or an IPv6 address (AAAA).",
            f"Write {_bare(value) or 'the bare name or address that answers for this app'}.",
        )
    if kind == "AAAA" and value != str(ip_address(value)):
        # As a listing has it (RFC 5952), or what was declared would look like what somebody changed.
        refuse("An IPv6 address in its short form, in lower case.", f"Write {ip_address(value)}.")
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
            f"Write {TTL_LEAST} or more." if value < TTL_LEAST else f"Write {TTL_MOST} or less.",
        )
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or re.search(r"\s", value):
        refuse(
            "An https URL of host and path alone: a password or query may carry a secret, and this value is kept in "
            "clear.",
            "Write https://host/path; a token belongs under secrets.",
        )
    return value


def _time_of_day(value: Any) -> time:
    """YAML 1.1 reads 17:00 without quotes as the number 1020, which is refused too: nobody meant that."""
    matched = _TIME.fullmatch(str(value))
    if not matched:
        refuse("A time of day from 00:00 to 23:59, in quotes.", 'Write it with two digits each, such as "08:30".')
    return time(int(matched[1]), int(matched[2]))


def _weekday(value: str) -> str:
    if value not in WEEKDAYS:
        refuse(
            f"One of {', '.join(WEEKDAYS)}.", f"Write {nearest(value, WEEKDAYS) or 'the English name of the day'}."
        )
    return value


def _zone(value: str) -> str:
    try:
        zone = ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse("A time zone of the IANA database, such as Africa/Kigali.", "Write it as Region/City.")
    offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}
    if len(offsets) != 1:
        refuse(
            "A time zone without summer time: PromQL knows UTC alone, so business hours are computed from one offset "
            "that holds all year.",
            "Write a zone that keeps its offset all year, such as Africa/Kigali or Etc/UTC.",
        )
    return value


def zone_offset(zone: str) -> timedelta:
    """The zone's fixed offset from UTC."""
    return datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.strptime(str(value), "%Y-%m-%d %H:%M")
    except ValueError:
        moment = datetime.min
    if not 2000 <= moment.year < 3000:  # at the ends of the calendar not every zone has a time
        refuse(
            "A day of this millennium and a time of day, without a zone of its own, in quotes.",
            'Write it such as "2026-12-05 22:00".',
        )
    return moment


def _zone_name(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse("A time zone of the IANA database, such as Africa/Kigali.", "Write it as Region/City.")
    return value


def _api(value: str) -> str:
    """https anywhere, http on this machine alone: what is sent there carries tokens."""
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname == "127.0.0.1" and parts.port:
        return value
    return _url(value).rstrip("/")


def _clock(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "http" or parts.hostname != "127.0.0.1" or not parts.port:
        refuse("A URL on 127.0.0.1: the clock of a real run cannot be moved.", "Remove it.")
    return value


def _socket(value: str) -> str:
    address, _, port = value.rpartition(":")
    try:
        ip_address(address)
    except ValueError:
        address = ""
    if not address or not port.isdecimal():
        refuse("An IPv4 address and a port, such as 127.0.0.1:5300.", "Write both, or remove it.")
    return value


def _duration(value: Any) -> timedelta:
    matched = _DURATION.fullmatch(str(value))
    if not matched:
        refuse(
            "A whole number of at most five digits and a unit, which is s, m, h or d.",
            "Write it as number and unit, such as 30s or 4h.",
        )
    return timedelta(seconds=int(matched[1]) * _UNIT[matched[2]])


def duration_text(value: timedelta) -> str:
    """Shortest form Grafana and Prometheus read: 90 s stays 90s, 300 s becomes 5m."""
    seconds = int(value.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNIT[unit] == 0)
    return f"{seconds // _UNIT[unit]}{unit}"


def _pattern(expression: str, allowed: str, edit: str, said: Said | None = None) -> AfterValidator:
    compiled = re.compile(expression)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            refuse(allowed, edit, said)
        return value

    return AfterValidator(check)


Hostname = Annotated[str, AfterValidator(_hostname)]
Target = Annotated[str, AfterValidator(_target)]
Whole = Annotated[int, Field(strict=True)]  # else "60" in quotes would do, and true would be 1
Ttl = Annotated[Whole, AfterValidator(_ttl)]
Url = Annotated[str, AfterValidator(_url)]
Weekday = Annotated[str, AfterValidator(_weekday), Field(json_schema_extra={"enum": list(WEEKDAYS)})]
Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[
    time, BeforeValidator(_time_of_day), Field(json_schema_extra={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(json_schema_extra={"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"}),
]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
ApiUrl = Annotated[str, AfterValidator(_api)]
Clock = Annotated[str, AfterValidator(_clock)]
Socket = Annotated[str, AfterValidator(_socket)]
Duration = Annotated[
    timedelta, BeforeValidator(_duration), Field(json_schema_extra={"pattern": "^[1-9][0-9]{0,4}[smhd]$"})
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
_CAPITALS = "[A-Z][A-Z0-9_]*"
EnvKey = Annotated[
    str,
    _pattern(
        _CAPITALS,
        "A name of capitals, digits and underscores that begins with a letter.",
        "Rename it.",
    ),
]
# Where a name is wanted people paste the secret itself, so what was given is not shown.
SecretName = Annotated[
    str,
    _pattern(
        _CAPITALS,
        "The name of a secret, of capitals, digits and underscores; its value stands under secrets.",
        "Write the name, such as SLACK_OPS_ALERTS.",
        Said.HIDDEN,
    ),
]
SlackChannel = Annotated[
    str,
    _pattern(
        "#[a-z0-9_-]{1,80}",
        "A Slack channel: # and its name in lower case, in quotes.",
        'Write it such as "#ops-alerts".',
    ),
]
Email = Annotated[
    str,
    _pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "An e-mail address.", "Write it such as on-call@example.org."),
]
