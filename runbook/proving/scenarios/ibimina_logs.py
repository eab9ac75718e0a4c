"""Ibimina's scenarios in its logs: shares at the boundaries, the edges of each window, a drain that died.

What is said of the world here owes nothing to the model: labels and fields stand as the log drain would write them.
Beside the stream in question there are always those of another platform, of staging and of another service, all in
trouble, and lines that are no JSON.
"""

from __future__ import annotations

from datetime import timedelta

from runbook.proving.scenario import Broken, Line, Lines, Outcome, Scenario

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OURS = {"platform": "ibimina", "environment": "prod"}
OTHERS = ({"platform": "ibimina", "environment": "staging"}, {"platform": "easymo", "environment": "prod"})
ALIVE = 15 * MINUTE


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of the platform's alerts that read Loki, in production."""
    return (*_auth(), *_error_budget(), *_burn(), *_log_drain_failure())


def _around(service: str, others: str, **trouble: str) -> tuple[Line, ...]:
    """What is none of the alert's business: the same trouble in other streams."""
    elsewhere = [{**OURS, "service": others}, *({**labels, "service": service} for labels in OTHERS)]
    return tuple(Line(labels, MINUTE, trouble, count=60) for labels in elsewhere)


def _sign_of_life(service: str, age: timedelta) -> Line:
    return Line({**OURS, "service": service}, age)


def _auth() -> tuple[Scenario, ...]:
    rule, stream = "auth-failed-logins", {**OURS, "service": "auth"}
    around = (
        *_around("auth", "admin", event="login", outcome="failed"),
        Line(stream, MINUTE, {"event": "signup", "outcome": "failed"}, count=60),
        Line(stream, MINUTE, {"event": "token_refresh", "outcome": "success"}, count=60),
        _sign_of_life("auth", MINUTE),
    )

    def logins(failed: int, count: int, age: timedelta = 5 * MINUTE) -> tuple[Line, ...]:
        fields = {"event": "login", "outcome": "success"}
        return (
            Line(stream, age, fields | {"outcome": "failed"}, failed),
            Line({**stream, "instance": "b"}, age, fields, count - failed),
        )

    def world(title: str, expect: Outcome, *lines: Line, beside: tuple[Line, ...] = around) -> Scenario:
        return Scenario(rule, title, expect, Lines((*lines, *beside)))

    edge, beyond = ALIVE - SECOND, ALIVE + SECOND
    dead = _around("auth", "auth", event="login", outcome="failed")[1:]
    return (
        world("5.1 % of 1,000 logins fail", "fires", *logins(51, 1000)),
        world("exactly 5 % of 1,000 logins fail", "fires", *logins(50, 1000)),
        world("4.9 % of 1,000 logins fail", "silent", *logins(49, 1000)),
        world("exactly 5 % of 40 logins, the fewest that count", "fires", *logins(2, 40)),
        world("2 of 39 logins, 5.1 % of too few", "silent", *logins(2, 39)),
        world("1 of 2 logins", "silent", *logins(1, 2)),
        world("no failure", "silent", *logins(0, 1000)),
        world("no login, and the drain is alive", "silent"),
        world("failures 14 min 59 s ago", "fires", *logins(2, 2, edge), *logins(0, 38)),
        world("failures 15 min 1 s ago", "silent", *logins(40, 40, beyond), *logins(0, 60)),
        world("successes 14 min 59 s ago count", "silent", *logins(3, 40), *logins(0, 60, edge)),
        world("successes 15 min 1 s ago do not", "fires", *logins(2, 40), *logins(0, 60, beyond)),
        world("a sign of life 14 min 59 s ago", "silent", beside=(*dead, _sign_of_life("admin", edge))),
        world("dead drain: last line 15 min 1 s ago", "no data", beside=(*dead, _sign_of_life("admin", beyond))),
        world("dead drain, while staging and EasyMO log on", "no data", beside=dead),
        world("no line anywhere", "no data", beside=()),
        Scenario(rule, "Loki refuses to answer", "error", Broken()),
    )


