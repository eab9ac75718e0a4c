"""The operations runbook of one stack: what a person reads on an ordinary day, before a cutover, and at night.

Made from what the program does, so that it cannot say otherwise. Without live values it is a page of docs/; with them
it is what `./cutover runbook` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runbook.model import runbook_moves
from runbook.model.alerting import dashboard_uid
from runbook.model.cutover.paper import block, point, prose
from runbook.model.dashboards import TITLES
from runbook.model.objectives import Alert, Objective
from runbook.model.pages import HEAD, table
from runbook.model.platform import Platform
from runbook.model.runbook_cutover import with_cutover
from runbook.model.runbook_reader import Live, Reader
from runbook.model.serving import stack_of, uptime_checks
from runbook.model.settings import Contact, EmailContact, Settings, SlackContact
from runbook.model.texts import amount

LOGS = "Grafana, Explore, the data source Loki"


def runbook_page(platform: Platform, settings: Settings, who: Reader, live: Live | None = None) -> str:
    """The page in Markdown. It shows no secret, and needs none."""
    planned = with_cutover(platform, settings)
    chapters = (
        ("Objectives, and who is alerted", _objectives(platform, settings)),
        ("Daily checklist", _daily(platform, settings, who)),
        ("Releases", _releases(platform, settings, who)),
        ("A cutover", runbook_moves.forward(platform, settings, planned, who, live)),
        ("Going back", runbook_moves.back(platform, planned, who)),
        ("Escalation and support", _support(platform, settings)),
        ("Incident response", _incidents(platform, settings, who)),
        ("What stays with people", _people(who)),
    )
    parts = [*([] if live else [HEAD]), *_head(platform, settings, who, live)]
    for number, (title, body) in enumerate(chapters, 1):
        parts += [f"## {number}. {title}", *body]
    return "\n\n".join(parts) + "\n"


def _head(platform: Platform, settings: Settings, who: Reader, live: Live | None) -> Iterator[str]:
    yield f"# Operations runbook of {platform.title} {settings.environment}"
    yield prose(
        f"It is made from what the program does for the stack `{who.stack}`. The company's own is at "
        f"{settings.runbook_url}; docs/rows.md says what answers each of its sentences. With what is so now:"
        if not live
        else f"The company's own is at {settings.runbook_url}; docs/rows.md says what answers each of its sentences."
    )
    if not live:
        yield block(who.command("runbook"))
    if live:
        yield f"## Now, {live.at}"
        yield "\n".join(point(f"{label}: {text}") for label, text in live.rows)
        if live.next:
            yield f"Next: {live.next}"


def _objectives(platform: Platform, settings: Settings) -> Iterator[str]:
    yield prose(
        "Every alert with the number at which it fires, whom it reaches and the first command for it. A page calls "
        "somebody; a ticket can wait for the morning. The queries are in docs/dashboards.md."
    )
    rows = [
        (f"{each.title}: {each.statement}", alert.title, _fires(alert), alert.severity, alert.owner, alert.mitigation)
        for each in platform.objectives(stack_of(settings))
        for alert in each.alerts
    ]
    yield "\n".join(table(("Objective", "Alert", "Fires at", "Kind", "Owner", "First command"), rows)).strip()
    yield "How owners are reached:"
    yield "\n".join(_owners(platform, settings))


def _fires(alert: Alert) -> str:
    signs = {"gt": "above", "gte": "from", "lt": "below", "lte": "up to"}
    if alert.burn:
        return f"{alert.threshold:f} times the budget's rate"
    return f"{signs[alert.comparator]} {amount(alert.threshold, alert.query.unit)}"


def _owners(platform: Platform, settings: Settings) -> Iterator[str]:
    for owner in platform.owners:
        told = f"; with it {', '.join(owner.told)}" if owner.told else ""
        ways = ", ".join(map(_way, settings.owners.get(owner.name, [])))
        yield point(f"`{owner.name}`, {owner.title}: {ways or 'nobody is named in the stack file'}{told}")


def _way(contact: Contact) -> str:
    """Never by a secret, only by its name."""
    if isinstance(contact, EmailContact):
        return f"mail to {' and '.join(contact.addresses)}"
    if isinstance(contact, SlackContact):
        return f"Slack {contact.channel}"
    return f"{contact.kind}, whose address is the secret {contact.secret}"


def _daily(platform: Platform, settings: Settings, who: Reader) -> Iterator[str]:
    boards = [f"[{title}]({_board(settings, kind)})" for kind, title in TITLES.items()]
    yield f"No panel of these dashboards is red: {', '.join(boards)}."
    yield "\n".join(point(f"{each.title}. {each.description}") for each in platform.checklist(stack_of(settings)))
    checks = uptime_checks(platform, settings)
    yield "Seen from outside each minute, and by hand with:"
    yield block(*(f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {each.url}" for each in checks))
    yield "Where the stack stands, what somebody changed by hand, and whether every rule has something to read:"
    yield block(who.command("status"), who.command("drift"), who.command("signals"))


def _board(settings: Settings, kind: str) -> str:
    return f"{settings.grafana.url.rstrip('/')}/d/{dashboard_uid(settings, kind)}"


def _releases(platform: Platform, settings: Settings, who: Reader) -> Iterator[str]:
    yield prose(
        f"Releases are made by the company's own tools, from {platform.repository}; the program never pulls one "
        "back. After one, these answer 200, and the log drain's panels are green:"
    )
    urls = {each.app: each.url for each in uptime_checks(platform, settings)}
    yield "\n".join(point(f"{app.title}: {urls[app.name]}") for app in platform.apps)
    yield prose(
        "A release between `prepared` and `flipped` makes the flip wait: what serves is then not what next was made "
        "beside, and the plan says to prepare again."
    )


def _support(platform: Platform, settings: Settings) -> Iterator[str]:
    recovery = platform.recovery
    lines = [*recovery.support, f"Supabase project ref: {settings.side.supabase_ref}"]
    if not recovery.support:
        lines.insert(0, "The company's runbook names nobody outside the company.")
    yield "\n".join(map(point, lines))
    yield "Inside the company, the owners of chapter 1; a way back pages by itself."
    if recovery.revert:
        yield prose(
            "If a migration broke sign-in, the company's runbook says the following. It is unverified and nothing "
            "runs it; afterwards nothing is deployed until the fix is proven in staging."
        )
        yield block(recovery.revert, fence="text")


def _incidents(platform: Platform, settings: Settings, who: Reader) -> Iterator[str]:
    stack = stack_of(settings)
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(stack.labels.items()))
    yield prose(
        f"**Triage.** Errors of the last minutes, in {LOGS}; a click on a trace_id finds all lines of its trace:"
    )
    yield block(f'{{{labels}}} | json | level="error"', fence="text")
    yield "What serves, and what was changed last:"
    yield block(who.command("status"), who.command("evidence"))
    yield "**Mitigate.** The runbook's first command for each alert that pages:"
    pages = [(each, alert) for each in platform.objectives(stack) for alert in each.watch]
    yield "\n".join(_first(each, alert) for each, alert in _once(pages))
    if settings.flags:
        yield "A switch acts as soon as it is applied, without a build:"
        yield block(*(_switch(name, who) for name in settings.flags), who.command("plan"), who.apply)
    yield prose(
        "When a cutover is the cause, chapter 5. When a release is, another one by the company's own tools replaces "
        "it."
    )
    yield "**Tell.** Impact, mitigation and ETA, where the owners of chapter 1 read; a note afterwards."


def _once(pages: Sequence[tuple[Objective, Alert]]) -> list[tuple[Objective, Alert]]:
    """One alert for each objective and first command: burn rates ask for the same as their objective."""
    seen: dict[tuple[str, str], tuple[Objective, Alert]] = {}
    for each, alert in pages:
        seen.setdefault((each.name, alert.mitigation), (each, alert))
    return list(seen.values())


def _first(objective: Objective, alert: Alert) -> str:
    return point(f"{objective.title} ({alert.title}): {alert.mitigation}")


def _switch(name: str, who: Reader) -> str:
    return f"pulumi config set --path 'flags.{name}' false --stack {who.stack}"


def _people(who: Reader) -> Iterator[str]:
    yield prose(
        "The company's runbook asks for this as well. The program does not do it, and says why in docs/rows.md:"
    )
    yield "\n".join(map(point, who.people))
