"""What workflows ask of GitHub, asked of a small stand-in that keeps comments and notes every call."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runbook.model.plans import markdown
from script.forge import BOT, MOST, Forge, ForgeError, body, comment, marker, persons
from tests.stacks import ROOT

TOKEN = "made-up-token"


class GitHub(ThreadingHTTPServer):
    """One repository with one pull request, number 7."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.pulls: list[dict[str, Any]] = []
        self.approvals: list[dict[str, Any]] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def forge(self) -> Forge:
        return Forge(self.url, "ikanisa/runbook", TOKEN)

    def say(self, author: str, text: str) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"login": author}, "body": text})

    def answer(self, method: str, path: str, given: Any) -> Any:
        if found := re.fullmatch(r"/issues/7/comments\?per_page=100&page=(\d+)", path):
            start = 100 * (int(found[1]) - 1)
            return self.comments[start : start + 100]
        if path == "/issues/7/comments":
            self.say(BOT, given["body"])
            return self.comments[-1]
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            each = self.comments[int(found[1]) - 1]
            each["body"] = given["body"]
            return each
        return {
            "/commits/abc/pulls": self.pulls,
            "/commits/abc": {"author": {"login": "grace"}},
            "/actions/runs/99/approvals": self.approvals,
        }[path]


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        path = self.path.removeprefix("/repos/ikanisa/runbook")
        self.server.calls.append(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length", 0))
        given = json.loads(self.rfile.read(length)) if length else None
        allowed = self.headers["Authorization"] == f"Bearer {TOKEN}" and not self.server.refuses
        answer = json.dumps(self.server.answer(self.command, path, given) if allowed else {"message": TOKEN}).encode()
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def github() -> Iterator[GitHub]:
    server = GitHub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_comment_is_written_once_and_then_edited_in_place(github: GitHub) -> None:
    first, second = (f"{marker('prod')}\n{text}" for text in ("first", "second"))
    assert comment(github.forge(), "7", "prod", first) == "prod: written"
    assert comment(github.forge(), "7", "prod", second) == "prod: edited"
    assert [each["body"] for each in github.comments] == [second]


def test_comments_of_other_stacks_and_people_are_left_alone(github: GitHub) -> None:
    github.say("ada", f"{marker('prod')} quoted by somebody")
    github.say(BOT, f"{marker('easymo-prod')}\nanother stack's")
    before = [each["body"] for each in github.comments]
    comment(github.forge(), "7", "prod", f"{marker('prod')}\nnew")
    assert [each["body"] for each in github.comments] == [*before, f"{marker('prod')}\nnew"]


def test_a_comment_is_found_on_a_later_page(github: GitHub) -> None:
    for number in range(150):
        github.say("ada", f"talk {number}")
    github.say(BOT, f"{marker('prod')}\nold")
    assert comment(github.forge(), "7", "prod", f"{marker('prod')}\nnew") == "prod: edited"
    assert len(github.comments) == 151


def test_a_plan_is_found_again_by_the_line_it_begins_with() -> None:
    assert marker("prod") == markdown.marker("prod")


def test_the_comment_is_the_plan(tmp_path: Path) -> None:
    text = f"{marker('prod')}\n\n## Plan of prod\n"
    (tmp_path / "plan.md").write_text(text)
    (tmp_path / "said.txt").write_text("Previewing prod\n")
    assert body("prod", tmp_path) == text


def test_without_a_plan_the_comment_says_why_and_stays_one_block(tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("")
    (tmp_path / "said.txt").write_text("1 reason against this update of prod\n```\n")
    text = body("prod", tmp_path)
    assert text.startswith(marker("prod"))
    assert "1 reason against this update of prod" in text
    assert text.count("```") == 2


def test_a_comment_keeps_to_what_github_takes(tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("x" * 100_000 + "the end")
    text = body("prod", tmp_path)
    assert MOST < len(text) < 65_536
    assert "the end" in text


APPROVED = {"state": "approved", "user": {"login": "edsger"}}
REJECTED = {"state": "rejected", "user": {"login": "barbara"}}


def test_the_author_is_the_pull_requests_and_the_approver_the_runs(github: GitHub) -> None:
    github.pulls = [{"user": {"login": "ada"}}]
    github.approvals = [APPROVED, REJECTED]
    assert persons(github.forge(), "abc", "99") == {"author": "ada", "approver": "edsger"}


def test_a_commit_without_a_pull_request_and_a_run_without_approval(github: GitHub) -> None:
    github.approvals = [REJECTED]
    assert persons(github.forge(), "abc", "99") == {"author": "grace", "approver": ""}


def test_a_refusal_is_a_sentence_without_the_token(github: GitHub) -> None:
    github.refuses = True
    with pytest.raises(ForgeError) as caught:
        comment(github.forge(), "7", "prod", "x")
    assert str(caught.value) == "GitHub answered 403 to GET /issues/7/comments?per_page=100&page=1."
    assert TOKEN not in repr(github.forge())


def test_as_the_workflow_runs_it(github: GitHub, tmp_path: Path) -> None:
    for stack in ("prod", "staging"):
        folder = tmp_path / stack
        folder.mkdir()
        (folder / "plan.md").write_text(f"{marker(stack)}\nplan\n")
    done = run(github, tmp_path)
    assert (done.returncode, done.stdout) == (0, "prod: written\nstaging: written\n"), done.stderr
    assert [each["body"].splitlines()[0] for each in github.comments] == [marker("prod"), marker("staging")]


def test_a_comment_that_cannot_be_written_fails_the_run(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("of no stack")
    done = run(github, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path} has no folder of a stack, so no comment was written")
    assert github.calls == []


def run(github: GitHub, folder: Path) -> subprocess.CompletedProcess[str]:
    given = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "ikanisa/runbook", "PULL_REQUEST": "7"}
    return subprocess.run(
        [sys.executable, "-S", "-m", "script.forge", "comment", str(folder)],  # -S: no package, as before set-up
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "GITHUB_TOKEN": TOKEN, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
