"""`make alerts`. Imports come late, so that a Ctrl-C among them is as quiet as any other."""

from __future__ import annotations

import sys


def main() -> int:
    """The exit code of the command; 130 when it was stopped."""
    try:
        from runbook.proving import command

        return command.main()
    except KeyboardInterrupt:
        print("Stopped: nothing is left running, and nothing was proven.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
