"""From create to delete: what is known when, what a read gives, what is secret, what a person changed by hand."""

from __future__ import annotations

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2

from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.grafana import CONTACT_POINT, DASHBOARD, DATA_SOURCE, FOLDER, RULE_GROUP
from runbook.rehearsal.clouds.shapes import always_there, shape_of
from runbook.rehearsal.clouds.vercel import DOMAIN, ITEM, LOG_DRAIN, PROJECT, RETENTION, TOKEN, TRACE_DRAIN, VARIABLE
from runbook.rehearsal.clouds.wire import UNKNOWN
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES, ZONE_ID, ZONES, create_all, inputs_of

COMPUTED = [
    (RECORD, {"createdOn", "modifiedOn", "proxiable"}),
    (RULESET, {"version", "lastUpdated"}),
    (PROJECT, {"teamId", "buildMachineType"}),
    (TOKEN, {"token", "connectionString"}),
    (FOLDER, {"url", "orgId"}),
    (DASHBOARD, {"uid", "version", "url", "dashboardId"}),
    (RULE_GROUP, {"orgId"}),
]


@pytest.mark.parametrize(("kind", "names"), COMPUTED)
def test_what_the_service_computes_is_not_known_in_preview(engine: Engine, kind: str, names: set[str]) -> None:
    id, outputs, _ = engine.create(kind, SAMPLES[kind], preview=True)
    assert id == ""
    assert names <= {name for name, value in outputs.items() if value == UNKNOWN}
    assert not {name for name, value in outputs.items() if value == UNKNOWN} & SAMPLES[kind].keys()
    assert engine.held(kind) == []


def test_a_preview_of_an_update_knows_what_a_write_does_not_change(engine: Engine) -> None:
    inputs = SAMPLES[RECORD]
    id, outputs, _ = engine.create(RECORD, inputs)
    planned = engine.update(RECORD, id, outputs, inputs | {"comment": "new"}, preview=True)
    assert planned["createdOn"] == outputs["createdOn"]
    assert planned["modifiedOn"] == UNKNOWN
    assert engine.held(RECORD)[0].properties["comment"] == "staff console"
    updated = engine.update(RECORD, id, outputs, inputs | {"comment": "new"})
    assert updated["createdOn"] == outputs["createdOn"]
    assert updated["modifiedOn"] > outputs["modifiedOn"]
    assert engine.held(RECORD)[0].properties["comment"] == "new"


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_output_that_the_sdk_types_as_always_there_is_there(engine: Engine, kind: str) -> None:
    made = create_all(engine)
    assert always_there(kind).keys() <= made[kind][2].keys()
    assert UNKNOWN not in made[kind][2].values()


def test_ids_and_outputs_have_the_form_that_the_real_ones_give_them(engine: Engine) -> None:
    made = create_all(engine)
    ids = {kind: id for kind, (id, _, _) in made.items()}
    assert ids[PROJECT].startswith("prj_")
    assert ids[DOMAIN] == "admin.ibimina.rw"
    assert ids[RETENTION] == f"team_standin/{ids[PROJECT]}"
    assert ids[ITEM].startswith("ecfg_")
    assert ids[ITEM].endswith("/trustedDevice")
    assert ids[LOG_DRAIN].startswith("ld_")
    assert (ids[FOLDER], ids[RULE_GROUP], ids[CONTACT_POINT]) == ("1:ibimina", "1:ibimina:slo", "1:ops")
    assert made[DASHBOARD][2]["uid"] == "slo"
    token = made[TOKEN][2]
    assert token["connectionString"].endswith(f"?token={token['token']}")
    assert made[PROJECT][2]["gitRepository"]["productionBranch"] == "trunk"
    assert made[RECORD][2]["content"] == "target.example"


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_read_right_after_a_create_changes_nothing(engine: Engine, kind: str) -> None:
    id, inputs, outputs = create_all(engine)[kind]
    assert engine.read(kind, id, inputs, outputs) == (id, inputs, outputs)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_read_without_a_state_gives_inputs_that_make_the_same(engine: Engine, kind: str) -> None:
    id, inputs, _ = create_all(engine)[kind]
    _, found, _ = engine.read(kind, id)
    hidden = {
        VARIABLE: {"value"},
        LOG_DRAIN: {"secret"},
        TRACE_DRAIN: {"secret"},
        DATA_SOURCE: {"secureJsonDataEncoded", "httpHeaders"},
        CONTACT_POINT: {"slacks", "pagerduties"},
    }
    assert set(engine.diff(kind, found, inputs)) == hidden.get(kind, set())
    assert found.keys() <= shape_of(kind).fields.keys()


def test_an_import_may_name_the_zone_too(engine: Engine) -> None:
    id, _, _ = engine.create(RECORD, SAMPLES[RECORD])
    assert engine.read(RECORD, f"{ZONE_ID}/{id}")[0] == id


def test_what_was_deleted_by_hand_is_gone(engine: Engine) -> None:
    id, outputs, _ = engine.create(RECORD, SAMPLES[RECORD])
    engine.clouds.store.delete("cloudflare", RECORD, id)
    assert engine.read(RECORD, id, SAMPLES[RECORD], outputs) == ("", {}, {})
    engine.delete(RECORD, id)
    with pytest.raises(grpc.RpcError, match="404 Not Found: there is no cloudflare:index/dnsRecord:DnsRecord with"):
        engine.update(RECORD, id, outputs, SAMPLES[RECORD])


