"""The way of one stack: first update, prepared, a flip that is stopped half-way, back, an earlier file, steady."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runbook.cli.progress import STOPPING
from runbook.cli.running import left_behind
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.cutover import company
from tests.cli.engine.ground import Ground, cutover_block, wait_until

Done = subprocess.CompletedProcess[str]


@dataclass
class Journey:
    """What each command did, by a name for it."""

    done: dict[str, Done] = field(default_factory=dict)
    json: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def travel(at: Ground) -> Journey:
    seen = Journey()
    _hashes(at, seen)
    _first_update(at, seen)
    _prepared(at, seen)
    _stopped_flip(at, seen)
    _back(at, seen)
    _without(at, seen)
    _earlier(at, seen)
    _killed(at, seen)
    return seen


def _hashes(at: Ground, seen: Journey) -> None:
    """Of a config, and of the same with another record and another secret."""
    text = at.config.text()
    seen.json["plan"] = at.json("plan")
    records = at.config.section("records")
    at.config.write(records=[{**records[0], "content": '"another"'}, *records[1:]])
    seen.json["plan, another record"] = at.json("plan")
    at.config.restore(text)
    at.set_secrets({**at.file.secrets, "TRUSTED_COOKIE_SECRET": "another" * 8})
    seen.json["plan, another secret"] = at.json("plan")
    at.config.restore(text)


def _first_update(at: Ground, seen: Journey) -> None:
    """While it runs somebody else wants to update, the terminal is closed and nobody reads any more."""
    hash = seen.json["plan"]["short"]
    seen.done["apply of another plan"] = at.run("apply", "--plan", seen.json["plan, another record"]["short"])
    reader, writer = os.pipe()
    with at.unanswered("Create", RECORD):
        first = at.start(writer, "apply", "--plan", hash)
        os.close(writer)
        wait_until(lambda: bool(at.locks()) or first.poll() is not None)
        seen.done["rollback while locked"] = at.run("rollback")
        seen.json["status while locked"] = at.json("status")
        os.close(reader)
        os.killpg(first.pid, signal.SIGHUP)
    seen.done["apply"] = Done((), first.wait(timeout=300), "", "")
    seen.json["status after apply"] = at.json("status")


def _prepared(at: Ground, seen: Journey) -> None:
    assert at.file.platform is not None
    company.release_all(at.clouds, at.file.platform, "prod", "v1.0.0")
    at.config.write(cutover=cutover_block(at, "steady"))
    seen.done["phase prepared"] = at.run("phase", "prepared")
    at.commit("Prepared")
    seen.done["plan as markdown"] = at.run("plan", "--markdown")
    hash = _hash(seen.done["plan as markdown"].stdout)
    seen.json["apply prepared"] = at.json("apply", "--plan", hash)
    seen.json["status prepared"] = at.json("status")


def _stopped_flip(at: Ground, seen: Journey) -> None:
    at.run("phase", "flipped")
    seen.done["plan too early"] = at.run("plan", "--markdown")
    at.clouds.clock.move(timedelta(hours=2))
    seen.texts["commit of 1-flip"] = at.commit("Flipped")
    seen.done["plan with a target"] = at.run("plan", "--target", "urn:pulumi:prod::x::y::z")
    seen.done["plan of the flip"] = at.run("plan")
    hash = seen.done["plan of the flip"].stdout.split("Plan ")[1][:12]
    one = {"CUTOVER_AUTHOR": "ada", "CUTOVER_APPROVER": "Ada"}
    seen.done["apply by one person"] = at.run("apply", "--plan", hash, **one)
    out = at.folder / "out" / "stopped.txt"
    with out.open("w") as output:
        with at.unanswered("Update", RECORD):  # the switch, which comes after the end of the sessions
            flip = at.start(output.fileno(), "apply", "--plan", hash)
            wait_until(lambda: "end-sessions" in out.read_text() or flip.poll() is not None)
            os.killpg(flip.pid, signal.SIGINT)
            os.killpg(flip.pid, signal.SIGINT)
            wait_until(lambda: STOPPING.split()[0] in out.read_text())
        code = flip.wait(timeout=300)
    seen.done["apply, stopped"] = Done((), code, out.read_text(), "")
    seen.texts["locks after the stop"] = str(at.locks())
    seen.json["status, half flipped"] = at.json("status")


def _back(at: Ground, seen: Journey) -> None:
    """Its stack file is committed, as a revert is: so the ledger has a commit for it."""
    seen.done["rollback to the flip under way"] = at.run("rollback", "--to", "1-flip")
    at.run("phase", "rolled-back")
    seen.texts["committed for 2-back"] = at.config.text()
    seen.texts["commit of 2-back"] = at.commit("Back")
    answers = [("Who [", "Ada of the night shift"), ("Why: ", "Sign-in failed")]
    seen.done["rollback"] = at.on_terminal("rollback", answers=answers)
    seen.texts["file after rollback"] = at.config.text()
    seen.done["rollback again"] = at.run("rollback")
    seen.json["rollback again"] = at.json("rollback")
    seen.done["evidence"] = at.run("evidence")
    seen.done["evidence, signed anew"] = at.run("evidence", "2-back", "--by", "On call", "--why", "It was the DNS")
    seen.json["evidence"] = at.json("evidence")
    seen.json["status, back"] = at.json("status")
    seen.done["way-back"] = at.run("way-back")
    seen.done["evidence, nobody reads"] = at.unread("evidence")
    seen.done["drift, none"] = at.run("drift")
    record = at.record("app.ibimina.rw")
    at.put(record, content="elsewhere.example.com")
    seen.done["drift"] = at.run("drift", "--json")
    seen.json["drift"] = json.loads(seen.done["drift"].stdout)
    at.put(record)


def _without(at: Ground, seen: Journey) -> None:
    """What the commands need of a machine, and it does not have."""
    gone = (at.folder / "out" / "no state here").as_uri()
    seen.done["rollback without state"] = at.run("rollback", PULUMI_BACKEND_URL=gone)
    (at.folder / "out" / "other").mkdir()
    elsewhere = (at.folder / "out" / "other").as_uri()
    seen.done["plan elsewhere"] = at.run("plan", PULUMI_BACKEND_URL=elsewhere)
    seen.done["plan, wrong passphrase"] = at.run("plan", "--json", PULUMI_CONFIG_PASSPHRASE="another")


def _earlier(at: Ground, seen: Journey) -> None:
    """The file of 1-flip asks to go forward again, so it is not restored. That of 2-back comes from git, over edits
    that nobody has committed; and from the engine's history where the clone has the last commit alone, as in CI."""
    seen.done["rollback to 1-flip"] = at.run("rollback", "--to", "1-flip")
    seen.texts["file after rollback to 1-flip"] = at.config.text()
    at.config.write(cutover=None)
    seen.texts["edited file"] = at.config.text()
    seen.done["rollback to 2-back"] = at.run("rollback", "--to", "2-back")
    seen.texts["file after rollback to 2-back"] = at.config.text()
    at.config.restore(seen.texts["edited file"])
    at.commit("The cutover is over")
    at.shallow()
    seen.done["rollback to 2-back, from history"] = at.run("rollback", "--to", "2-back")
    seen.texts["file from history"] = at.config.text()
    seen.done["rollback to 9-flip"] = at.run("rollback", "--to", "9-flip")


def _killed(at: Ground, seen: Journey) -> None:
    """`kill -9` of the command, in the middle of an `up`: the engine goes on alone."""
    at.run("phase", "steady")
    plan = at.json("plan")
    assert (plan["refused"], plan["against"]) == ("", []), plan
    with at.unanswered("Update", RECORD):
        update = at.start(subprocess.DEVNULL, "apply", "--plan", plan["short"])
        wait_until(lambda: bool(at.locks()) or update.poll() is not None)
        os.kill(update.pid, signal.SIGKILL)
        update.wait()
        seen.json["status, killed"] = at.json("status")
    wait_until(lambda: not (left_behind(at.folder / "out" / "cutover" / "prod") or {}).get("alive"))
    seen.json["status, over"] = at.json("status")


def _hash(markdown: str) -> str:
    return markdown.split("--plan ")[1].split("`")[0].strip()


def secrets_in(at: Ground) -> Mapping[str, list[str]]:
    """Names of secrets found in the clear, by the file below out/ that holds them."""
    found: dict[str, list[str]] = {}
    for file in sorted(at.folder.joinpath("out").rglob("*")):
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            held = [name for name, value in at.file.secrets.items() if value in text or json.dumps(value) in text]
            if held:
                found[file.name] = held
    return found
