"""Work side by side under one time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar

from runbook.steps.call import StepError

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


def results(works: Mapping[Key, Callable[[], Result]], seconds: float) -> list[Result]:
    """What all works returned, in their order. The first error is raised; a work that is late is a StepError."""
    returned: list[Result] = []
    for key, done in together(works, seconds).items():
        if isinstance(done, TimeoutError):
            raise StepError(f"{key} did not answer within {seconds:.0f} s. Run up again.") from done
        if isinstance(done, Exception):
            raise done
        returned.append(done)
    return returned


def sentence(error: Exception) -> str:
    """What a work that failed says to people."""
    if isinstance(error, StepError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "There was no whole answer in time. Run up again."
    return f"Observing failed in a way it does not know ({type(error).__name__}: {error}): report it."
