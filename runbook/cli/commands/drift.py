"""`drift`: what somebody changed by hand, for people and for cron."""

from __future__ import annotations

from runbook.cli.options import Json, Markdown, Practice, Stack


def command(stack: Stack = None, practice: Practice = False, markdown: Markdown = False, json: Json = False) -> None:
    """Compare the clouds with what the program declared last; exit code 5 when they differ. Nothing is written."""
    import typer

    from runbook.cli.codes import Code
    from runbook.cli.drifted import drifted
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out
    from runbook.cli.planning import failure
    from runbook.cli.progress import counting
    from runbook.cli.stack import Here
    from runbook.model.plans.operation import plan_of

    out, here = Out(json), Here.of(stack, practice)
    if lock := here.engine.lock():
        raise lock.error(here.freeing, here.command("drift"))
    with counting(out, f"Comparing {here.stack} with the clouds") as (on_event, stopping):
        ran = here.engine.refresh_preview(on_event, stopping)
    seen = plan_of(ran.events)
    if ran.interrupted:
        raise CliError("The comparison was stopped; it changes nothing.", "", Code.INTERRUPTED)
    if ran.code:
        raise failure(here, ran, seen.refused, here.command("drift"))
    found = drifted(seen)
    compared = len([each for each in seen.operations if ":" in each.type])
    if markdown:
        out.raw(f"### Drift of {here.stack}\n\n" + ("\n".join(f"- {each.text}" for each in found) or "None."))
    elif found:
        out.say(f"{here.stack}: {_count(len(found))} between the clouds and what was declared.", "bold")
        out.points([each.text for each in found])
        out.say(
            f"\nPut it back: {here.command('plan')}, then apply. Or take it over: write it into {here.file.name}."
        )
    else:
        out.say(
            f"{here.stack}: no drift." if compared else f"{here.stack}: no update was made, so nothing can differ."
        )
    out.data({"stack": here.stack, "drift": [each.as_json() for each in found], "compared": compared})
    if found:
        raise typer.Exit(Code.DRIFT)


def _count(number: int) -> str:
    return "1 difference" if number == 1 else f"{number} differences"
