"""What a client observes at a host, over DNS, TLS and HTTP: to be compared exactly, before and after."""

from __future__ import annotations

import ssl
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import httpx

_SECONDS = 5.0
View = dict[str, Any]


def view(host: str, path: str, resolver: str, https_port: int, trusted: ssl.SSLContext) -> View:
    """{dns: {answers, ttl}, status, body, failure}: plain JSON. `body` is what the health path says: of an app which
    build it is and the env baked into it, of an auth server which project it is. Never raises for what it sees."""
    seen: View = {"dns": {"answers": [], "ttl": None}, "status": None, "body": None, "failure": None}
    try:
        found, code = _resolve(host, resolver)
        seen["dns"] = {
            "answers": [text for one in found for text in _texts(one)],
            "ttl": found and found[0].ttl,
        }
        addresses = [value.to_text() for one in found for value in one if value.rdtype == dns.rdatatype.A]
        if not addresses:
            return seen | {"failure": f"DNS answers {code} without an address"}
        answer = _get(host, path, min(addresses), https_port, trusted)
    except (dns.exception.DNSException, httpx.HTTPError, OSError) as error:
        return seen | {"failure": f"{type(error).__name__}: {error}"}
    return seen | {"status": answer.status_code, "body": _body(answer)}


def _resolve(host: str, resolver: str) -> tuple[list[dns.rrset.RRset], str]:
    address, _, port = resolver.rpartition(":")
    question = dns.message.make_query(host, "A")
    answer, _ = dns.query.udp_with_fallback(question, address, timeout=_SECONDS, port=int(port))
    return answer.answer, dns.rcode.to_text(answer.rcode())


def _texts(records: dns.rrset.RRset) -> list[str]:
    """Sorted: servers give the records of one name in any order."""
    name = records.name.to_text(omit_final_dot=True)
    return sorted(f"{name} {value.rdtype.name} {value.to_text().rstrip('.')}" for value in records)


def _get(host: str, path: str, address: str, port: int, trusted: ssl.SSLContext) -> httpx.Response:
    with httpx.Client(verify=trusted, timeout=_SECONDS, trust_env=False) as client:
        url = f"https://{address}:{port}{path}"
        return client.get(url, headers={"host": host}, extensions={"sni_hostname": host})


def _body(answer: httpx.Response) -> Any:
    if answer.headers.get("content-type", "").startswith("application/json"):
        return answer.json()
    return answer.text
