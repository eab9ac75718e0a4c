"""The stack files of the checkout as the rehearsal uses them: everything but their secrets, which are made up."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from runbook import platforms
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE
from runbook.model.secrets_needed import cutover_secrets, required_secrets
from runbook.model.settings import Contact, PagerDutyContact, Settings, SlackContact, WebhookContact
from runbook.rehearsal.problems import RehearsalError

# What belongs to somebody's real stack: their secrets, and how the key to those is made.
_THEIRS = ("encryptionsalt", "encryptedkey", "secretsprovider")


@dataclass(frozen=True)
class StackFile:
    """One stack file. `platform` is None where the file names none that is known: the program then says so."""

    stack: str
    whole: Mapping[str, Any]
    platform: Platform | None
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> dict[str, Any]:
        """The config without its namespace."""
        return {key.removeprefix(f"{NAMESPACE}:"): value for key, value in (self.whole.get("config") or {}).items()}

    @property
    def title(self) -> str:
        """The platform's name for people."""
        return self.platform.title if self.platform else str(self.config.get("platform"))

    def without_secrets(self) -> str:
        """The file's text without anything that was encrypted for somebody's real stack."""
        kept = {key: value for key, value in self.whole.items() if key not in _THEIRS}
        kept["config"] = {key: value for key, value in self.whole["config"].items() if key != f"{NAMESPACE}:secrets"}
        return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)


def known(root: Path) -> list[str]:
    """The stacks that have a file in the checkout."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))


def load(root: Path, stack: str) -> StackFile:
    """One stack file, with a fresh random value for each secret. Raises: RehearsalError where there is none."""
    if stack not in known(root):
        near = difflib.get_close_matches(stack, known(root), 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise RehearsalError(f"There is no stack {stack}: the stacks here are {', '.join(known(root))}.{meant}")
    try:
        whole = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise RehearsalError(f"Pulumi.{stack}.yaml is no valid YAML{line}: mend it and try again.") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("config"), dict):
        raise RehearsalError(f"Pulumi.{stack}.yaml has no section config: copy the shape of another stack file.")
    name = whole["config"].get(f"{NAMESPACE}:platform")
    if name not in platforms.names():
        return StackFile(stack, whole, None, {})
    platform = platforms.load(name)
    return StackFile(stack, whole, platform, made_up(platform, whole["config"].get(f"{NAMESPACE}:owners") or {}))


def made_up(platform: Platform, owners: Any) -> dict[str, str]:
    """A random value for each secret that the platform and these owners need, in the form that each must have.

    Owners that are not valid count as none: the program refuses them, and asks for none of their secrets.
    """
    try:
        found = TypeAdapter(dict[str, list[Contact]]).validate_python(owners)
    except ValidationError:
        found = {}
    webhooks = {
        contact.secret
        for contacts in found.values()
        for contact in contacts
        if isinstance(contact, SlackContact | WebhookContact)
    }
    settings = Settings.model_construct(owners=found)
    names = {**required_secrets(platform, settings), **cutover_secrets(platform, settings)}
    pagers = {each.secret for owner in found.values() for each in owner if isinstance(each, PagerDutyContact)}
    made = {name: _value(name in webhooks or name.endswith("_WEBHOOK")) for name in names}
    made |= {name: made[name][:32] for name in pagers}  # as long as PagerDuty's keys are
    if "LOGIN_EMAIL" in made:
        made["LOGIN_EMAIL"] = f"rehearsal-{made['LOGIN_EMAIL'][:8]}@made-up.example"
    return made


def _value(url: bool) -> str:
    # 40 letters and digits are what Cloudflare's provider wants of a token.
    random = secrets.token_hex(20)
    return f"https://made-up.example/{random}" if url else random
