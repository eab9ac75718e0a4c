"""Signals: what a rule or a panel may read. Each is declared once; a test refuses queries that read others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Source(Enum):
    """A data source of Grafana. The value is the plugin's type name."""

    PROMETHEUS = "prometheus"
    LOKI = "loki"
    POSTGRES = "grafana-postgresql-datasource"


@dataclass(frozen=True)
class Signal:
    """A metric (`fields` are its labels), a log stream (labels and JSON fields) or a table (columns).

    `assumed` holds unless a runbook or a vendor's document names the signal; `reference` says which does, or, for
    an assumed one, what is to be looked at on the real system.
    """

    name: str
    source: Source
    fields: tuple[str, ...]
    unit: str
    producer: str
    reference: str
    assumed: bool = True


# What vendors produce for every platform.
PROBE = Signal(
    "probe_success",
    Source.PROMETHEUS,
    ("job", "instance", "probe"),
    "1 or 0",
    "the outside uptime check of each app",
    "Grafana's documents on Synthetic Monitoring metrics",
    assumed=False,
)
CRON_RUNS = Signal(
    "cron.job_run_details",
    Source.POSTGRES,
    ("start_time", "status"),
    "rows",
    "pg_cron, which Supabase schedules functions with",
    "pg_cron's documents name table and columns",
    assumed=False,
)
