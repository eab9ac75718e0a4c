"""What the proof of a way back stands on: nothing that differs is let pass but by its exact path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.cloudflare import RECORD, ZONE
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import auth_state, release, slack
from runbook.rehearsal.cutover.proof import Proof, Snapshot
from runbook.rehearsal.cutover.stale import Clients
from runbook.rehearsal.cutover.views import Difference, Excused, differences, left_over, observe, raw

SECRET = "a-secret-that-nobody-may-see"
HOSTS = {"app.ibimina.rw": "/api/health", "auth.ibimina.rw": "/auth/v1/.well-known/jwks.json"}


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Clouds]:
    """An app that was released, and an auth host with a TTL of an hour."""
    with Clouds(tmp_path / "clouds.db", zones=["ibimina.rw"]) as made:
        zone = made.store.find("cloudflare", ZONE)[0].id
        _record(made, zone, "r1", "app.ibimina.rw", "cname.vercel-dns.com")
        _record(made, zone, "r2", "auth.ibimina.rw", "ibiminaprodplacehold.supabase.co")
        made.store.put(Held("vercel", PROJECT, "prj_1", {"name": "member", "autoAssignCustomDomains": True}))
        made.store.put(Held("vercel", DOMAIN, "app.ibimina.rw", {"domain": "app.ibimina.rw", "projectId": "prj_1"}))
        for id, sensitive in (("v1", True), ("v2", False)):
            value = SECRET if sensitive else "https://app.ibimina.rw"
            values = {"projectId": "prj_1", "key": f"KEY_{id}", "value": value, "targets": ["production"]}
            paths = frozenset({("value",)})
            made.store.put(Held("vercel", VARIABLE, id, {**values, "sensitive": sensitive}, paths))
        auth_state.add_project(made.store, "ibiminaprodplacehold")
        active = {"custom_hostname": "auth.ibimina.rw", "status": auth_state.ACTIVE}
        made.store.put(Held("supabase", auth_state.HOSTNAME, "ibiminaprodplacehold", active))
        release(made.store, "member", "v1.0.0", made.clock.now())
        yield made


def _record(clouds: Clouds, zone: str, id: str, name: str, content: str) -> None:
    values = {"zoneId": zone, "name": name, "type": "CNAME", "content": content, "ttl": 3600, "proxied": False}
    clouds.store.put(Held("cloudflare", RECORD, id, {**values, "modifiedOn": clouds.clock.now().isoformat()}))


def test_an_observation_tells_where_dns_leads_which_build_answers_and_its_env(clouds: Clouds) -> None:
    seen = observe(clouds, HOSTS)

    app, auth = seen["hosts"]["app.ibimina.rw"], seen["hosts"]["auth.ibimina.rw"]
    assert app["dns"]["answers"][0] == ["app.ibimina.rw", 3600, "CNAME", "cname.vercel-dns.com."]
    assert app["body"]["deployment"] == seen["projects"]["member"]["serving"]
    assert app["body"]["env"].keys() == {"KEY_v1", "KEY_v2"}
    assert (auth["status"], auth["failure"]) == (200, None)
    assert seen["projects"]["member"]["domains"] == ["app.ibimina.rw"]
    assert seen["projects"]["member"]["env"]["KEY_v1"]["value"] is None, "a sensitive value can be read by nobody"
    assert seen["auth"]["ibiminaprodplacehold"]["custom_hostname"]["custom_hostname"] == "auth.ibimina.rw"
    assert (app["files"], auth["files"]) == ([app["body"]["deployment"]], [])
    assert left_over(seen) == ""
    assert seen == observe(clouds, HOSTS)


def test_files_of_a_build_that_does_not_serve_are_left_over(clouds: Clouds) -> None:
    seen = observe(clouds, HOSTS)
    seen["hosts"]["app.ibimina.rw"]["files"].append("dpl_other")
    serving = seen["projects"]["member"]["serving"]
    assert left_over(seen) == f"app.ibimina.rw gives those of {serving} and dpl_other"


def test_no_view_holds_a_secret_and_a_changed_one_is_seen_all_the_same(clouds: Clouds) -> None:
    before = raw(clouds)
    assert SECRET not in f"{before}{observe(clouds, HOSTS)}"

    clouds.store.change("vercel", VARIABLE, "v1", value="another")
    (found,) = differences(before, raw(clouds)).others
    assert found.path == "/vercel/ProjectEnvironmentVariable/member KEY_v1/value"
    assert SECRET not in str(found)
    assert "another" not in str(found)


@pytest.mark.parametrize(
    ("kind", "id", "change", "at"),
    [
        (RECORD, "r2", {"content": "ibiminanextplacehold.supabase.co"}, "/hosts/auth.ibimina.rw"),
        (RECORD, "r2", {"ttl": 60}, "/hosts/auth.ibimina.rw/dns/answers"),
        (PROJECT, "prj_1", {"autoAssignCustomDomains": False}, "/projects/member/settings/autoAssignCustomDomains"),
        (VARIABLE, "v2", {"value": "another"}, "/projects/member/env/KEY_v2/value"),
        (auth_state.SETTINGS, "ibiminaprodplacehold", {"jwt_exp": 7}, "/auth/ibiminaprodplacehold/settings/jwt_exp"),
    ],
)
def test_whatever_clients_can_tell_apart_differs(
    clouds: Clouds, kind: str, id: str, change: dict[str, object], at: str
) -> None:
    before = observe(clouds, HOSTS)
    cloud = next(one.cloud for one in clouds.store.objects() if (one.kind, one.id) == (kind, id))
    clouds.store.change(cloud, kind, id, **change)

    found = [one.path for one in differences(before, observe(clouds, HOSTS)).others]
    assert found
    assert all(path.startswith(at) for path in found)


def test_a_release_is_another_build_at_the_host(clouds: Clouds) -> None:
    before = observe(clouds, HOSTS)
    release(clouds.store, "member", "v1.0.1", clouds.clock.now())

    paths = {one.path for one in differences(before, observe(clouds, HOSTS)).others}
    assert {"/hosts/app.ibimina.rw/body/deployment", "/hosts/app.ibimina.rw/body/release"} <= paths


def test_a_record_that_was_made_anew_is_not_the_same(clouds: Clouds) -> None:
    before = raw(clouds)
    held = clouds.store.get("cloudflare", RECORD, "r1")
    assert held is not None
    clouds.store.delete("cloudflare", RECORD, "r1")
    clouds.store.put(Held("cloudflare", RECORD, "r3", held.properties))

    assert [str(one) for one in differences(before, raw(clouds)).others] == [
        "/cloudflare/DnsRecord/app.ibimina.rw CNAME/id: 'r1' became 'r3'"
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "meets"),
    [
        ("/a/b", "/a/b", True),
        ("/a/b", "/a/b/c", False),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*/c", "/a/b/c", True),
        ("/a/*/c", "/a/b/d", False),
        ("/a.b/*", "/axb/c", False),
        ("/a/*", "/a/", False),
    ],
)
def test_an_exception_meets_its_own_path_alone(pattern: str, path: str, meets: bool) -> None:
    assert Excused(pattern, "why").meets(Difference(path, None, {"a": 1})) is meets


def test_an_exception_for_an_object_does_not_let_its_properties_change() -> None:
    exceptions = [Excused("/x/*", "why")]
    assert differences({"/x/1": {"a": 1}}, {"/x/1": {"a": 1}, "/x/2": {"a": 1}}, exceptions).others == ()
    assert [one.path for one in differences({"/x/1": {"a": 1}}, {"/x/1": {"a": 2}}, exceptions).others] == ["/x/1/a"]


def test_a_message_is_excused_by_what_it_is_and_once(clouds: Clouds) -> None:
    def sent(id: str, metadata: object, scheduled: bool) -> None:
        clouds.store.put(Held("slack", slack.MESSAGE, id, {"metadata": metadata, "scheduled": scheduled}))

    def paths() -> list[str]:
        return [one.path for one in differences(before, raw(clouds)).others]

    before = raw(clouds)
    sent("1", None, scheduled=True)
    sent("2", None, scheduled=False)
    sent("3", {"event_type": "cutover", "event_payload": {"marker": "2-back"}}, scheduled=False)
    names = ["/slack/message/2-back", "/slack/message/reminder", "/slack/message/reminder sent at once"]
    assert paths() == names
    sent("4", None, scheduled=True)
    assert paths() == ["/slack/message/1", names[0], "/slack/message/4", names[2]], "nobody excuses the same twice"


def test_an_exception_for_what_is_made_does_not_let_anything_go() -> None:
    before, after = {"/x/1": {"a": 1}}, {"/x/2": {"a": 1}}
    made, either = Excused("/x/*", "why"), Excused("/x/*", "why", gone=True)
    assert [one.path for one in differences(before, after, [made]).others] == ["/x/1"]
    assert differences(before, after, [either]).others == ()
    assert differences({"/x/1": {"a": 1}}, {"/x/1": {}}, [Excused("/x/1/a", "a property may go")]).others == ()


def test_slashes_in_names_are_no_paths() -> None:
    found = differences({"hosts": {"a/b~c": 1}}, {"hosts": {"a/b~c": 2}}).others
    assert found == (Difference("/hosts/a~1b~0c", 1, 2),)


def test_a_proof_collects_over_several_comparisons() -> None:
    proof, same = Proof(), Snapshot({"hosts": {}}, {"/x/1": {"a": 1}})
    changed = Snapshot({"hosts": {}}, {"/x/1": {"a": 2}})
    once, never = Excused("/x/1/a", "it moves"), Excused("/x/2", "it never comes")

    proof.compare("First", same, same, [once])
    proof.compare("Then", same, changed, [once, never])
    proof.end()
    assert proof.wrong == [
        "The exception /x/2 (it never comes) was not needed: "
        "what it excuses was left out, or it can go from the list."
    ]

    proof.compare("Last", Snapshot({"hosts": {"h": 1}}, {}), Snapshot({"hosts": {"h": 2}}, {}))
    assert proof.wrong[1:] == ["Last, what clients observe differs at /hosts/h: 1 became 2."]


def test_resolvers_hold_the_old_target_unless_the_flip_waited(clouds: Clouds) -> None:
    """An hour is the TTL: nobody waits for it at first, everybody after it is 60 s for an hour."""
    clouds.clock.move(timedelta(days=1))
    hasty, patient = (Clients.of(clouds, "auth.ibimina.rw") for _ in range(2))
    for clients in (hasty, patient):
        clients.ask(timedelta(hours=1))
    now = clouds.clock.now
    clouds.store.change("cloudflare", RECORD, "r2", content="new.supabase.co", modifiedOn=now().isoformat())
    assert 0.9 < hasty.share_on("ibiminaprodplacehold.supabase.co") < 1

    clouds.store.change("cloudflare", RECORD, "r2", content="ibiminaprodplacehold.supabase.co", ttl=60)
    clouds.clock.move(timedelta(hours=1))
    patient.ask(timedelta(minutes=10))
    clouds.store.change("cloudflare", RECORD, "r2", content="new.supabase.co", modifiedOn=now().isoformat())
    assert patient.share_on("ibiminaprodplacehold.supabase.co") == 0
    assert patient.share_on("new.supabase.co") == 1