BY_HAND: list[tuple[str, dict[str, Any]]] = [
    (RECORD, {"content": "evil.example"}),
    (RECORD, {"comment": None}),
    (PROJECT, {"buildCommand": "make"}),
    (PROJECT, {"installCommand": "npm ci"}),
    (VARIABLE, {"targets": ["production"]}),
    (RETENTION, {"expirationProduction": "1d"}),
    (RULE_GROUP, {"intervalSeconds": 600}),
    (RULE_GROUP, {"rules": [SAMPLES[RULE_GROUP]["rules"][0] | {"isPaused": False}]}),
    (RULESET, {"rules": []}),
    (DASHBOARD, {"configJson": '{"title":"mine","uid":"slo"}'}),
]


@pytest.mark.parametrize(("kind", "change"), BY_HAND)
def test_a_change_by_hand_shows_in_a_read_and_as_a_diff(engine: Engine, kind: str, change: dict[str, Any]) -> None:
    id, inputs, outputs = create_all(engine)[kind]
    engine.clouds.store.change(kind.partition(":")[0], kind, id, **change)
    _, found, state = engine.read(kind, id, inputs, outputs)
    assert set(engine.diff(kind, found, inputs)) == set(change)
    for name, value in change.items():
        assert state.get(name) == value or kind == RULE_GROUP


def test_a_sensitive_value_that_was_changed_by_hand_does_not_show(engine: Engine) -> None:
    made = create_all(engine)
    id, inputs, outputs = made[VARIABLE]
    engine.clouds.store.change("vercel", VARIABLE, id, value="other")
    assert engine.read(VARIABLE, id, inputs, outputs) == (id, inputs, outputs)
    plain = inputs_of(VARIABLE, made) | {"key": "PLAIN", "sensitive": False, "visibility": "config"}
    id, outputs, _ = engine.create(VARIABLE, plain)
    engine.clouds.store.change("vercel", VARIABLE, id, value="other")
    assert engine.read(VARIABLE, id, plain, outputs)[1]["value"] == "other"


def test_a_secret_inside_a_contact_point_does_not_show_but_what_lies_beside_it_does(engine: Engine) -> None:
    id, inputs, outputs = create_all(engine)[CONTACT_POINT]
    slacks = [inputs["slacks"][0] | {"url": "https://other.example", "recipient": "#other"}]
    engine.clouds.store.change("grafana", CONTACT_POINT, id, slacks=slacks)
    _, found, _ = engine.read(CONTACT_POINT, id, inputs, outputs)
    assert found["slacks"][0]["url"] == inputs["slacks"][0]["url"]
    assert found["slacks"][0]["recipient"] == "#other"


def test_secrets_stay_secret_and_what_is_secret_by_nature_becomes_so(engine: Engine) -> None:
    path = ("slacks", 0, "url")
    _, _, secrets = engine.create(CONTACT_POINT, SAMPLES[CONTACT_POINT], secrets=frozenset({path}))
    assert secrets == {path}
    _, _, secrets = engine.create(DATA_SOURCE, SAMPLES[DATA_SOURCE])
    assert secrets == {("secureJsonDataEncoded",), ("httpHeaders",)}
    made = create_all_of_vercel(engine)
    assert engine.create(TOKEN, made | {"label": "x"}, preview=True)[2] == {("token",), ("connectionString",)}
    assert "hunter2" not in repr(engine.held(DATA_SOURCE))


def create_all_of_vercel(engine: Engine) -> dict[str, Any]:
    return {"edgeConfigId": engine.create("vercel:index/edgeConfig:EdgeConfig", {"name": "x"})[0]}


def test_what_the_clouds_hold_survives_a_restart_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "store.db"
    with Clouds(path, ZONES) as clouds:
        engine = Engine(clouds)
        id, outputs, _ = engine.create(RECORD, SAMPLES[RECORD])
        engine.close()
        calls = clouds.store.calls()
        assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    with Clouds(path, ZONES) as clouds:
        engine = Engine(clouds)
        assert engine.read(RECORD, id, SAMPLES[RECORD], outputs) == (id, SAMPLES[RECORD], outputs)
        engine.close()
        assert clouds.store.calls() - calls == {("cloudflare", RECORD, "Read"): 1}
        assert len(clouds.store.find("cloudflare", "zone")) == len(ZONES)


def test_of_equal_creates_at_once_all_but_one_are_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = engine.clouds.store
    find = store.find

    def slow(*args: Any, **wanted: Any) -> list[Held]:
        time.sleep(0.02)  # time enough for another create to look before this one writes
        return find(*args, **wanted)

    monkeypatch.setattr(store, "find", slow)

    def create(_: int) -> str:
        try:
            return engine.create(FOLDER, SAMPLES[FOLDER])[0]
        except grpc.RpcError as error:
            return str(error.details())

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(create, range(8)))
    assert answers == ["1:ibimina"] + ["409: a folder with the uid ibimina already exists."] * 7


def test_the_provider_has_the_version_of_the_sdk_so_that_the_engine_does_not_warn(engine: Engine) -> None:
    assert engine.stub("cloudflare").GetPluginInfo(empty_pb2.Empty()).version == version("pulumi_cloudflare")