def _requests(errors: int, count: int, age: timedelta) -> tuple[Line, ...]:
    """Requests of the admin app, those at level error in one instance and the others in another."""
    stream = {**OURS, "service": "admin"}
    fields = {"event": "request", "level": "info", "message": "GET /groups"}
    return (
        Line(stream, age, fields | {"level": "error"}, errors),
        Line({**stream, "instance": "b"}, age, fields, count - errors),
    )


AROUND_REQUESTS = (
    *_around("admin", "auth", event="request", level="error"),
    Line({**OURS, "service": "admin"}, MINUTE, {"event": "job", "level": "error"}, count=60),
    Line({**OURS, "service": "admin"}, MINUTE, {"event": "job", "level": "info"}, count=60),
    _sign_of_life("admin", MINUTE),
)
DEAD = AROUND_REQUESTS[1:3]  # only staging's and EasyMO's


def _error_budget() -> tuple[Scenario, ...]:
    rule = "error-budget"

    def world(
        title: str, expect: Outcome, *lines: tuple[Line, ...], beside: tuple[Line, ...] = AROUND_REQUESTS
    ) -> Scenario:
        return Scenario(rule, title, expect, Lines((*(line for some in lines for line in some), *beside)))

    def day(errors: int, count: int) -> tuple[Line, ...]:
        return _requests(errors, count, 6 * HOUR)

    edge, beyond = DAY - SECOND, DAY + SECOND
    return (
        world("2.1 % of 1,000 requests", "fires", day(21, 1000)),
        world("exactly 2 % of 1,000 requests", "fires", day(20, 1000)),
        world("1.9 % of 1,000 requests", "silent", day(19, 1000)),
        world(
            "a short spike: 20 % for 5 min in a day of 1,000", "silent", _requests(15, 75, 2 * MINUTE), day(0, 925)
        ),
        world("no error", "silent", day(0, 1000)),
        world("no request, and the drain is alive", "silent"),
        world("errors 23 h 59 min 59 s ago", "fires", _requests(20, 20, edge), day(0, 980)),
        world("errors 24 h 1 s ago", "silent", _requests(200, 200, beyond), day(0, 1000)),
        world("requests 23 h 59 min 59 s ago count", "silent", day(10, 100), _requests(0, 900, edge)),
        world("requests 24 h 1 s ago do not", "fires", day(20, 1000), _requests(0, 1000, beyond)),
        world("a sign of life 14 min 59 s ago", "fires", day(20, 1000), beside=_last_line(ALIVE - SECOND)),
        world(
            "healthy, but the drain died 15 min 1 s ago", "no data", day(0, 1000), beside=_last_line(ALIVE + SECOND)
        ),
        world("bad, but the drain died an hour ago", "no data", day(500, 1000), beside=_last_line(HOUR)),
        world("dead drain, while staging and EasyMO log on", "no data", beside=DEAD),
        world("no line anywhere", "no data", beside=()),
        Scenario(rule, "Loki refuses to answer", "error", Broken()),
    )


def _last_line(age: timedelta) -> tuple[Line, ...]:
    return (*DEAD, _sign_of_life("auth", age))


