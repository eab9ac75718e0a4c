"""A newcomer knows `./cutover practice start` and does what is printed. This is all of a cutover, and once back."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass, field

from runbook.rehearsal.clouds import Store
from runbook.rehearsal.clouds.cloudflare import RECORD
from tests.cli.practice.checkout import Checkout

COMMAND = re.compile(r"\./cutover(?: [\w=./+-]+)+")
BACK = "Back at once: "
MOST = 30  # commands; more would be going in circles


@dataclass
class Walk:
    """Runs the first command that the end of the last output names, or of a refusal its remedy."""

    checkout: Checkout
    done: list[str] = field(default_factory=list)

    def begin(self, command: str) -> str:
        """What the command says at its end."""
        assert len(self.done) < MOST, self.done
        ended = self.checkout.cutover(*command.split()[1:])
        self.done.append(command)
        print(f"$ {command}\n{ended.stdout}{ended.stderr}")
        for printed in COMMAND.findall(ended.stdout + ended.stderr):
            # What is pasted from a practice must never reach production.
            assert "--practice" in printed or printed.startswith("./cutover practice"), printed
        return _end(ended)

    def go_on(self, said: str, label: str = "") -> str:
        """Follow the first command, or the first one behind this label."""
        found = COMMAND.search(said, said.index(label))
        assert found, f"Nothing to go on with in:\n{said}"
        return self.begin(found[0].rstrip("."))


def _end(ended: subprocess.CompletedProcess[str]) -> str:
    """The last paragraph; of a refusal what comes before its reasons, in one line."""
    if ended.returncode == 0:
        return ended.stdout.rstrip().rpartition("\n\n")[2]
    assert ended.returncode == 3, ended.stderr
    assert "against this update" in ended.stderr, ended.stderr
    refusal = ended.stderr[ended.stderr.index("against this update") :]
    return re.sub(r"\s+", " ", refusal.partition("\n\n")[0])


def test_from_the_first_command_to_settled_and_once_back(practised: Checkout) -> None:
    walk = Walk(practised)
    said = walk.begin("./cutover practice status")
    while _phase(practised) != "settled":
        said = walk.go_on(said)
    assert _target(practised) == "192.0.2.20"
    walk.go_on(said)  # next is made current in the file: an update with it would forget what served before
    said = walk.go_on(said, BACK)
    assert _phase(practised) == "rolled-back"
    assert _target(practised) == "192.0.2.10"
    while _phase(practised) != "steady":
        said = walk.go_on(said, "When the cause is known" if "When the cause" in said else "")
    records = sorted(path.name for path in (practised.ground.folder / "out" / "evidence").glob("easymo-prod-*.json"))
    assert {"easymo-prod-1-flip.json", "easymo-prod-2-back.json"} <= set(records)
    assert {word for command in walk.done for word in command.split()} >= {
        "prepared",
        "flipped",
        "settled",
        "rollback",
    }


def _phase(checkout: Checkout) -> str:
    """What the last update was."""
    state = checkout.ground.inner / "state" / ".pulumi" / "stacks" / "runbook" / "easymo-prod.json"
    resources = json.loads(state.read_text(encoding="utf-8"))["checkpoint"]["latest"]["resources"]
    (ledger,) = (each for each in resources if each["type"].endswith("runbook:Ledger"))
    return str(ledger["inputs"]["phase"])


def _target(checkout: Checkout) -> str:
    """Where the API's name leads to, as Cloudflare has it."""
    with contextlib.closing(Store(checkout.ground.store)) as store:
        (record,) = store.find("cloudflare", RECORD, name="api.easymo.example")
        return str(record.properties["content"])
