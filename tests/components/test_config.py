"""How stack config comes from the engine: objects as JSON texts, secrets told from clear text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.config import own_operations, read_stack
from runbook.model.problems import ConfigError
from tests import stacks
from tests.components.recording import program

TOKEN = {"VERCEL_API_TOKEN": "0123456789abcdef01234567"}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sets what the engine would hand over; the stack file of prod is in the current folder, without secrets."""

    def give(secrets: object, *, encrypted: bool = True, stored: object = None) -> None:
        config = {f"runbook:{key}": _text(value) for key, value in {**stacks.raw("prod"), "secrets": secrets}.items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(config))
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["runbook:secrets"] if encrypted else []))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": {"runbook:secrets": stored}}))
        monkeypatch.setattr(pulumi, "get_stack", lambda: "prod")

    return give


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _refused() -> str:
    with pytest.raises(ConfigError) as refused:
        read_stack()
    return str(refused.value)


def test_a_whole_config_is_read(engine: Any) -> None:
    engine(stacks.secrets("prod"))
    platform, settings = read_stack()
    assert (platform.name, settings) == ("ibimina", stacks.settings("prod"))


def test_secrets_set_without_encryption_are_refused(engine: Any) -> None:
    engine(stacks.secrets("prod"), encrypted=False)
    assert _refused().count("clear text") == len(stacks.secrets("prod"))


def test_one_secret_in_clear_text_beside_encrypted_ones_is_refused(engine: Any) -> None:
    """The engine calls the whole object secret then; only the stack file tells."""
    stored = {name: {"secure": "v1:…"} for name in stacks.secrets("prod")} | TOKEN
    engine(stacks.secrets("prod") | TOKEN, stored=stored)
    message = _refused()
    assert "runbook:secrets.VERCEL_API_TOKEN" in message
    assert "1 problem" in message
    assert TOKEN["VERCEL_API_TOKEN"] not in message


def test_secrets_set_as_one_encrypted_text_are_read(engine: Any) -> None:
    engine(stacks.secrets("prod"), stored={"secure": "v1:…"})
    assert read_stack()[1].secrets.keys() == stacks.secrets("prod").keys()


def test_a_broken_object_is_a_problem_and_is_not_shown(engine: Any) -> None:
    engine('{"VERCEL_API_TOKEN": "0123456789abcdef01234567"')
    message = _refused()
    assert "runbook:secrets" in message
    assert "0123456789abcdef" not in message


def test_the_companys_own_dashboard_is_read_from_its_path(engine: Any, tmp_path: Path) -> None:
    settings = stacks.settings("prod")
    own = settings.model_copy(
        update={"grafana": settings.grafana.model_copy(update={"operations_dashboard": "infra/operations.json"})}
    )
    engine(stacks.secrets("prod"))
    with pytest.raises(ConfigError, match="operationsDashboard"):
        own_operations(own)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "operations.json").write_text(json.dumps({"title": "Operations", "panels": []}))
    board = own_operations(own)
    assert board is not None
    assert board.title == "Operations"
    assert own_operations(settings) is None


def test_the_refusal_ends_the_program_without_a_traceback(engine: Any) -> None:
    """`RunError` is what the engine's Python host prints as one error instead of a traceback."""
    engine({})
    with pytest.raises(pulumi.RunError, match="nothing was changed"):
        program()
