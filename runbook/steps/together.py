"""Work side by side under one time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


def together(works: Mapping[Key, Callable[[], Result]], seconds: float) -> dict[Key, Result | Exception]:
    """What each work returned or raised; a TimeoutError for one that is not finished after so many seconds.

    Such a work is left behind in a daemon thread, so that it holds up neither the caller nor the end of the process:
    a time limit of a socket alone does not help against a server that sends a byte now and then.
    """
    ends = time.monotonic() + seconds
    futures: dict[Key, Future[Result]] = {}
    for key, work in works.items():
        futures[key] = Future()
        threading.Thread(target=_run, args=(work, futures[key]), daemon=True).start()
    done: dict[Key, Result | Exception] = {}
    for key, future in futures.items():
        try:
            done[key] = future.result(timeout=max(0.0, ends - time.monotonic()))
        except Exception as error:
            done[key] = error
    return done


def _run(work: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
