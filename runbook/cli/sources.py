"""The data sources of a stack, asked directly as Grafana asks them: one query, one number.

Prometheus' and Loki's HTTP APIs (`/api/v1/query`, `/loki/api/v1/query`: instant queries, basic auth) and PostgreSQL
in a session that cannot write.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from runbook.model.settings import Endpoint, Settings
from runbook.model.signals import Source

if TYPE_CHECKING:
    import psycopg

LIMIT = 60.0  # seconds for all queries of a stack
EACH = 10.0  # seconds for one
AT_ONCE = 4  # so that a store's limit on queries side by side is not reached by this alone
NAMES = {Source.PROMETHEUS: "Prometheus", Source.LOKI: "Loki", Source.POSTGRES: "PostgreSQL"}
_PATHS = {Source.PROMETHEUS: "/api/v1/query", Source.LOKI: "/loki/api/v1/query"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")  # never through a proxy of the environment


@dataclass(frozen=True)
class Answer:
    """`value`: None where nothing came back. `error`: a sentence; empty when the question was answered."""

    value: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Store:
    """Prometheus or Loki. `secret` names the secret that holds the token; `ca` a file of certificates trusted instead
    of the system's."""

    source: Source
    url: str
    user: str
    secret: str
    token: str = field(repr=False)
    ca: str | None = None


@dataclass(frozen=True)
class Database:
    """PostgreSQL. `host` may be the folder of a socket."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Doors:
    """Where each source answers."""

    prometheus: Store
    loki: Store
    postgres: Database


def doors(settings: Settings) -> Doors:
    """Those of a stack's config. Its secrets are there: reading it has seen to that."""
    grafana, secrets = settings.grafana, settings.secrets

    def store(source: Source, given: Endpoint) -> Store:
        secret = f"{source.name}_TOKEN"
        token = secrets[secret].get_secret_value()
        return Store(source, given.url.rstrip("/"), given.user, secret, token, settings.endpoints.ca)

    postgres = grafana.postgres
    password = secrets["POSTGRES_PASSWORD"].get_secret_value()
    return Doors(
        store(Source.PROMETHEUS, grafana.prometheus),
        store(Source.LOKI, grafana.loki),
        Database(postgres.host, postgres.port, postgres.database, postgres.user, password),
    )


def ask(
    given: Doors, questions: Sequence[tuple[Source, str]], limit: float = LIMIT, each: float = EACH
) -> list[Answer]:
    """The answers, in the order of the questions. It never fails, and ends after `limit` and the last `each` seconds:
    what is not asked by then is an answer with an error."""
    end = time.monotonic() + limit
    stores = {Source.PROMETHEUS: given.prometheus, Source.LOKI: given.loki}
    pool = ThreadPoolExecutor(AT_ONCE)
    with ExitStack() as open_till_then:
        clients = {source: open_till_then.enter_context(_client(store, each)) for source, store in stores.items()}
        open_till_then.callback(pool.shutdown, cancel_futures=True)  # after Ctrl-C what is under way is the last
        sql = [text for source, text in questions if source is Source.POSTGRES]
        rows = pool.submit(lambda: list(_database(given.postgres, sql, end, each)))
        asked = [
            pool.submit(_store, clients[source], stores[source], text, end, each) if source in stores else None
            for source, text in questions
        ]
        answers = iter(rows.result())
        return [each.result() if each else next(answers) for each in asked]


def _client(store: Store, each: float) -> httpx.Client:
    """One for all queries of a store: reading the certificates takes longer than most of them."""
    return httpx.Client(
        auth=(store.user, store.token),
        timeout=httpx.Timeout(each, connect=min(5.0, each)),
        trust_env=httpx.URL(store.url).host not in _LOOPBACK,
        verify=ssl.create_default_context(cafile=store.ca) if store.ca else True,
    )


def _late(source: Source, end: float) -> Answer | None:
    if time.monotonic() < end:
        return None
    return Answer(error=f"{NAMES[source]} was not asked any more: the time for all queries was over.")


def _store(client: httpx.Client, store: Store, query: str, end: float, each: float) -> Answer:
    if late := _late(store.source, end):
        return late
    name, host = NAMES[store.source], httpx.URL(store.url).host
    try:
        answer = _post(client, store.url + _PATHS[store.source], query, each)
    except httpx.TimeoutException:
        return Answer(error=f"{name} at {host} did not answer within {each:g} s.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(error=f"{name} at {host} cannot be reached ({type(error).__name__}).")
    if answer.status_code != 200:
        return Answer(error=_refused(store, answer))
    try:
        return Answer(_number(answer.json()["data"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return Answer(error=f"{name} at {host} answered with something that is no result of a query.")


def _post(client: httpx.Client, url: str, query: str, each: float) -> httpx.Response:
    """The whole answer. Raises: httpx.TimeoutException as well for one that comes in drops."""
    until = time.monotonic() + each
    with client.stream("POST", url, data={"query": query}) as answer:
        body = bytearray()
        for chunk in answer.iter_raw():
            body += chunk
            if time.monotonic() > until:
                raise httpx.ReadTimeout("in drops")
    return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(body))


def _refused(store: Store, answer: httpx.Response) -> str:
    try:
        said = str(answer.json().get("error", ""))
    except (ValueError, AttributeError):
        said = answer.text
    said = " ".join(said.replace(store.token, "[secret]").split())[:200].rstrip(".")
    sentence = f"{NAMES[store.source]} answered {answer.status_code}" + (f": {said}." if said else ".")
    section = f"grafana.{store.source.name.lower()}"
    remedies = {
        401: f" Check the secret {store.secret} and {section}.user.",
        403: f" The token in {store.secret} may not read: give it that right.",
        404: f" Check {section}.url: it is the address that the data source in Grafana has.",
        429: " It is asked too much: try again in some minutes.",
    }
    return sentence + remedies.get(answer.status_code, "")


def _number(data: dict[str, Any]) -> float | None:
    """The first number of a vector or a scalar; NaN is no data, as Grafana takes it."""
    result = data["result"]
    samples = [result] if data["resultType"] == "scalar" else [each["value"] for each in result]
    values = (float(value) for _, value in samples)
    return next((value for value in values if not math.isnan(value)), None)


def _database(given: Database, queries: Sequence[str], end: float, each: float) -> Iterator[Answer]:
    """One after the other in one session."""
    if not queries:
        return
    import psycopg

    options = f"-c statement_timeout={int(each * 1000)} -c default_transaction_read_only=on"
    try:
        connection = psycopg.connect(
            host=given.host,
            port=given.port,
            dbname=given.name,
            user=given.user,
            password=given.password,
            sslmode="require",
            connect_timeout=5,
            tcp_user_timeout=int(each * 1000),
            options=options,
            autocommit=True,
        )
    except psycopg.Error as error:
        yield from [Answer(error=_said("PostgreSQL cannot be reached", given, error))] * len(queries)
        return
    with connection:
        for query in queries:
            yield _late(Source.POSTGRES, end) or _row(connection, given, query)


def _row(connection: psycopg.Connection[tuple[Any, ...]], given: Database, query: str) -> Answer:
    import psycopg

    try:
        row = connection.execute(query.encode()).fetchone()
        return Answer(None if row is None or row[-1] is None else float(row[-1]))
    except (psycopg.Error, TypeError, ValueError) as error:
        return Answer(error=_said("PostgreSQL refused the query", given, error))


def _said(what: str, given: Database, error: Exception) -> str:
    """The first line of what the server or its library says."""
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if given.password:
        said = said.replace(given.password, "[secret]")
    return f"{what}: {said.rstrip('.')}."
