"""`./cutover`. Whatever goes wrong is told in a sentence; a traceback only goes to a log."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime

_ANYWAY = "The way back does not need this program: out/way-back/."


def main(arguments: Sequence[str]) -> int:
    """The exit code, one of `runbook.cli.codes`."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return _stopped(arguments)
    except BrokenPipeError:
        from runbook.cli.out import mute

        mute(sys.stdout)
        return 0
    except OSError as error:
        return _refused(error, arguments)
    except Exception as error:  # the last resort: a fault of ours
        return _unexpected(error, arguments)


def _run(arguments: Sequence[str]) -> int:
    import typer

    from runbook.cli.app import GROUPS, build
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out

    words = list(arguments)
    if not words or (len(words) == 1 and words[0] in GROUPS):
        words.append("--help")
    try:
        code = int(build()(words, prog_name="./cutover", standalone_mode=False) or Code.DONE)
    except CliError as error:
        return Out("--json" in words).failed(error)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        said = (getattr(error, "format_message", None) or error.__str__)()
        sentence = said if said.endswith((".", "?")) else f"{said}."
        remedy = f"See {context.command_path if context else './cutover'} --help."
        return Out("--json" in words).failed(CliError(sentence, remedy, Code.USAGE))
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    if code == Code.INTERRUPTED:  # what Typer makes of a Ctrl-C, without a word
        raise KeyboardInterrupt
    return code


def _stopped(arguments: Sequence[str]) -> int:
    """Outside a command of the engine, which is told apart and waited for."""
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out

    status = "./cutover status --practice" if "--practice" in arguments else "./cutover status"
    remedy = f"Where the stack stands: {status}"
    return Out("--json" in arguments).failed(CliError("Stopped.", remedy, Code.INTERRUPTED))


def _refused(error: OSError, arguments: Sequence[str]) -> int:
    """A full disk, a folder that may not be written."""
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out

    where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    said = f"The system refused something that this command needs ({where})."
    return Out("--json" in arguments).failed(CliError(said, f"Mend that and run it again. {_ANYWAY}", Code.FAILED))


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
    remedy = f"What the stack is doing now: ./cutover status. {_ANYWAY}"
    return Out("--json" in arguments).failed(CliError(said, remedy, Code.FAILED))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that is closed must not keep a way back from going
    sys.exit(main(sys.argv[1:]))
