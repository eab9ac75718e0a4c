"""What is refused: by the program, by the engine, by a cloud. Each says so, and nothing is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runbook import platforms
from runbook.model.problems import ConfigError
from runbook.model.reading import read
from runbook.rehearsal.engine import Outcome
from runbook.rehearsal.problems import RehearsalError
from runbook.rehearsal.rehearse import rehearse
from tests.engine.bench import Bench, Silent, bench, flat
from tests.engine.conftest import Mended
from tests.stacks import raw, secrets

MISTAKES = {"apps.auth.ttl": 5, "drains.LOG_DRAIN_URL": "logs.ibimina.rw", "vercel.targets": ["production", "stage"]}


@pytest.fixture(scope="module")
def bad(stood: Bench) -> Outcome:
    stood.engine.environment["PYTHONPROFILEIMPORTTIME"] = "1"  # every import is printed
    try:
        with stood.edited("prod", MISTAKES):
            return stood.engine.run("prod", "up", "--yes", "--skip-preview")
    finally:
        del stood.engine.environment["PYTHONPROFILEIMPORTTIME"]


def test_bad_config_gives_the_models_own_text_and_changes_nothing(bad: Outcome) -> None:
    config = raw("prod") | {"secrets": secrets("prod")}
    for dotted, value in MISTAKES.items():
        section, *rest = dotted.split(".")
        node = config[section]
        for key in rest[:-1]:
            node = node[key]
        node[rest[-1]] = value
    with pytest.raises(ConfigError) as refused:
        read("prod", config, platforms.load("ibimina"))

    assert bad.code != 0
    assert bad.events.errors == [str(refused.value)]
    assert len(refused.value.problems) == len(MISTAKES)
    assert flat(str(refused.value)) in flat(bad.output)
    assert "Traceback" not in bad.output
    assert bad.events.changes == ()


def test_bad_config_is_refused_before_the_sdks_are_imported(bad: Outcome) -> None:
    assert "runbook.model.settings" in bad.output
    assert "pulumi_cloudflare" not in bad.output


def test_a_rehearsal_says_what_every_stack_refused(tmp_path: Path) -> None:
    with bench(tmp_path, "prod", "easymo-prod") as made:
        broken = [
            replace(file, whole={"config": {**file.whole["config"], "runbook:environment": "live"}})
            for file in made.files.values()
        ]
        with pytest.raises(RehearsalError) as refused:
            rehearse(made.engine, broken, Silent())

    for stack in ("prod", "easymo-prod"):
        assert f"`pulumi preview` of {stack} failed" in str(refused.value)
        assert f"1 problem in Pulumi.{stack}.yaml; nothing was changed." in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_zone_that_the_account_does_not_have_fails_the_preview(tmp_path: Path) -> None:
    with bench(tmp_path, "easymo-prod") as made:
        made.engine.add_stack(made.files["easymo-prod"])
        path = made.engine.config_of("easymo-prod")
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("easymo.example", "nobodys.example"), encoding="utf-8")
        outcome = made.engine.run("easymo-prod", "preview")

    assert outcome.code != 0
    assert "no zone nobodys.example in this account" in flat(outcome.output)
    assert "Correct runbook:zone, or let CLOUDFLARE_API_TOKEN read that zone; nothing was changed." in flat(
        outcome.output
    )
    assert "Traceback" not in outcome.output


def test_a_host_in_use_is_not_renamed(stood: Bench) -> None:
    held = stood.clouds.store.objects()
    with stood.edited("prod", {"apps.member.host": "members.ibimina.rw"}):
        outcome = stood.engine.run("prod", "up", "--yes", "--skip-preview")

    assert outcome.code != 0
    assert "a name in use is never taken away" in flat(outcome.output)
    assert stood.clouds.store.objects() == held


def test_what_serves_changes_by_no_edit_of_a_target(stood: Bench) -> None:
    held = stood.clouds.store.objects()
    with stood.edited("prod", {"current.targets.auth": "192.0.2.7"}):
        outcome = stood.engine.run("prod", "up", "--yes", "--skip-preview")

    assert outcome.code != 0
    assert "what serves changes by a cutover alone, or by its way back." in flat(outcome.output)
    assert "runbook:current.targets.auth = '192.0.2.7'" in outcome.output
    assert "Traceback" not in outcome.output
    assert outcome.events.changes == ()
    assert stood.clouds.store.objects() == held


def test_what_serves_is_not_replaced(stood: Bench) -> None:
    """By hand it was: an A record stands where a CNAME record is declared, and neither can become the other."""
    was = stood.one("DnsRecord", name="auth.ibimina.rw")
    stood.clouds.store.change(was.cloud, was.kind, was.id, type="A", content="192.0.2.7")
    held = stood.clouds.store.objects()
    outcome = stood.engine.run("prod", "up", "--yes", "--skip-preview", "--refresh")
    after = stood.clouds.store.objects()
    stood.clouds.store.put(was)
    again = stood.engine.run("prod", "refresh", "--yes", "--skip-preview")

    assert outcome.code != 0
    assert "unable to replace resource" in flat(outcome.output)
    assert "dns-auth.ibimina.rw" in flat(outcome.output)
    assert after == held
    assert again.code == 0, again.output


@pytest.mark.parametrize("name", ["dns-auth.ibimina.rw", "web-staff-project", "web-member-domain"])
def test_what_serves_is_not_deleted(stood: Bench, name: str) -> None:
    held = stood.clouds.store.objects()
    resources = json.loads(stood.engine.export("prod"))["deployment"]["resources"]
    urn = next(each["urn"] for each in resources if each["urn"].endswith(f"::{name}"))
    outcome = stood.engine.run("prod", "destroy", "--yes", "--target", urn, "--target-dependents")

    assert outcome.code != 0
    assert "cannot be deleted because it is protected" in flat(outcome.output)
    assert stood.clouds.store.objects() == held


def test_what_a_cloud_refuses_comes_through_in_its_own_words(mended: Mended) -> None:
    assert mended.refused.code != 0
    assert mended.refused.events.errors == ["cloudflare: 1004: DNS Validation Error"]
    assert [each.name for each in mended.refused.events.failed] == ["dns-api"]
    assert "Traceback" not in mended.refused.output


def test_a_cloud_that_is_down_is_named(mended: Mended) -> None:
    assert mended.down.code != 0
    assert mended.down.events.errors == ["grafana: 503 Service Unavailable"]
    assert {each.type.partition(":")[0] for each in mended.down.events.failed} == {"grafana"}
    assert "Traceback" not in mended.down.output


def test_the_next_up_does_the_rest_and_repeats_nothing(mended: Mended) -> None:
    created = [
        each.urn
        for outcome in (mended.refused, mended.down, mended.resumed)
        for each in outcome.events.done
        if each.op == "create"
    ]

    assert mended.resumed.code == 0, mended.resumed.output
    assert {each.op for each in mended.resumed.events.begun} == {"create", "same"}
    assert sorted(created) == sorted(set(created))
    assert mended.preview.events.changes == ()
    assert mended.preview.code == 0
