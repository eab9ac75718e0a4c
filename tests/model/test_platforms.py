"""A third platform is one file and its stack files: this makes one from nothing else and reads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from runbook import platforms
from runbook.model import serving
from runbook.model.alerting import contact_points, mute_timing, rule_groups
from runbook.model.dashboards import dashboards
from runbook.model.problems import ConfigError
from runbook.model.reading import platform_name, read
from runbook.model.secrets_needed import required_secrets
from runbook.model.settings import Settings
from tests.stacks import STACKS, platform, settings

PLATFORM = """
from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runbook.model.objectives import Alert, Objective, Query, Stack
from runbook.model.platform import App, Drain, Fact, Owner, Platform, Variable, VercelApp
from runbook.model.queries import series
from runbook.model.signals import PROBE, Source


def objectives(stack: Stack) -> tuple[Objective, ...]:
    up = f"avg({series(PROBE, {'job': stack.check_job('shop')})})"
    query = Query(Source.PROMETHEUS, up, timedelta(minutes=10), "percentunit")
    alert = Alert(
        name="shop-down", title="Shop down", summary="The shop does not answer.", query=query, comparator="lt",
        threshold=Decimal("0.5"), owner="shopkeepers", severity="page", section="#shop", mitigation="restart it",
        no_data="Alerting", pending=timedelta(minutes=5),
    )
    objective = Objective("shop", "Shop", "the shop answers", query, Decimal("0.99"), "least", None, (alert,))
    return (objective,)


PLATFORM = Platform(
    name="kiosk",
    title="Kiosk",
    apps=(
        App("shop", "Shop", "/up", vercel=VercelApp("apps/shop", (
            Variable("PUBLIC_URL", Fact.APP_URL), Variable("LOGS", Drain("LOGS")),
        ))),
        App("till", "Till", "/healthz"),
    ),
    drains=("LOGS",), log_drain="LOGS", trace_drain=None,
    owners=(Owner("shopkeepers", "Shopkeepers"),),
    flags=(), signals=(PROBE,),
    objectives=objectives, operations=lambda stack: (), checklist=lambda stack: (),
    assumptions=(), repository="kiosk/kiosk",
)
"""
STACK = """
config:
  runbook:platform: kiosk
  runbook:environment: prod
  runbook:zone: kiosk.example
  runbook:apps:
    shop: {host: kiosk.example, proxied: true}
    till: {host: till.kiosk.example, ttl: 600}
  runbook:current:
    supabaseRef: kioskprodplaceholder
    release: v1.0.0
    targets: {shop: 192.0.2.7, till: 2001:db8::7}
  runbook:vercel: {team: kiosk, targets: [production]}
  runbook:drains: {LOGS: https://logs.kiosk.example/drain}
  runbook:grafana:
    url: https://kiosk.grafana.net
    syntheticMonitoringUrl: https://synthetic-monitoring-api.grafana.net
    prometheus: {url: https://prometheus.grafana.net/api/prom, user: "1"}
    loki: {url: https://logs.grafana.net, user: "2"}
    postgres: {host: db.kiosk.example, user: grafana_reader}
    probes: [1]
  runbook:owners:
    shopkeepers: [{kind: webhook, secret: WEBHOOK_SHOPKEEPERS}]
  runbook:runbookUrl: https://docs.kiosk.example/runbook
"""


@pytest.fixture
def kiosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    (tmp_path / "kiosk.py").write_text(PLATFORM, encoding="utf-8")
    monkeypatch.setattr(platforms, "__path__", [*platforms.__path__, str(tmp_path)])
    config = {key.removeprefix("runbook:"): value for key, value in yaml.safe_load(STACK)["config"].items()}
    found = platforms.load(platform_name("kiosk-prod", config, platforms.names()))
    config["secrets"] = dict.fromkeys(required_secrets(found, Settings.model_validate(config)), "x" * 40)
    yield read("kiosk-prod", config, found)
    sys.modules.pop("runbook.platforms.kiosk", None)
    vars(platforms).pop("kiosk", None)


def test_third_platform_is_found_beside_the_two(kiosk: Settings) -> None:
    assert platforms.names() == ["easymo", "ibimina", "kiosk"]
    assert platforms.load(kiosk.platform).title == "Kiosk"


def test_third_platform_serves(kiosk: Settings) -> None:
    found = platforms.load("kiosk")
    records = [(record.name, record.type, record.ttl, record.proxied) for record in serving.records(found, kiosk)]
    assert records == [("kiosk.example", "A", 1, True), ("till.kiosk.example", "AAAA", 600, False)]
    assert [rule.ref for rule in serving.cache_rules(found, kiosk)] == ["shop-static", "shop-never", "till-never"]
    [shop] = serving.webs(found, kiosk)
    assert {variable.key: variable.value for variable in shop.env} == {
        "PUBLIC_URL": "https://kiosk.example",
        "LOGS": "https://logs.kiosk.example/drain",
    }
    assert [check.job for check in serving.uptime_checks(found, kiosk)] == ["kiosk-prod-shop", "kiosk-prod-till"]


def test_third_platform_is_watched(kiosk: Settings) -> None:
    found = platforms.load("kiosk")
    [group] = rule_groups(found, kiosk)
    assert [(rule.uid, rule.owner, rule.for_) for rule in group.rules] == [
        ("kiosk-prod-shop-down", "shopkeepers", "5m")
    ]
    assert [point.name for point in contact_points(found, kiosk)] == ["kiosk-prod shopkeepers"]
    assert mute_timing(kiosk) is None
    assert [dashboard.uid for dashboard in dashboards(found, kiosk)] == [
        "kiosk-prod-objectives",
        "kiosk-prod-operations",
        "kiosk-prod-checklist",
    ]


def test_unknown_platform_names_the_file_that_would_make_it_known() -> None:
    with pytest.raises(ConfigError) as error:
        platform_name("x", {"platform": "bakery"}, platforms.names())
    assert error.value.problems[0].edit == "Write one of these, or add the file runbook/platforms/bakery.py."


# What holds for the data of every platform.


@pytest.mark.parametrize("name", platforms.names())
def test_names_in_a_platform_are_unique(name: str) -> None:
    found = platforms.load(name)
    for names in (
        [app.name for app in found.apps],
        [owner.name for owner in found.owners],
        [signal.name for signal in found.signals],
        *([variable.key for variable in vercel.variables] for _, vercel in found.vercel_apps),
    ):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", platforms.names())
def test_a_platform_refers_to_nothing_that_it_lacks(name: str) -> None:
    found = platforms.load(name)
    assert found.name == name
    assert {found.log_drain, *filter(None, [found.trace_drain])} <= set(found.drains)
    assert {told for owner in found.owners for told in owner.told} <= {owner.name for owner in found.owners}
    assert sum(app.auth for app in found.apps) <= 1


@pytest.mark.parametrize("name", platforms.names())
def test_staging_and_prod_differ_in_stack_files_alone(name: str) -> None:
    prod, staging = (stack for stack in STACKS if settings(stack).platform == name)
    assert (settings(prod).environment, settings(staging).environment) == ("prod", "staging")
    assert platform(prod) is platform(staging)
    assert {variable.key for web in serving.webs(platform(prod), settings(prod)) for variable in web.env} == {
        variable.key for web in serving.webs(platform(staging), settings(staging)) for variable in web.env
    }
    assert _serving_keys(prod) == _serving_keys(staging)


def _serving_keys(stack: str) -> list[str]:
    """Sign-in's record is keyed by its host, and was by the app before."""
    found = serving.records(platform(stack), settings(stack))
    return [record.formerly or record.key for record in found if record.serves]
