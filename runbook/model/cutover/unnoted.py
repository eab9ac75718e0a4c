"""A name that Cloudflare has and the stack's state does not know: an update was killed while it was being made."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.model import serving
from runbook.model.cutover.ledger import Ledger, Memory, left_behind, new_names
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Direction, Phase
from runbook.model.cutover.refusal import Refusal
from runbook.model.platform import Platform
from runbook.model.problems import Problem, path
from runbook.model.settings import Settings

_URN = "urn:pulumi:{stack}::runbook::"
# As the program declares it: child of its zone, with the provider that names have to themselves (seen, 3.258).
_IMPORT = f"""pulumi import --stack {{stack}} --yes --skip-preview --protect=false \\
  --generate-code=false \\
  --parent parent={_URN}runbook:dns:Zone::dns \\
  --provider \\
  p={_URN}pulumi:providers:cloudflare::cloudflare \\
  cloudflare:index/dnsRecord:DnsRecord dns-"""


def unnoted(platform: Platform, settings: Settings, memory: Memory, observed: Observed) -> Iterator[Refusal]:
    """Cloudflare would refuse to make it a second time (81058, 81053), in the middle of the update."""
    if memory.names is None:
        return
    for name in {*new_names(platform, settings)} - memory.names:
        for id in (record.id for record in observed.records if record.name == name):
            allowed = (
                "A name that Cloudflare does not have yet, or whose record this stack's state knows. An update was "
                "killed while it made this one, or somebody else made it."
            )
            edit = "Delete that record at Cloudflare, or take it into the state."
            command = f"{_IMPORT}{name} \\\n  {observed.zone_id}/{id}"
            at = path("cutover", "next", "authHost")
            yield Refusal(None, Problem(at, name, allowed, f"{edit}\n{command}"))


def records(platform: Platform, settings: Settings, ledger: Ledger, memory: Memory) -> tuple[serving.Record, ...]:
    """The DNS records of this update. A way back leaves a name out that the state does not know: Cloudflare would
    refuse to make it, and nobody uses it yet."""
    leaving = left_behind(ledger, memory)
    put_back = ledger.tag if ledger.direction is Direction.BACK else ""
    found = serving.records(platform, settings, leaving, put_back)
    if memory.names is None or not put_back or settings.phase is Phase.PREPARED:
        return found
    hosts = {side.auth_host for side in (settings.next, leaving) if side}
    unknown = hosts - {settings.current.auth_host, *memory.names}
    return tuple(each for each in found if each.name not in unknown)
