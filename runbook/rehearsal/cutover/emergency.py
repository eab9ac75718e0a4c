"""The flip that nobody prepared: straight from steady by overrides, to a Supabase project that stands by with another
auth host, and back by a git revert of the stack file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.rehearsal.clouds.web import builds_take
from runbook.rehearsal.cutover import company, evidence
from runbook.rehearsal.cutover.acts import Stage, changes
from runbook.rehearsal.cutover.edits import Block, StackConfig, pasted
from runbook.rehearsal.cutover.exceptions import EMERGENCY, LEAVING, UNTIL_LEFT
from runbook.rehearsal.cutover.proof import Proof, Snapshot
from runbook.rehearsal.cutover.stale import Clients
from runbook.rehearsal.cutover.views import hosts_of
from runbook.rehearsal.stack_files import StackFile

NEXT_REF = "ibiminarescueplaceho"
BUILDS_TAKE = 5.0  # seconds, by the rehearsal's clock


@dataclass
class Emergency:
    """The play, and what it found. The member app is DNS-only here, and moves to another target of Vercel's: that is
    what stale resolvers are counted by."""

    stage: Stage
    file: StackFile
    out: Path

    def __post_init__(self) -> None:
        assert self.file.platform is not None
        self.platform = self.file.platform
        self.clouds = self.stage.clouds
        self.config = StackConfig(self.stage.engine.config_of(self.stage.stack))
        self.proof = Proof()
        self.new_host = f"login.{self.file.config['zone']}"
        self.hosts = hosts_of(self.platform, self.file.config, self.new_host)
        self.moved: str = self.file.config["apps"]["member"]["host"]
        self.old_target: str = self.file.config["current"]["targets"]["member"]
        self.clients = Clients.of(self.clouds, self.moved)
        self.stale = 0.0

    def play(self) -> None:
        """Raises: RehearsalError for an act that does not come out as it must; what a proof found is in `proof`."""
        before = self._begin()
        text = self.config.text()
        self._flip()
        self.config.restore(text)
        self._go_back(before)
        self.proof.end()

    def _begin(self) -> Snapshot:
        clouds, config = self.clouds, self.file.config
        apps = {**config["apps"], "member": {"host": self.moved, "ttl": 3600}}
        self.config.write(endpoints=clouds.endpoints(), apps=apps)
        company.settle_in(clouds, self.platform, config, NEXT_REF, self.new_host)
        company.hand_out(clouds, self.file.secrets, config["current"]["supabaseRef"], NEXT_REF)
        builds_take(clouds.store, BUILDS_TAKE)
        self.stage.up("steady")
        company.release_all(clouds, self.platform, config["environment"], config["current"]["release"])
        clouds.clock.move(timedelta(days=1))
        return self._snapshot()

    def _flip(self) -> None:
        stage, clouds = self.stage, self.clouds
        self.clients.ask(timedelta(hours=1))
        targets = {"auth": f"{NEXT_REF}.supabase.co", "member": "cname-2.vercel-dns.com"}
        block = Block(
            next={"authHost": self.new_host, "supabaseRef": NEXT_REF, "targets": targets},
            opens=clouds.clock.now() + timedelta(days=3),
            functions=company.sources(self.platform, self.out / "company"),
            owners=("on-call",),
            back_out=("auth-availability",),
        ).section("flipped")
        self.config.write(cutover=block)
        said = stage.refused("flipped at once", "move", "window", "opens-at", "build", "build")
        self.config.write(cutover={**block, "overrides": pasted(said)})
        name = "flipped by overrides"
        if not stage.attempt(name, "gate-build-staff"):
            name = "flipped, builds ready"
            stage.up(name)
        stage.look(name, self.hosts)
        self._evidence(name, "1-flip")
        self.stale = self.clients.share_on(self.old_target)

    def _go_back(self, before: Snapshot) -> None:
        stage = self.stage
        stage.up("back by a revert")
        self._evidence("back by a revert", "2-back")
        left = (*EMERGENCY, *UNTIL_LEFT, *LEAVING)
        self.proof.compare_hosts("Back by a revert", before, self._snapshot(), left)
        stage.up("steady again")
        self.proof.compare("Steady again", before, self._snapshot(), EMERGENCY)
        outcome = stage.preview("preview")
        stage.expect("preview", "nothing left to do", not changes(outcome), "; ".join(changes(outcome)))

    def _snapshot(self) -> Snapshot:
        return Snapshot.of(self.clouds, self.hosts)

    def _evidence(self, act: str, crossing: str) -> None:
        stack = f"{self.platform.name}-{self.file.config['environment']}"
        wrong = evidence.wrong_with(self.out, stack, crossing, self.file.secrets.values())
        self.stage.expect(act, "the evidence of the crossing", not wrong, wrong)
