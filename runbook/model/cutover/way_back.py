"""The way back on paper: what a person on call does with curl and a POSIX shell alone.

It is written before a flip, so that neither Pulumi, nor its state, nor this program is needed to take the flip back.
Every value is filled in but the tokens, which stand as names of shell variables. Blocks marked `sh` run as they stand
and may be run twice; those marked `text` need more than curl. A test runs the former against the stand-in clouds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from shlex import quote

from runbook.model.cutover import texts, way_back_calls
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.paper import Scene, block, point, prose
from runbook.model.cutover.phases import Phase
from runbook.model.platform import Platform
from runbook.model.serving import env, project_name, stack_of
from runbook.model.settings import Contact, EmailContact, PagerDutyContact, Settings, SlackContact


def page(
    platform: Platform,
    settings: Settings,
    observed: Observed,
    zone_id: str,
    builds: Mapping[str, str] | None = None,
) -> str:
    """The page, in Markdown; empty without a cutover. It takes no clock: the same input gives the same text.

    `builds`: app to the deployment that served before a flip that is already under way, as the ledger keeps it; what
    is observed then may be the next build already. Without it the way back is to the builds that serve now.
    """
    if settings.cutover is None or settings.next is None:
        return ""
    before = {**_serving(observed), **(builds or {})}
    scene = Scene(platform, settings, observed, zone_id, settings.cutover, settings.current, settings.next, before)
    parts = [*_head(scene), *_seen(scene), *_first(scene)]
    for number, (title, *body) in enumerate(_steps(scene), 1):
        parts += [f"## {number}. {title}", *body]
    return "\n\n".join(parts) + "\n"


def _serving(observed: Observed) -> dict[str, str]:
    """What serves, as far as it is not the next build: that one is no way back."""
    coming = {build.id for build in observed.next_builds.values()}
    return {app: build.id for app, build in observed.serving.items() if build.id not in coming}


def _steps(scene: Scene) -> Iterator[list[str]]:
    """Each a title and what stands below it. What this cutover does not touch is left out."""
    calls = way_back_calls
    by_curl = (calls.dns, calls.builds, calls.supabase, calls.purge)
    makers = (*by_curl, _functions, calls.check, _env, _database, _people, _afterwards)
    yield from (step for step in (make(scene) for make in makers) if step)


def _head(scene: Scene) -> Iterator[str]:
    settings = scene.settings
    yield f"# The way back of {scene.platform.title} {settings.environment}"
    yield prose(
        "For the person on call who takes this cutover back without Pulumi and without the program that wrote this "
        "page: a terminal with curl is enough. What puts DNS and the builds back brings people back: do both at "
        "once, and go on with the other when one fails. The rest can wait. Each block may be pasted twice."
    )
    yield "\n".join(
        [
            point(f"Stack: {stack_of(settings).name}, zone {settings.zone}"),
            point(f"Cutover that is taken back: {'; '.join(_differences(scene))}"),
            point(f"Cutover window: {texts.span(scene.cutover)}"),
        ]
    )


def _differences(scene: Scene) -> Iterator[str]:
    now, then = scene.now, scene.then
    yield f"release {now.release} to {then.release}"
    if now.auth_host != then.auth_host:
        yield f"auth host {now.auth_host} to {then.auth_host}"
    if now.supabase_ref != then.supabase_ref:
        yield f"Supabase project {now.supabase_ref} to {then.supabase_ref}"
    for app, target in sorted(now.targets.items()):
        if target != then.targets[app]:
            yield f"target of {app} {target} to {then.targets[app]}"


def _seen(scene: Scene) -> Iterator[str]:
    """From when the page is: no time of its own but what the clouds said."""
    yield prose("It was written when this answered, and is right as long as nothing but this cutover changes it:")
    seen = [
        point(
            f"{each.name} {each.type} {each.content}, TTL {each.ttl}{', proxied' if each.proxied else ''}, last "
            f"changed {each.modified.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        )
        for each in sorted(scene.observed.records, key=lambda each: (each.name, each.type, each.id))
    ]
    seen += [
        point(f"{app} at Vercel: {build.id} (https://{build.url}, {build.state})")
        for app, build in sorted(scene.observed.serving.items())
    ]
    yield "\n".join(seen or [point("nothing: the clouds did not answer")])


def _first(scene: Scene) -> Iterator[str]:
    yield "## Before the first step"
    yield prose(
        "Open a terminal, type `sh` and Enter. Give each of these variables its value so that no history keeps it: "
        "type `read -r` and its name, Enter, paste the value, Enter."
    )
    needed = way_back_calls.tokens(scene)
    yield "\n".join(point(f"`{name}`: a token that may {way_back_calls.TOKENS[name][1]}") for name in needed)
    yield prose("Then paste this block. It sends nothing; all others need it, so stay in this terminal.")
    yield way_back_calls.prepared_shell(scene)


def _functions(scene: Scene) -> list[str]:
    """The runbook has them deployed again, so that dashboards recover quickly."""
    if not scene.platform.recovery.functions:
        return []
    body = [
        "Deploy the functions again",
        prose(
            f"As the runbook says. It needs Supabase's own command, a checkout of {scene.platform.repository} and "
            "the variable SUPABASE_ACCESS_TOKEN; leave it for later where one is missing."
        ),
    ]
    for name in scene.platform.recovery.functions:
        given = scene.cutover.functions.get(name)
        where = f"{given.source}, at {given.tag}" if given else "not named in the stack's config: ask its owner"
        command = f"supabase functions deploy {quote(name)} --project-ref {scene.now.supabase_ref}"
        checkout = [f"git checkout {quote(given.tag)}"] if given else []
        body.append(prose(f"Source of {name}: {where}."))
        body.append(block("export SUPABASE_ACCESS_TOKEN", *checkout, command, fence="text"))
    return body


def _env(scene: Scene) -> list[str]:
    """By hand: what is stored under a key has an id at Vercel that is not observed, and nothing waits for it."""
    points = [
        point(f"{project_name(app, scene.settings)}: {change}")
        for app, _ in scene.platform.vercel_apps
        for change in _env_changes(scene, app.name)
    ]
    if not points:
        return []
    return [
        "Before a next release: put the projects' env back",
        prose(
            "Nothing that serves reads it: a build keeps the env it was made with. The last step below puts it back. "
            "Only if a release has to come before that, set it by hand in Vercel's dashboard, Settings, Environment "
            "Variables. Secrets stay as they are."
        ),
        "\n".join(points),
    ]


def _env_changes(scene: Scene, app: str) -> Iterator[str]:
    now, then = (
        {each.key: each.value for each in env(scene.platform, scene.settings, app, side, side.generation)}
        for side in (scene.now, scene.then)
    )
    for key, value in sorted(then.items()):
        if isinstance(value, str) and now.get(key) != value:
            yield f"`{key}` is `{now[key]}`" if key in now else f"remove `{key}`"


def _database(scene: Scene) -> list[str]:
    revert = scene.platform.recovery.revert
    if not revert:
        return []
    return [
        "Database, only if a migration broke sign-in",
        prose(
            "As in the runbook, unverified: not run by anything here. It backs out the latest migration; after it "
            "nothing is deployed until the fix is proven in staging."
        ),
        block(revert, fence="text"),
    ]


def _people(scene: Scene) -> list[str]:
    answers, owners = scene.cutover.owners, scene.settings.owners
    titles = {owner.name: owner.title for owner in scene.platform.owners}
    people = [
        point(
            f"{titles.get(name, name)}{', who answers for this cutover' if name in answers else ''}: "
            f"{', '.join(map(_reached, owners.get(name, [])))}"
        )
        for name in [*answers, *sorted(owners.keys() - {*answers})]
    ]
    refs = " and ".join(dict.fromkeys((scene.now.supabase_ref, scene.then.supabase_ref)))
    support = [
        *scene.platform.recovery.support,
        f"Supabase project ref: {refs}",
        f"Runbook: {scene.settings.runbook_url}",
    ]
    return [
        "Whom to call, and what cannot be undone",
        "\n".join([*people, *map(point, support)]),
        "What stays as it is:",
        "\n".join(map(point, texts.cannot_be_undone(scene.platform))),
    ]


def _reached(contact: Contact) -> str:
    """How an owner is reached: never by a secret, only by its name."""
    match contact:
        case EmailContact(addresses=addresses):
            return f"mail to {' and '.join(addresses)}"
        case SlackContact(channel=channel):
            return f"Slack {channel}"
        case PagerDutyContact(secret=secret):
            return f"PagerDuty, the service of the key {secret}"
    return f"the webhook {contact.secret}"


def _afterwards(scene: Scene) -> list[str]:
    stack = f"{scene.platform.title} {scene.settings.environment}"
    return [
        "Afterwards: tell Pulumi",
        prose(
            "Until then nobody runs `pulumi up` with the config of the flip: it could take traffic forward again. In "
            f"the stack file of {stack}, under runbook:cutover, write"
        ),
        block(f"phase: {Phase.ROLLED_BACK}", fence="yaml"),
        prose(
            "and run `pulumi up`. It finds DNS and builds where you put them and leaves them there, puts the "
            "projects' env and all else back, and keeps the record: program and world agree again. Vercel gives "
            "domains to new builds again once rolled-back is left for steady or prepared."
        ),
    ]
