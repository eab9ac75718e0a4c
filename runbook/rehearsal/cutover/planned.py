"""The cutover as it is planned: the same auth host with another target and another Supabase project. It is refused
twice, fails half-way, goes back, succeeds, soaks and settles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.faults import Knob
from runbook.rehearsal.clouds.web import builds_take, release
from runbook.rehearsal.clouds.web.auth_state import SESSION
from runbook.rehearsal.cutover import company, evidence
from runbook.rehearsal.cutover.acts import Stage, changes
from runbook.rehearsal.cutover.edits import Block, StackConfig, over
from runbook.rehearsal.cutover.exceptions import ONCE_MORE, PLANNED, UNTIL_LEFT
from runbook.rehearsal.cutover.proof import Proof, Snapshot
from runbook.rehearsal.cutover.stale import Clients, changed_at
from runbook.rehearsal.cutover.views import hosts_of
from runbook.rehearsal.stack_files import StackFile

NEXT_REF = "ibiminanextplacehold"
BUILDS_TAKE = 5.0  # seconds, by the rehearsal's clock
WAIT = timedelta(seconds=3600 + 300)  # the largest TTL before and the margin: what a flip has to wait
SOAK = timedelta(hours=1)


@dataclass
class Planned:
    """The play, and what it found."""

    stage: Stage
    file: StackFile
    out: Path

    def __post_init__(self) -> None:
        assert self.file.platform is not None
        self.platform = self.file.platform
        self.clouds: Clouds = self.stage.clouds
        self.config = StackConfig(self.stage.engine.config_of(self.stage.stack))
        self.proof = Proof()
        self.hosts = hosts_of(self.platform, self.file.config)
        self.auth_host: str = self.file.config["current"]["authHost"]
        self.target = f"{NEXT_REF}.supabase.co"
        self.old_target: str = self.file.config["current"]["targets"]["auth"]
        self.clients = Clients.of(self.clouds, self.auth_host)
        self.stale = 1.0
        self.unsettled: list[str] = []

    def play(self) -> None:
        """Raises: RehearsalError for an act that does not come out as it must; what a proof found is in `proof`."""
        self._begin()
        before = self._prepare()
        self._fail_and_go_back(before)
        self._prepare_again(before)
        self._flip()
        self._settle()
        self.proof.end()

    def _begin(self) -> None:
        clouds, current = self.clouds, self.file.config["current"]
        company.settle_in(clouds, self.platform, self.file.config, NEXT_REF)
        company.hand_out(clouds, self.file.secrets, current["supabaseRef"], NEXT_REF)
        company.release_all(clouds, self.platform, self.file.config["environment"], current["release"])
        builds_take(clouds.store, BUILDS_TAKE)
        clouds.clock.move(timedelta(days=1))
        self.block = Block(
            next={"supabaseRef": NEXT_REF, "targets": {"auth": self.target}},
            opens=clouds.clock.now() + timedelta(hours=30),
            functions=company.sources(self.platform, self.out / "company"),
            owners=("on-call", "ops-alerts"),
            back_out=("auth-availability",),
        )
        self.config.write(endpoints=clouds.endpoints())

    def _prepare(self) -> Snapshot:
        stage, clouds = self.stage, self.clouds
        self._write("prepared")
        stage.up("prepared")
        self._paper("prepared")
        clouds.clock.move(timedelta(minutes=1))
        self._write("flipped")
        stage.refused("flipped too early", "window", "opens-at")
        release(clouds.store, self._project(), "v1.0.1", clouds.clock.now())
        clouds.clock.move(timedelta(minutes=1))
        stage.refused("flipped after release", "window", "opens-at", "release")
        self._write("prepared")
        stage.up("prepared again")
        clouds.clock.move(timedelta(minutes=1))
        return self._snapshot()

    def _fail_and_go_back(self, before: Snapshot) -> None:
        stage, clouds = self.stage, self.clouds
        clouds.clock.set(self.block.opens + timedelta(minutes=1))
        clouds.faults.turn(Knob.WRONG_ISSUER, self.auth_host)
        signed_in = self._sessions()
        self._write("flipped")
        name = "flipped, login fails"
        stage.stopped_at(name, "verify-login")
        left = len(signed_in & self._sessions())
        stage.expect(name, f"the {len(signed_in)} sessions from before to be ended", left == 0, f"{left} live on")
        (leads_to,) = clouds.world.internet.cache().ask(self.auth_host).targets
        stage.expect(name, f"{self.auth_host} to lead to next", leads_to == self.target, f"it leads to {leads_to}")
        stage.look(name, self.hosts)
        clouds.faults.turn_back(Knob.WRONG_ISSUER, self.auth_host)
        self._write("rolled-back")
        stage.up("rolled back")
        self._evidence("rolled back", "2-back")
        self.proof.compare_hosts("Rolled back", before, self._snapshot(), (*PLANNED, *UNTIL_LEFT))
        self._write("steady")
        stage.up("steady again")

    def _prepare_again(self, before: Snapshot) -> None:
        """In the same phase as before the flip, so that every TTL and setting must be what it was."""
        stage, clouds = self.stage, self.clouds
        clouds.clock.move(timedelta(hours=2))
        self.clients.ask(timedelta(hours=1))
        self.block = self.block.with_window(clouds.clock.now() + timedelta(hours=1))
        self._write("prepared")
        stage.up("prepared once more")
        self.proof.compare("Prepared once more", before, self._snapshot(), (*PLANNED, *ONCE_MORE))

    def _flip(self) -> None:
        stage, clouds = self.stage, self.clouds
        clouds.clock.set(self.opens_at() + timedelta(seconds=1))
        self.clients.ask(timedelta(minutes=10))
        self._write("flipped")
        stage.up("flipped at opens-at")
        stage.look("flipped at opens-at", self.hosts)
        self._evidence("flipped at opens-at", "3-flip")
        self.stale = self.clients.share_on(self.old_target)
        reached = self.clients.share_on(self.target)
        stage.expect(
            "flipped at opens-at", "every resolver to have an answer", self.stale + reached == 1, "some have none"
        )

    def opens_at(self) -> datetime:
        """Reckoned here once more, from the listing alone: a flip that the program lets pass earlier would fail the
        proof of stale clients, one that it refuses now fails the act."""
        return changed_at(self.clouds, self.auth_host) + WAIT

    def _settle(self) -> None:
        stage, clouds = self.stage, self.clouds
        self._write("settled")
        stage.refused("settled too early", "soak")
        clouds.clock.move(SOAK)
        stage.up("settled")
        settled = self._snapshot()
        self.config.write(current=over(self.file.config["current"], self.block.next), cutover=None)
        stage.up("current := next")
        left = changes(stage.preview("preview"))
        calls = [each.calls for each in stage.acts[-2:] if each.calls]
        same = Proof()
        same.compare("With current := next", settled, self._snapshot())
        same.wrong += [f"With current := next, a preview still finds {each}." for each in left]
        same.wrong += [f"With current := next, the clouds were called: {each}." for each in calls]
        self.unsettled = same.wrong

    def _write(self, phase: str) -> None:
        self.config.write(cutover=self.block.section(phase))

    def _snapshot(self) -> Snapshot:
        return Snapshot.of(self.clouds, self.hosts)

    def _sessions(self) -> set[str]:
        ref = self.file.config["current"]["supabaseRef"]
        return {one.id for one in self.clouds.store.find("supabase", SESSION, ref=ref)}

    def _project(self) -> str:
        app, _ = next(iter(self.platform.vercel_apps))
        return f"{self.platform.name}-{app.name}-{self.file.config['environment']}"

    def _stack(self) -> str:
        return f"{self.platform.name}-{self.file.config['environment']}"

    def _evidence(self, act: str, crossing: str) -> None:
        wrong = evidence.wrong_with(self.out, self._stack(), crossing, self.file.secrets.values())
        self.stage.expect(act, "the evidence of the crossing", not wrong, wrong)

    def _paper(self, act: str) -> None:
        wrong = evidence.wrong_with_paper(self.out, self._stack(), self.file.secrets.values())
        self.stage.expect(act, "the way back on paper", not wrong, wrong)
