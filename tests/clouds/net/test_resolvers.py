"""Resolvers keep what they were told as long as their kind does, by the rehearsal's clock."""

from __future__ import annotations

import time
from datetime import timedelta

import dns.rcode

from runbook.rehearsal.clouds.net.internet import CACHES
from runbook.rehearsal.clouds.net.resolvers import Resolver, ceiling, extending, share_on, used_to
from tests.clouds.net.scene import AUTH, NEW, OLD, Scene

_OLD, _NEW = f"{OLD}.supabase.co", f"{NEW}.supabase.co"


def _later(scene: Scene, seconds: float) -> None:
    scene.clock.move(timedelta(seconds=seconds))


def _target(resolver: Resolver) -> str:
    return resolver.ask(AUTH).targets[0]


def test_one_that_obeys_drops_an_answer_when_its_ttl_is_over(scene: Scene) -> None:
    resolver = scene.clouds.world.internet.cache()
    first = resolver.ask(AUTH)
    assert (first.targets, first.ttl, first.age) == ((_OLD,), 300, 0)  # the address of the target lives shorter
    assert first.addresses == (scene.address(_OLD),)
    scene.change_record(AUTH, content=_NEW)
    _later(scene, 3590)
    held = resolver.ask(AUTH)
    assert held.targets == (_OLD,)
    assert 3590 <= held.age < 3599
    _later(scene, 10)
    assert _target(resolver) == _NEW


def test_a_ceiling_and_an_extension_shorten_and_lengthen(scene: Scene) -> None:
    internet = scene.clouds.world.internet
    low, long = internet.cache(ceiling(600)), internet.cache(extending(3))
    assert (_target(low), _target(long)) == (_OLD, _OLD)
    scene.change_record(AUTH, content=_NEW)
    _later(scene, 601)
    assert (_target(low), _target(long)) == (_NEW, _OLD)
    _later(scene, 3 * 3600 - 610)
    assert _target(long) == _OLD
    _later(scene, 10)
    assert _target(long) == _NEW


def test_a_missing_name_is_remembered_by_the_soa(scene: Scene) -> None:
    resolver = scene.clouds.world.internet.cache()
    assert not resolver.ask("new.ibimina.rw").exists
    scene.record("new.ibimina.rw", "CNAME", _NEW, 60)
    _later(scene, 1790)
    assert not resolver.ask("new.ibimina.rw").exists
    _later(scene, 11)
    assert resolver.ask("new.ibimina.rw").targets == (_NEW,)


def test_they_answer_over_the_network_with_the_ttl_that_is_left(scene: Scene) -> None:
    obeying, low, long = (CACHES[name][0] for name in ("obeying", "ceiling", "extending"))
    for server in (obeying, low, long):
        scene.ask(AUTH, server=server)
    _later(scene, 1000)
    left = [scene.ask(AUTH, server=server).answer[0].ttl for server in (obeying, low, long)]
    assert [2590 < left[0] <= 2600, 2590 < left[1] <= 2600, 9790 < left[2] <= 9800] == [True] * 3
    assert scene.ask("missing.ibimina.rw", server=obeying).rcode() == dns.rcode.NXDOMAIN
    _later(scene, 700)
    assert 1090 < scene.ask("missing.ibimina.rw", server=obeying).authority[0].ttl <= 1100


def test_nobody_is_stale_a_minute_after_a_switch_that_waited_and_many_after_one_that_did_not(scene: Scene) -> None:
    internet = scene.clouds.world.internet
    begun = time.perf_counter()
    for waited, least, most in ((3600, 0.0, 0.0), (0, 0.95, 1.0), (1800, 0.45, 0.55)):
        scene.change_record(AUTH, content=_OLD, ttl=3600)
        people = [internet.cache() for _ in range(300)]
        used_to(people, [AUTH], scene.clock.now(), timedelta(hours=1))
        scene.change_record(AUTH, ttl=60)
        _later(scene, waited)
        for one in people:
            one.ask(AUTH)
        scene.change_record(AUTH, content=_NEW)
        _later(scene, 61)
        assert least <= share_on(people, AUTH, _OLD) <= most
        assert share_on(people, AUTH, _OLD) + share_on(people, AUTH, _NEW) == 1
    assert time.perf_counter() - begun < 3  # 3,600 questions to 900 resolvers: they must stay cheap
