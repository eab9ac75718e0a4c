"""A small DNS server: a resolver and authoritative servers, each on its own loopback address and one port."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

RecordSet = tuple[int, list[str]]  # TTL, values


@dataclass
class Answers:
    """What one address answers. `records`: (name, type) to TTL and values. A resolver follows CNAMEs and is not
    authoritative. `broken`: silent, garbage, cut (over UDP and TCP alike)."""

    records: dict[tuple[str, str], RecordSet]
    resolver: bool = False
    authoritative: bool = True
    rcode: str = "NOERROR"
    cut_udp: bool = False
    broken: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # transport, name, type
    recursion_wanted: list[bool] = field(default_factory=list)

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        question = dns.message.from_wire(wire)
        name, kind = question.question[0].name, dns.rdatatype.to_text(question.question[0].rdtype)
        self.asked.append((transport, name.to_text(omit_final_dot=True), kind))
        self.recursion_wanted.append(bool(question.flags & dns.flags.RD))
        if self.broken == "silent":
            return None
        if self.broken == "garbage" and (transport == "tcp" or not self.cut_udp):
            return wire[:2] + b"no answer at all"
        reply = dns.message.make_response(question, recursion_available=self.resolver)
        if self.authoritative and not self.resolver:
            reply.flags |= dns.flags.AA
        if self.rcode != "NOERROR":
            reply.set_rcode(dns.rcode.from_text(self.rcode))
        elif transport == "udp" and self.cut_udp:
            reply.flags |= dns.flags.TC
        else:
            self._fill(reply, name, kind)
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str) -> None:
        plain = name.to_text(omit_final_dot=True)
        for one in dict.fromkeys((kind, "CNAME")):
            if (plain, one) not in self.records:
                continue
            ttl, values = self.records[plain, one]
            reply.answer.append(dns.rrset.from_text(name, ttl, "IN", one, *values))
            if one == "CNAME" != kind and self.resolver:
                self._fill(reply, dns.name.from_text(values[0]), kind)
            return
        if not reply.answer and not any(known == plain for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        reply = self.server.answers.answer(wire, "udp")  # type: ignore[attr-defined]
        if reply is not None:
            sock.sendto(reply, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        (length,) = struct.unpack("!H", self.rfile.read(2))
        reply = self.server.answers.answer(self.rfile.read(length), "tcp")  # type: ignore[attr-defined]
        if reply is not None:
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


class _UdpServer(socketserver.ThreadingUDPServer):
    answers: Answers
    daemon_threads = True


class _TcpServer(socketserver.ThreadingTCPServer):
    answers: Answers
    daemon_threads = True


class Serving:
    """Servers on one port of each address. What each answers is put in by `answer`."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.port, self._servers = _bound(addresses)

    def answer(self, answers: Mapping[str, Answers]) -> None:
        for server in self._servers:
            server.answers = answers[str(server.server_address[0])]


@contextmanager
def serving(addresses: Sequence[str]) -> Iterator[Serving]:
    """Serves until the end of the block."""
    made = Serving(addresses)
    for server in made._servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    for server in made._servers:
        server.shutdown()
        server.server_close()


def _bound(addresses: Sequence[str]) -> tuple[int, list[_UdpServer | _TcpServer]]:
    """Servers on a port that is free on every address, for UDP and TCP."""
    for _ in range(20):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made: list[_UdpServer | _TcpServer] = []
        try:
            for address in addresses:
                made.append(_UdpServer((address, port), _Udp))
                made.append(_TcpServer((address, port), _Tcp))
        except OSError:
            for one in made:
                one.server_close()
        else:
            return port, made
    raise AssertionError("no port is free on every address")
