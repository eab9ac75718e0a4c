"""Supabase's projects: what is sent, what is kept, and that a second act does nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.steps.cases import REF
from tests.steps.misbehaving import Reply, Server

Make = Callable[..., Call]
TOKEN = {"SUPABASE_ACCESS_TOKEN": "sbp_0123456789"}
CONFIG = f"/v1/projects/{REF}/config/auth"
HOST = f"/v1/projects/{REF}/custom-hostname"
ACTIVE = "5_services_reconfigured"


def failing(kind: Kind, call: Call) -> str:
    with pytest.raises(StepError) as error:
        act(kind, call)
    return str(error.value)


def test_sessions_end_in_one_query_that_counts_them(server: Server, call: Make) -> None:
    route = f"POST /v1/projects/{REF}/database/query"
    server.on(route, Reply(201, [{"sessions": 12, "refresh_tokens": "3"}]))
    evidence = act(Kind.END_SESSIONS, call({"ref": REF}, TOKEN))
    assert evidence == {"ref": REF, "sessions": 12, "refresh_tokens": 3}
    assert server.only(route).json == {
        "query": "WITH ended AS (DELETE FROM auth.sessions RETURNING 1),\n"
        "left_over AS (DELETE FROM auth.refresh_tokens WHERE session_id IS NULL RETURNING 1)\n"
        "SELECT (SELECT count(*) FROM ended) AS sessions, (SELECT count(*) FROM left_over) AS refresh_tokens"
    }


def settings(server: Server, call: Call, now: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The evidence, and what was sent, None when nothing was."""
    server.asked.clear()
    server.on(f"GET {CONFIG}", now)
    server.on(f"PATCH {CONFIG}", {})
    evidence = act(Kind.AUTH_SETTINGS, call)
    sent = server.all(f"PATCH {CONFIG}")
    return evidence[REF], sent[0].json if sent else None


OURS = ["https://new.example/**", "https://old.example/**"]
WANTED = {"refs": {REF: {"site_url": "https://new.example", "uri_allow_list": OURS}}}


def test_only_what_differs_is_sent(server: Server, call: Make) -> None:
    now: dict[str, Any] = {"site_url": "https://old.example", "uri_allow_list": ",".join(OURS), "jwt_exp": 3600}
    evidence, sent = settings(server, call(WANTED, TOKEN), now)
    assert sent == {"site_url": "https://new.example"}
    assert evidence == {"changed": ["site_url"], "already": False, "ours": []}
    evidence, sent = settings(server, call(WANTED, TOKEN), {**now, **sent})
    assert sent is None
    assert evidence == {"changed": [], "already": True, "ours": []}


def test_nothing_is_sent_to_one_project_while_another_cannot_be_seen(server: Server, call: Make) -> None:
    """What was added there would be forgotten, and never taken back."""
    wanted: dict[str, Any] = {"uri_allow_list": OURS}
    server.on(f"GET {CONFIG}", {"site_url": "https://old.example", "uri_allow_list": None})
    server.on(f"PATCH {CONFIG}", {})
    server.on("GET /v1/projects/next/config/auth", Reply(403, {"message": "no"}))
    said = failing(Kind.AUTH_SETTINGS, call({"refs": {REF: wanted, "next": wanted}}, TOKEN))
    assert said.startswith("Supabase answered 403 to GET /v1/projects/next/config/auth: no.")
    assert f"PATCH {CONFIG}" not in server.routes()


def test_redirects_that_were_there_before_are_not_ours_to_take_away(server: Server, call: Make) -> None:
    now = {"site_url": "https://old.example", "uri_allow_list": OURS[0]}
    evidence, _ = settings(server, call({"refs": {REF: {"uri_allow_list": OURS}}}, TOKEN), now)
    assert evidence["ours"] == OURS[1:]
    later = {**now, "uri_allow_list": ",".join(OURS)}
    wanted: dict[str, Any] = {"refs": {REF: {"uri_allow_list": []}}}
    _, sent = settings(server, call(wanted, TOKEN, before={REF: evidence}), later)
    assert sent == {"uri_allow_list": OURS[0]}


def test_redirects_that_someone_else_added_stay(server: Server, call: Make) -> None:
    now = {"site_url": "https://new.example", "uri_allow_list": "https://theirs.example, https://old.example/**"}
    evidence, sent = settings(server, call(WANTED, TOKEN), now)
    assert sent == {"uri_allow_list": "https://theirs.example,https://old.example/**,https://new.example/**"}
    assert evidence["changed"] == ["uri_allow_list"]


