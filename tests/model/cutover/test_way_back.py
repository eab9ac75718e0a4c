from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime

import pytest

from runbook.model.cutover import texts
from runbook.model.cutover.generations import generation_of
from runbook.model.cutover.observed import Observed, SeenBuild, SeenRecord
from runbook.model.cutover.way_back import page
from tests.model.cutover.papers import (
    MEMBER,
    NEW_AUTH,
    NEW_HOST,
    NEW_REF,
    OLD_AUTH,
    OLD_REF,
    SAME_HOST,
    ZONE_ID,
    cutover,
    observed,
    settings,
)
from tests.stacks import STACKS, platform, raw, secrets

IBIMINA = platform("prod")
SAME, NEW = settings(cutover(SAME_HOST)), settings(cutover(NEW_HOST))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(text: str, fence: str = "sh") -> list[str]:
    return [body for kind, body in FENCE.findall(text) if kind == fence]


def words(text: str) -> list[list[str]]:
    """Each call of a `sh` block, as the shell reads it."""
    lines = "".join(blocks(text)[1:]).replace("\\\n", "").splitlines()
    return [call for line in lines if (call := shlex.split(line)) and call[0].startswith(("ask_", "call"))]


def titles(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.M)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_without_a_cutover_there_is_no_page() -> None:
    steady = settings(cutover(SAME_HOST)).model_copy(update={"cutover": None})
    assert page(IBIMINA, steady, observed(), ZONE_ID) == ""


def test_the_head_says_what_is_taken_back_and_when() -> None:
    text = flat(page(IBIMINA, NEW, observed(), ZONE_ID))
    assert "# The way back of Ibimina prod For the person on call" in text
    assert "Stack: ibimina-prod, zone ibimina.rw" in text
    assert (
        f"release v1.0.0 to v1.1.0; auth host {OLD_AUTH} to {NEW_AUTH}; Supabase project {OLD_REF} to {NEW_REF}; "
        f"target of auth {OLD_REF}.supabase.co to {NEW_REF}.supabase.co"
    ) in text
    assert "2026-12-05 22:00 to 2026-12-05 23:30 Africa/Kigali (20:00 to 21:30 UTC)" in text
    assert f"{OLD_AUTH} CNAME {OLD_REF}.supabase.co, TTL 60, last changed 2026-12-05 18:00:30 UTC" in text
    assert "staff at Vercel: dpl_staff (https://s.vercel.app, READY)" in text


def test_all_steps_stand_in_their_order() -> None:
    assert titles(page(IBIMINA, SAME, observed(), ZONE_ID)) == [
        "Before the first step",
        "1. Put DNS back",
        "2. Put the builds back",
        "3. Let Supabase answer as before",
        "4. Empty Cloudflare's caches",
        "5. Deploy the functions again",
        "6. Check",
        "7. Before a next release: put the projects' env back",
        "8. Database, only if a migration broke sign-in",
        "9. Whom to call, and what cannot be undone",
        "10. Afterwards: tell Pulumi",
    ]


def test_every_call_with_its_values() -> None:
    zone = f"https://api.cloudflare.com/client/v4/zones/{ZONE_ID}"
    hostname = f"https://api.supabase.com/v1/projects/{OLD_REF}/custom-hostname"
    vercel = "https://api.vercel.com/v1/projects"
    record = json.dumps({"content": f"{OLD_REF}.supabase.co", "ttl": 60, "proxied": False})
    assert words(page(IBIMINA, SAME, observed(), ZONE_ID)) == [
        ["ask_cloudflare", "--request", "PATCH", f"{zone}/dns_records/record-old", "--data", record],
        ["ask_vercel", "--request", "POST", f"{vercel}/prj_staff/rollback/dpl_staff?slug=ibimina", "--data", "{}"],
        ["ask_vercel", "--request", "POST", f"{vercel}/prj_member/rollback/dpl_member?slug=ibimina", "--data", "{}"],
        ["ask_supabase", "--request", "POST", f"{hostname}/reverify", "--data", "{}"],
        ["ask_supabase", "--request", "POST", f"{hostname}/activate", "--data", "{}"],
        [
            "ask_cloudflare", "--request", "POST", f"{zone}/purge_cache",
            "--data", json.dumps({"hosts": ["app.ibimina.rw", "staff.ibimina.rw"]}),
        ],
        ["call", "https://staff.ibimina.rw/api/healthz"],
        ["call", "https://app.ibimina.rw/api/health"],
        ["call", f"https://{OLD_AUTH}/auth/v1/.well-known/jwks.json"],
    ]  # fmt: skip


