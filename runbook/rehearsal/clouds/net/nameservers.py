"""DNS over UDP and TCP, each server on an address of its own and all on one port."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from runbook.rehearsal.clouds.faults import Answer, CloudError, Faults
from runbook.rehearsal.clouds.net.loop import Loop
from runbook.rehearsal.clouds.net.zones import Records, Said

_TRIES = 20  # a port that is free on the first address may be taken on another one
_LARGEST = 65535  # bytes of a DNS message

Source = Callable[[str, str], Said | None]  # (name, type) to an answer; None: not for this server to say


@dataclass(frozen=True)
class Server:
    """`cloud`: under which name it meets faults. `authority`: whether it says what it says as the zone's own."""

    source: Source
    cloud: str
    authority: bool = False


def serve(servers: Mapping[str, Server], faults: Faults, loop: Loop) -> int:
    """Answer on each address by its server: the port. Raises OSError when no port is free on all of them."""
    pairs = _sockets(list(servers))
    for (udp, tcp), server in zip(pairs, servers.values(), strict=True):
        loop.watch(udp, _datagram(server, faults))
        loop.accept(tcp, _stream(server, faults))
    return int(pairs[0][0].getsockname()[1])


def _sockets(addresses: list[str]) -> list[tuple[socket.socket, socket.socket]]:
    for left in reversed(range(_TRIES)):
        made: list[socket.socket] = []
        port = 0
        try:
            for address in addresses:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    made.append(socket.socket(socket.AF_INET, kind))
                    made[-1].bind((address, port))
                    port = made[-1].getsockname()[1]
                made[-1].listen(128)
        except OSError:
            for sock in made:
                sock.close()
            if not left:
                raise
        else:
            return list(zip(made[::2], made[1::2], strict=True))
    raise AssertionError("the last try returns or raises")


def _datagram(server: Server, faults: Faults) -> Callable[[socket.socket], None]:
    def ready(udp: socket.socket) -> None:
        wire, client = udp.recvfrom(_LARGEST)
        question = _question(wire)
        answer = _answer(server, faults, question) if question else None
        if question and answer:
            udp.sendto(_wire(answer, question.payload or 512), client)

    return ready


def _stream(server: Server, faults: Faults) -> Callable[[socket.socket], None]:
    def serve(tcp: socket.socket) -> None:
        with contextlib.suppress(EOFError, dns.exception.DNSException):
            while True:
                question, _ = dns.query.receive_tcp(tcp)
                answer = _answer(server, faults, question)
                if answer is None:
                    return
                dns.query.send_tcp(tcp, answer)

    return serve


def _question(wire: bytes) -> dns.message.Message | None:
    with contextlib.suppress(dns.exception.DNSException):
        return dns.message.from_wire(wire)
    return None


def _wire(answer: dns.message.Message, size: int) -> bytes:
    try:
        return answer.to_wire(max_size=max(size, 512))
    except dns.exception.TooBig:  # the client asks again over TCP
        answer.answer, answer.authority = [], []
        answer.flags |= dns.flags.TC
        return answer.to_wire()


def _answer(server: Server, faults: Faults, question: dns.message.Message) -> dns.message.Message | None:
    """None: nothing is answered, as over a line that is cut."""
    if question.flags & dns.flags.QR or len(question.question) != 1:
        return None
    answer = dns.message.make_response(question, recursion_available=not server.authority)
    asked = question.question[0]
    name, type = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
    try:
        faults.meet(server.cloud, "QUERY", type, name)
        said = server.source(name, type)
    except CloudError as error:
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer if isinstance(error.how, Answer) else None
    if said is None:
        answer.set_rcode(dns.rcode.REFUSED)
        return answer
    answer.flags |= dns.flags.AA if server.authority else 0
    answer.answer = [_rrset(records) for records in said.found]
    answer.authority = [_rrset(said.start)] if said.start else []
    answer.set_rcode(dns.rcode.NOERROR if said.exists else dns.rcode.NXDOMAIN)
    return answer


def _rrset(records: Records) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(f"{records.name}.", records.ttl, "IN", records.type, list(records.values))