def test_redirects_of_ours_go_again(server: Server, call: Make) -> None:
    wanted: dict[str, Any] = {"uri_allow_list": ["https://old.example/**"]}
    now = {"site_url": "https://old.example", "uri_allow_list": ",".join([*OURS, "https://theirs.example"])}
    evidence, sent = settings(server, call({"refs": {REF: wanted}}, TOKEN, before={REF: {"ours": OURS}}), now)
    assert sent == {"uri_allow_list": "https://old.example/**,https://theirs.example"}
    assert evidence["ours"] == ["https://old.example/**"]


def test_a_site_url_that_nobody_named_stays(server: Server, call: Make) -> None:
    wanted = {"uri_allow_list": OURS}
    now = {"site_url": "https://theirs.example", "uri_allow_list": ",".join(OURS)}
    evidence, sent = settings(server, call({"refs": {REF: wanted}}, TOKEN), now)
    assert sent is None
    assert evidence["already"] is True


def test_a_project_without_redirects(server: Server, call: Make) -> None:
    _, sent = settings(server, call(WANTED, TOKEN), {"site_url": "https://new.example", "uri_allow_list": None})
    assert sent == {"uri_allow_list": ",".join(OURS)}


HOSTED = {"ref": REF, "host": "auth.example"}


def known(name: str, status: str) -> dict[str, str]:
    return {"custom_hostname": name, "status": status}


@pytest.mark.parametrize(
    "found",
    [Reply(404, {"message": "none"}), known("", "1_not_started"), known("other.example", "2_initiated")],
    ids=["never", "empty", "another one that does not serve"],
)
def test_a_host_name_is_registered(server: Server, call: Make, found: Any) -> None:
    server.on(f"GET {HOST}", found)
    server.on(f"POST {HOST}/initialize", Reply(201, known("auth.example", "2_initiated")))
    server.on(f"POST {HOST}/reverify", Reply(201, known("auth.example", "4_origin_setup_completed")))
    server.on(f"POST {HOST}/activate", Reply(201, known("auth.example", ACTIVE)))
    evidence = act(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN))
    assert evidence == {"host": "auth.example", "status": ACTIVE, "already": False}
    assert server.only(f"POST {HOST}/initialize").json == {"custom_hostname": "auth.example"}
    assert server.routes() == [
        f"GET {HOST}",
        *(f"POST {HOST}/{one}" for one in ("initialize", "reverify", "activate")),
    ]


def test_nothing_is_left_to_do_for_a_host_name(server: Server, call: Make) -> None:
    server.on(f"GET {HOST}", known("auth.example", ACTIVE))
    assert act(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN)) == {
        "host": "auth.example",
        "status": ACTIVE,
        "already": True,
    }
    assert server.routes() == [f"GET {HOST}"]


def test_a_host_name_is_activated(server: Server, call: Make) -> None:
    server.on(f"GET {HOST}", known("auth.example", "2_initiated"))
    server.on(f"POST {HOST}/reverify", Reply(201, known("auth.example", "4_origin_setup_completed")))
    server.on(f"POST {HOST}/activate", Reply(201, known("auth.example", ACTIVE)))
    evidence = act(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN))
    assert evidence == {"host": "auth.example", "status": ACTIVE, "already": False}
    assert server.routes() == [f"GET {HOST}", f"POST {HOST}/reverify", f"POST {HOST}/activate"]


def test_a_host_name_that_is_not_served_yet(server: Server, call: Make) -> None:
    server.on(f"GET {HOST}", known("auth.example", "2_initiated"))
    server.on(f"POST {HOST}/reverify", Reply(201, known("auth.example", "2_initiated")))
    server.on(f"POST {HOST}/activate", Reply(201, known("auth.example", "3_challenge_verified")))
    assert failing(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN)) == (
        f"Project {REF} does not serve auth.example yet: its status is 3_challenge_verified. Check the CNAME and TXT"
        " records that Supabase names for it, then run up again."
    )


def test_a_host_name_that_is_not_verified(server: Server, call: Make) -> None:
    server.on(f"GET {HOST}", known("auth.example", "2_initiated"))
    server.on(f"POST {HOST}/reverify", Reply(201, known("auth.example", "2_initiated")))
    server.on(f"POST {HOST}/activate", Reply(400, {"message": "Not verified yet"}))
    assert failing(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN)) == (
        f"Supabase answered 400 to POST {HOST}/activate: Not verified yet. Check the CNAME and TXT records that"
        " Supabase names for it, then run up again."
    )


