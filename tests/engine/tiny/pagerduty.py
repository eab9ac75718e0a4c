"""Stands in for one kind of step: writes down that it acted, and does what behaviour.json says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from runbook.steps.call import Call, StepError
from tests.engine.tiny.noted import note


def page(call: Call) -> dict[str, Any]:
    others = {name: [call.acted[name], call.failed[name], dict(evidence)] for name, evidence in call.read.items()}
    note(call.name, trigger=call.trigger, before=dict(call.before), others=others, at=time.time())
    behaviour = json.loads(Path("behaviour.json").read_text(encoding="utf-8")).get(call.name, "")
    secrets = " ".join(call.secrets.values())
    if behaviour == "fails":
        raise StepError(f"the vendor answered 403 and repeated {secrets}. Mend it.")
    if behaviour == "hangs":
        time.sleep(60)
    if behaviour == "dawdles":
        time.sleep(3)
    if behaviour == "tells":
        return {"told": secrets}
    return {"saw": call.trigger}
