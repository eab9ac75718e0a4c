"""Lookups answer in the form that the SDK reads."""

from __future__ import annotations

from typing import Any

import pulumi_cloudflare as cloudflare
import pulumiverse_grafana as grafana
import pulumiverse_vercel as vercel
import pytest
from pulumi._types import output_type_types
from pulumi.runtime import rpc

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.vercel import PROJECT
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES, ZONE_ID


def read_by_the_sdk(cls: type, answer: dict[str, Any]) -> Any:
    assert answer.keys() <= output_type_types(cls).keys()
    return rpc.translate_output_properties(answer, lambda name: name, cls)


def test_a_zone_is_found_by_name_and_by_id(engine: Engine) -> None:
    answer = engine.invoke("cloudflare:index/getZone:getZone", {"filter": {"name": "ibimina.rw"}})
    assert engine.invoke("cloudflare:index/getZone:getZone", {"zoneId": ZONE_ID}) == answer
    zone = read_by_the_sdk(cloudflare.GetZoneResult, answer)
    assert (zone.id, zone.name, zone.status, zone.account.name) == (ZONE_ID, "ibimina.rw", "active", "stand-in")


def test_a_zone_that_the_account_does_not_have_is_an_error(engine: Engine) -> None:
    with pytest.raises(Exception, match=r"failed to find exactly one result: no zone other.rw in this account"):
        engine.invoke("cloudflare:index/getZone:getZone", {"filter": {"name": "other.rw"}})


def test_records_come_with_their_ttl_and_when_they_were_changed(engine: Engine) -> None:
    id, outputs, _ = engine.create(RECORD, SAMPLES[RECORD])
    engine.create(RECORD, SAMPLES[RECORD] | {"name": "b.ibimina.rw"})
    token = "cloudflare:index/getDnsRecords:getDnsRecords"
    assert len(engine.invoke(token, {"zoneId": ZONE_ID})["results"]) == 2
    answer = engine.invoke(token, {"zoneId": ZONE_ID, "name": {"exact": "admin.ibimina.rw"}, "type": "CNAME"})
    (record,) = read_by_the_sdk(cloudflare.GetDnsRecordsResult, answer).results
    assert (record.id, record.ttl, record.modified_on) == (id, 1, outputs["modifiedOn"])
    assert engine.invoke(token, {"zoneId": ZONE_ID, "type": "MX"})["results"] == []
    with pytest.raises(Exception, match="The stand-in for Cloudflare cannot narrow records by this name"):
        engine.invoke(token, {"zoneId": ZONE_ID, "name": {"contains": "a"}})


def test_a_domain_is_misconfigured_until_a_record_says_what_vercel_recommends(engine: Engine) -> None:
    args = {"domain": "admin.ibimina.rw", "projectIdOrName": "ibimina-admin"}
    answer = engine.invoke("vercel:index/getDomainConfig:getDomainConfig", args)
    config = read_by_the_sdk(vercel.GetDomainConfigResult, answer)
    assert config.misconfigured
    assert config.recommended_ipv4s
    engine.create(RECORD, SAMPLES[RECORD] | {"content": config.recommended_cname})
    assert not engine.invoke("vercel:index/getDomainConfig:getDomainConfig", args)["misconfigured"]


def test_a_project_is_found_by_name(engine: Engine) -> None:
    id, _, _ = engine.create(PROJECT, SAMPLES[PROJECT])
    project = read_by_the_sdk(
        vercel.GetProjectResult, engine.invoke("vercel:index/getProject:getProject", {"name": "ibimina-admin"})
    )
    assert (project.id, project.framework) == (id, "nextjs")
    with pytest.raises(Exception, match="not_found - There is no project for other"):
        engine.invoke("vercel:index/getProject:getProject", {"name": "other"})


def test_probes_have_names_and_numbers(engine: Engine) -> None:
    answer = engine.invoke("grafana:syntheticMonitoring/getProbes:getProbes", {})
    probes = read_by_the_sdk(grafana.syntheticmonitoring.GetProbesResult, answer).probes
    assert probes["Frankfurt"] == 2
