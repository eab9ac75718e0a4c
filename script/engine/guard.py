"""Lets one set-up at a time work on a thing, and swaps finished things in whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from script.engine.progress import Progress


@contextlib.contextmanager
def alone(lock: Path, progress: Progress) -> Iterator[None]:
    """Hold `lock`; while another set-up holds it, wait and say so. The kernel frees it when a holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:
        if not _taken(handle.fileno()):
            progress.start("Waiting for another set-up that does the same work")
            while not _taken(handle.fileno()):
                progress.tick()
                time.sleep(0.2)
        yield


@contextlib.contextmanager
def whole(final: Path) -> Iterator[Path]:
    """A new folder that takes the name `final` when the block succeeds, and is gone when it does not.

    Only one set-up at a time may be in here for one `final`. What a killed one left is thrown away first.
    """
    partial = final.with_name(f"{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def anew(place: Path, aside: Path) -> Iterator[None]:
    """Make a folder anew that only works where it stands. The old one waits at `aside`, and is back when the block
    does not succeed: where a registry is down, what people had goes on working."""
    if aside.exists():  # a killed set-up put it there, and what stands at its place is half-made
        shutil.rmtree(place, ignore_errors=True)
    elif place.exists():
        shutil.move(place, aside)
    try:
        yield
    except BaseException:
        if aside.exists():
            shutil.rmtree(place, ignore_errors=True)
            shutil.move(aside, place)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that it is there as a whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