def test_a_new_auth_host_leaves_the_new_name_and_can_make_the_old_one_anew() -> None:
    new = SeenRecord("record-new", NEW_AUTH, "CNAME", f"{NEW_REF}.supabase.co", 60, False, datetime.now(UTC))
    text = page(IBIMINA, NEW, observed(new), ZONE_ID)
    assert [call[3].rpartition("/")[2] for call in words(text) if "PATCH" in call] == ["record-old"]
    (made,) = [body for body in blocks(text, "text") if "dns_records" in body]
    assert json.loads(shlex.split(made.replace("\\\n", ""))[-1]) == {
        "name": OLD_AUTH, "type": "CNAME", "content": f"{OLD_REF}.supabase.co", "ttl": 60, "proxied": False,
    }  # fmt: skip
    assert f"https://{OLD_AUTH}/auth/v1/.well-known/jwks.json" in text
    assert f"https://{NEW_AUTH}" not in text


def test_the_page_is_the_same_in_each_phase() -> None:
    flipped = settings(cutover(NEW_HOST, phase="flipped"))
    assert page(IBIMINA, flipped, observed(), ZONE_ID) == page(IBIMINA, NEW, observed(), ZONE_ID)


def test_a_proxied_name_keeps_its_automatic_ttl() -> None:
    apps = raw("prod")["apps"] | {"auth": {"proxied": True}}
    proxied = settings(cutover(NEW_HOST), apps=apps)
    text = page(IBIMINA, proxied, observed(), ZONE_ID)
    (patch,) = [call for call in words(text) if "PATCH" in call]
    assert json.loads(patch[-1]) == {"content": f"{OLD_REF}.supabase.co", "ttl": 1, "proxied": True}
    assert f"Cache Rules, let that of sign-in name {OLD_AUTH}." in flat(text)
    assert "dig" not in text  # every name is Cloudflare's own: its servers tell nothing of the targets


def test_the_next_build_is_no_way_back() -> None:
    coming = SeenBuild("dpl_next", "n.vercel.app", "READY")
    seen = observed(serving={"staff": coming, "member": MEMBER}, next_builds={"staff": coming})
    text = page(IBIMINA, SAME, seen, ZONE_ID)
    assert "rollback/dpl_next" not in text
    assert "the build that served was not seen. In Vercel's dashboard, project ibimina-staff-prod" in flat(text)
    known = page(IBIMINA, SAME, seen, ZONE_ID, {"staff": "dpl_staff"})
    assert "prj_staff/rollback/dpl_staff" in known
    assert "was not seen" not in flat(known)


def test_what_was_not_seen_is_a_step_by_hand() -> None:
    text = flat(page(IBIMINA, SAME, Observed(), ZONE_ID))
    assert f"Records, make {OLD_AUTH} a CNAME record to {OLD_REF}.supabase.co, TTL 60." in text
    assert text.count("Instant Rollback.") == 2
    assert "nothing: the clouds did not answer" in text
    assert "PATCH" not in text
    assert "rollback/" not in text


def test_steps_by_hand_say_what_to_set_and_whom_to_call() -> None:
    text = flat(page(IBIMINA, NEW, observed(), ZONE_ID))
    assert f"ibimina-staff-prod: `NEXT_PUBLIC_SUPABASE_URL` is `https://{OLD_AUTH}`" in text
    assert f"ibimina-member-prod: `SUPABASE_PROJECT_REF` is `{OLD_REF}`" in text
    assert "ibimina-staff-prod: remove `FEATURE`" in text
    assert "TRUSTED_COOKIE_SECRET" not in text  # a renewed secret stays at its new generation
    assert "Source of metrics-exporter: supabase/functions/metrics-exporter, at v1.0.0." in text
    assert f"git checkout v1.0.0 supabase functions deploy metrics-exporter --project-ref {OLD_REF}" in text
    assert "engineer, who answers for this cutover: PagerDuty, the service of the key PAGERDUTY_ON_CALL" in text
    assert "#ops-alerts: Slack #ops-alerts" in text
    assert "Product owner: mail to product-owner@ibimina.rw" in text
    assert f"Supabase project ref: {OLD_REF} and {NEW_REF}" in text
    assert all(line in text for line in (*IBIMINA.recovery.support, *texts.cannot_be_undone(IBIMINA)))


def test_the_database_command_is_shown_as_unverified_and_never_run() -> None:
    text = page(IBIMINA, SAME, observed(), ZONE_ID)
    assert f"```text\n{IBIMINA.recovery.revert}\n```" in text
    assert "As in the runbook, unverified: not run by anything here." in flat(text)
    assert not [body for body in blocks(text) if "migration" in body]


def test_a_function_without_a_source_says_so() -> None:
    text = page(IBIMINA, settings(cutover(SAME_HOST, functions={})), observed(), ZONE_ID)
    assert "Source of metrics-exporter: not named in the stack's config: ask its owner." in flat(text)
    assert "git checkout" not in text