def test_a_host_name_that_serves_is_never_taken_away(server: Server, call: Make) -> None:
    server.on(f"GET {HOST}", known("auth.old.example", ACTIVE))
    assert failing(Kind.CUSTOM_HOSTNAME, call(HOSTED, TOKEN)) == (
        f"Project {REF} answers as auth.old.example, and Supabase keeps one custom host name per project:"
        " auth.example would take it away. Serve auth.example from another project, or remove auth.old.example by"
        " hand."
    )
    assert server.routes() == [f"GET {HOST}"]


FUNCTION = f"GET /v1/projects/{REF}/functions/metrics-exporter"
DEPLOY = f"POST /v1/projects/{REF}/functions/deploy"


def deploy(server: Server, call: Make, source: Path) -> tuple[dict[str, Any], list[tuple[str | None, bytes]]]:
    """The evidence, and the parts that were sent, by file name."""
    server.on(DEPLOY, Reply(201, {"version": 5, "slug": "metrics-exporter"}))
    args = {"ref": REF, "slug": "metrics-exporter", "source": str(source), "tag": "v1.2.3"}
    evidence = act(Kind.DEPLOY_FUNCTION, call(args, TOKEN))
    asked = server.only(DEPLOY)
    assert asked.query == {"slug": ["metrics-exporter"]}
    whole = message_from_bytes(b"content-type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + asked.raw)
    parts: Any = whole.get_payload()
    assert [part.get_param("name", header="content-disposition") for part in parts] == [
        "metadata",
        *["file"] * (len(parts) - 1),
    ]
    return evidence, [(part.get_filename(), part.get_payload(decode=True)) for part in parts]


def test_a_function_is_deployed_from_a_folder(server: Server, call: Make, tmp_path: Path) -> None:
    """What is hidden stays here: an .env is no source. Whether callers need a token stays as it is."""
    (tmp_path / "lib").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("index.ts", "lib/a.ts", ".env", ".git/config"):
        (tmp_path / name).write_text(f"// {name}")
    server.on(FUNCTION, {"version": 4, "verify_jwt": False})
    evidence, parts = deploy(server, call, tmp_path)
    assert parts[1:] == [("index.ts", b"// index.ts"), ("lib/a.ts", b"// lib/a.ts")]
    metadata = {"name": "metrics-exporter", "entrypoint_path": "index.ts", "verify_jwt": False}
    assert json.loads(parts[0][1]) == metadata
    assert {**evidence, "sha256": ""} == {"slug": "metrics-exporter", "version": 5, "tag": "v1.2.3", "sha256": ""}
    again, _ = _redeployed(server, call, tmp_path)
    assert again["sha256"] == evidence["sha256"]
    (tmp_path / "lib/a.ts").write_text("// another")
    changed, _ = _redeployed(server, call, tmp_path)
    assert changed["sha256"] != evidence["sha256"]


def _redeployed(server: Server, call: Make, source: Path) -> tuple[dict[str, Any], Any]:
    server.asked.clear()
    return deploy(server, call, source)


def test_a_new_function_is_deployed_from_a_file(server: Server, call: Make, tmp_path: Path) -> None:
    source = tmp_path / "exporter.ts"
    source.write_text("Deno.serve()")
    _, parts = deploy(server, call, source)
    assert parts[1:] == [("exporter.ts", b"Deno.serve()")]
    assert json.loads(parts[0][1]) == {"name": "metrics-exporter", "entrypoint_path": "exporter.ts"}


def test_a_function_without_a_source(server: Server, call: Make, tmp_path: Path) -> None:
    args = {"ref": REF, "slug": "metrics-exporter", "source": str(tmp_path / "none"), "tag": "v1"}
    assert failing(Kind.DEPLOY_FUNCTION, call(args, TOKEN)) == (
        f"There is no source of the function at {tmp_path}/none: name the file or the folder it is in."
    )
    for name in ("a.ts", "b.ts"):
        (tmp_path / name).touch()
    assert failing(Kind.DEPLOY_FUNCTION, call(args | {"source": str(tmp_path)}, TOKEN)) == (
        f"The folder {tmp_path} of the function has no index.ts, which is where it starts: add it, or name the one"
        " file that it is."
    )
    assert DEPLOY not in server.routes()
