"""The CLI and its Python host, built from the Go modules that cli/ and host/ pin."""

from __future__ import annotations

import shutil
from pathlib import Path

from script.engine import disk
from script.engine.golang import Go
from script.engine.module import Module
from script.engine.places import Places
from script.engine.problems import failed
from script.engine.process import CommandFailed, Runner

# Two scripts that the host and the dynamic providers start; the engine looks for them beside the CLI.
SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
# With the v because the official build's `pulumi version` prints one.
FLAGS = "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v"
# host/ is an old module: the host of today is a module of its own, and not every module proxy carries it.
CLI = Module("cli", "the Pulumi CLI", FLAGS, 1670)
HOST = Module("host", "its Python host", FLAGS, 280)
# Measured: modules 1.75 GB, build cache 1.83 GB, the programs 0.13 GB.
NEEDED_BYTES = {"GOMODCACHE": 1_800_000_000, "GOCACHE": 1_900_000_000}
RESULT_BYTES = 200_000_000


def build(into: Path, places: Places, go: Go, runner: Runner) -> None:
    """Build into `into`/bin. Raises SetupError."""
    disk.check({into: RESULT_BYTES} | {go.folder(name): count for name, count in NEEDED_BYTES.items()})
    target = into / "bin"
    target.mkdir()
    CLI.build(target, places, go, runner)
    _copy_scripts(places.pins / CLI.folder, target, go, runner)
    HOST.build(target, places, go, runner)


def _copy_scripts(folder: Path, target: Path, go: Go, runner: Runner) -> None:
    try:
        listed = runner.run([go.program, "list", "-m", "-f", "{{.Dir}}", SDK], env=go.env, cwd=folder)
    except CommandFailed as error:
        raise failed(f"Building {CLI.title}", error.output) from None
    module = Path(listed.splitlines()[-1])
    for script in SCRIPTS:
        copy = target / Path(script).name
        shutil.copyfile(module / script, copy)
        copy.chmod(0o755)
