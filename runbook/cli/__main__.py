"""`./cutover`. Whatever goes wrong is told in a sentence; a traceback only goes to a log."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from datetime import datetime


def main(arguments: Sequence[str]) -> int:
    """The exit code, one of `runbook.cli.codes`."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("Stopped. Where the stack stands: ./cutover status.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        from runbook.cli.out import mute

        mute(sys.stdout)
        return 0
    except Exception as error:  # the last resort: a fault of ours
        return _unexpected(error, arguments)


def _run(arguments: Sequence[str]) -> int:
    import typer

    from runbook.cli.app import build
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out

    words = list(arguments) or ["--help"]
    try:
        return int(build()(words, prog_name="./cutover", standalone_mode=False) or Code.DONE)
    except CliError as error:
        return Out("--json" in words).failed(error)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        said = (getattr(error, "format_message", None) or error.__str__)().rstrip(".")
        remedy = f"See {context.command_path if context else './cutover'} --help."
        return Out("--json" in words).failed(CliError(f"{said}.", remedy, Code.USAGE))
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None


def _unexpected(error: Exception, arguments: Sequence[str]) -> int:
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out
    from runbook.cli.place import ROOT

    log = ROOT / "out" / "cutover" / f"fault-{datetime.now():%Y%m%d-%H%M%S}.txt"
    where = f"out/cutover/{log.name} says where"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        # Without the error's own text, which may hold a value of the config.
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.write_text(f"{frames}{type(error).__name__}\n", encoding="utf-8")
    except OSError as full:
        where = f"no log could be written ({full.strerror})"
    words = " ".join(arguments[:1]) or "cutover"
    said = f"`{words}` met something that this program did not expect ({type(error).__name__}); {where}."
    remedy = "What the stack is doing now: ./cutover status. The way back does not need this program: out/way-back/."
    return Out("--json" in arguments).failed(CliError(said, remedy, Code.FAILED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