def _burn() -> tuple[Scenario, ...]:
    """10 % of a day's budget in an hour: a burn rate of 2.4, which is 4.8 % of requests."""
    rule = "error-budget-burn-1h"

    def world(
        title: str, expect: Outcome, *lines: tuple[Line, ...], beside: tuple[Line, ...] = AROUND_REQUESTS
    ) -> Scenario:
        return Scenario(rule, title, expect, Lines((*(line for some in lines for line in some), *beside)))

    def now(errors: int, count: int) -> tuple[Line, ...]:
        return _requests(errors, count, MINUTE)

    def before(errors: int, count: int) -> tuple[Line, ...]:
        return _requests(errors, count, 20 * MINUTE)

    edge, beyond = HOUR - SECOND, HOUR + SECOND
    late, over = 5 * MINUTE - SECOND, 5 * MINUTE + SECOND
    return (
        world("5 % in the hour and in the last 5 min", "fires", now(5, 100), before(45, 900)),
        world("exactly 4.8 % in the hour, more in the last 5 min", "silent", now(10, 100), before(38, 900)),
        world("5 % in the hour, exactly 4.8 % in the last 5 min", "silent", now(6, 125), before(94, 875)),
        world("10 % in the hour, 5 % in the last 5 min", "fires", now(5, 100), before(95, 900)),
        world("10 % in the hour, and the last 5 min are fine", "silent", now(0, 100), before(100, 900)),
        world("10 % in the hour, and no request in the last 5 min", "silent", before(100, 1000)),
        world("a bad 5 min in a good hour", "silent", now(30, 100), before(0, 900)),
        world("5 of 100 requests, the fewest that count", "fires", now(5, 100)),
        world("9 of 99 requests, which are too few", "silent", now(9, 99)),
        world("no error", "silent", now(0, 100), before(0, 900)),
        world("no request, and the drain is alive", "silent"),
        world("errors 59 min 59 s ago", "fires", now(5, 50), _requests(45, 45, edge), before(0, 900)),
        world("errors an hour and a second ago", "silent", now(5, 50), _requests(90, 90, beyond), before(0, 950)),
        world("requests 59 min 59 s ago count", "silent", now(10, 100), _requests(0, 900, edge)),
        world("requests an hour and a second ago do not", "fires", now(5, 100), _requests(0, 900, beyond)),
        world("errors 4 min 59 s ago", "fires", _requests(10, 10, late), now(0, 90), before(90, 900)),
        world("errors 5 min 1 s ago", "silent", _requests(90, 90, over), now(0, 90), before(0, 720)),
        world("requests 4 min 59 s ago count", "silent", now(5, 10), _requests(0, 190, late), before(95, 800)),
        world("requests 5 min 1 s ago do not", "fires", now(10, 100), _requests(0, 800, over), before(90, 100)),
        world("a sign of life 14 min 59 s ago", "silent", before(0, 1000), beside=_last_line(ALIVE - SECOND)),
        world(
            "healthy, but the drain died 15 min 1 s ago",
            "no data",
            before(0, 1000),
            beside=_last_line(ALIVE + SECOND),
        ),
        world("dead drain, while staging and EasyMO log on", "no data", beside=DEAD),
        world("no line anywhere", "no data", beside=()),
        Scenario(rule, "Loki refuses to answer", "error", Broken()),
    )


def _log_drain_failure() -> tuple[Scenario, ...]:
    rule, stream = "log-drain-failure", {**OURS, "service": "admin"}
    around = (
        *_around("admin", "auth", event="log_drain_failure", level="error"),
        Line(stream, MINUTE, {"event": "request", "level": "error"}, count=10),
        _sign_of_life("admin", MINUTE),
    )
    dead = around[1:3]

    def world(title: str, expect: Outcome, *ages: timedelta, beside: tuple[Line, ...] = around) -> Scenario:
        events = [Line(stream, age, {"event": "log_drain_failure", "level": "error"}) for age in ages]
        return Scenario(rule, title, expect, Lines((*events, *beside)))

    edge, beyond = 5 * MINUTE - SECOND, 5 * MINUTE + SECOND
    return (
        world("one event a second ago", "fires", SECOND),
        world("one event 4 min 59 s ago", "fires", edge),
        world("one event 5 min 1 s ago", "silent", beyond),
        world("several events", "fires", SECOND, MINUTE, 2 * MINUTE),
        world("no event, and the drain is alive", "silent"),
        world("a sign of life 4 min 59 s ago", "silent", beside=(*dead, _sign_of_life("auth", edge))),
        world("dead drain: last line 5 min 1 s ago", "no data", beside=(*dead, _sign_of_life("auth", beyond))),
        world("dead drain, while staging and EasyMO log on", "no data", beside=dead),
        world("no line anywhere", "no data", beside=()),
        Scenario(rule, "Loki refuses to answer", "error", Broken()),
    )