def test_a_platform_without_sign_in_has_fewer_steps() -> None:
    next = {"release": "v2", "targets": {"api": "192.0.2.99"}}
    block = cutover(next, owners=["messaging"], backOut=["voice-api"], functions={})
    at = datetime(2026, 12, 5, 18, tzinfo=UTC)
    seen = Observed(records=(SeenRecord("record-api", "api.easymo.example", "A", "192.0.2.10", 60, False, at),))
    text = page(platform("easymo-prod"), settings(block, "easymo-prod"), seen, ZONE_ID, {"admin": "dpl_admin"})
    assert [title.partition(". ")[2] or title for title in titles(text)] == [
        "Before the first step", "Put DNS back", "Put the builds back", "Check",
        "Whom to call, and what cannot be undone", "Afterwards: tell Pulumi",
    ]  # fmt: skip
    assert '{"content": "192.0.2.10", "ttl": 60, "proxied": false}' in text
    assert "projects/easymo-admin-prod/rollback/dpl_admin?slug=easymo" in text
    assert "SUPABASE_ACCESS_TOKEN" not in text


def test_a_cutover_that_moves_no_name_has_no_dns_step() -> None:
    text = page(IBIMINA, settings(cutover({"supabaseRef": NEW_REF})), observed(), ZONE_ID)
    assert "1. Put the builds back" in titles(text)
    assert "dns_records" not in text


def test_a_team_by_its_id_and_names_that_a_shell_would_read_are_quoted() -> None:
    vercel = raw("prod")["vercel"]
    team = settings(cutover(SAME_HOST), vercel=vercel | {"team": "team_1"})
    assert "rollback/dpl_staff?teamId=team_1'" in page(IBIMINA, team, observed(), ZONE_ID)
    odd = settings(cutover(SAME_HOST), vercel=vercel | {"team": "o'; touch $(id)"})
    assert words(page(IBIMINA, odd, observed(), ZONE_ID))[1][3].endswith("?slug=o%27%3B%20touch%20%24%28id%29")


def test_every_interface_is_the_configured_one() -> None:
    here = {
        "cloudflare": "http://127.0.0.1:81/c",
        "vercel": "http://127.0.0.1:81/v",
        "supabase": "http://127.0.0.1:81/s",
    }
    ends = {**here, "httpsPort": 8443, "ca": "/tmp/the ca.pem"}
    calls = words(page(IBIMINA, settings(cutover(SAME_HOST), endpoints=ends), observed(), ZONE_ID))
    assert {call[0]: call[3].rsplit("/", 4)[0] for call in calls if call[0] != "call"}.keys() == {
        "ask_cloudflare", "ask_vercel", "ask_supabase",
    }  # fmt: skip
    for call in calls:
        if call[0] == "call":
            assert call[1:3] == ["--cacert", "/tmp/the ca.pem"]
            assert ":8443/" in call[3]
        else:
            assert call[3].startswith(here[call[0].removeprefix("ask_")])


@pytest.mark.parametrize("stack", STACKS)
def test_no_secret_stands_on_the_page(stack: str) -> None:
    easymo = {"owners": ["messaging"], "backOut": ["voice-api"], "functions": {}} if "easymo" in stack else {}
    chosen = settings(cutover({"supabaseRef": NEW_REF}, **easymo), stack)
    text = page(platform(stack), chosen, observed(), ZONE_ID)
    assert text
    held = {
        f"{name}/{number}": generation_of(secret, name, number)
        for name, secret in chosen.secrets.items()
        for number in (1, 2)
    }
    assert held.keys() >= {f"{name}/1" for name in secrets(stack)}
    assert [name for name, secret in held.items() if secret.get_secret_value() in text] == []


def test_a_token_stands_only_where_curl_reads_it_from_its_standard_input() -> None:
    text = page(IBIMINA, SAME, observed(), ZONE_ID)
    used = [line for line in text.splitlines() if "_TOKEN" in line and "$" in line]
    assert sorted(used) == sorted(
        line
        for name in ("CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "SUPABASE_ACCESS_TOKEN")
        for line in (f': "${{{name}:?is not set}}"', f"Authorization: Bearer ${name}")
    )


def test_lines_are_short_and_the_text_follows_from_its_input_alone() -> None:
    text = page(IBIMINA, SAME, observed(), ZONE_ID)
    assert text == page(IBIMINA, settings(cutover(SAME_HOST)), observed(), ZONE_ID)
    assert [line for line in FENCE.sub("", text).splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("given", [cutover(SAME_HOST), cutover(NEW_HOST), cutover({"supabaseRef": NEW_REF})])
def test_every_block_is_shell(given: dict[str, object]) -> None:
    text = page(IBIMINA, settings(given), observed(), ZONE_ID)
    for body in [*blocks(text), *blocks(text, "text")]:
        subprocess.run(["sh", "-n"], input=body, text=True, check=True)
