"""Pages hold together: links, the stack file's block of the first cutover, the tokens, the environments."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from runbook.model.problems import NAMESPACE
from runbook.model.reading import read, sections
from runbook.model.secrets_needed import OPTIONAL_SECRETS, cutover_secrets, required_secrets
from runbook.model.settings import Settings
from tests.docs.commands import blocks, pages
from tests.stacks import ROOT, platform, raw, secrets
from tests.workflows.workflows import workflows

FIRST = "docs/first-cutover.md"
LINK = re.compile(r"\]\(([^)\s:]+)\)")


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages())
def test_what_is_linked_is_there(page: str) -> None:
    for target in LINK.findall(pages()[page]):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_the_block_of_the_first_cutover_is_taken() -> None:
    (block,) = blocks(FIRST, "yaml")
    given = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in yaml.safe_load(block).items()}
    sound, problems = sections({**raw("prod"), **given})
    assert problems == []
    wanted = required_secrets(platform("prod"), Settings.model_construct(**sound))
    made_up = {name: secrets("prod").get(name, "x" * 40) for name in wanted}
    settings = read("prod", {**raw("prod"), **given, "secrets": made_up}, platform("prod"))
    assert settings.phase == "prepared"


def test_the_checklist_has_every_token() -> None:
    told = set(re.findall(r"`([A-Z][A-Z_*]+)`", pages()[FIRST].partition("## 2.")[2].partition("## 3.")[0]))
    starts = tuple(name.removesuffix("*") for name in told if name.endswith("*"))
    wanted: set[str] = set()
    for stack in ("prod", "easymo-prod"):
        config = Settings.model_validate(raw(stack))
        wanted |= {*required_secrets(platform(stack), config), *cutover_secrets(platform(stack), config)}
    wanted |= OPTIONAL_SECRETS.keys()
    assert {name for name in wanted if name not in told and not name.startswith(starts)} == set()
    assert {name for name in told if not name.endswith("*")} <= wanted


def test_environments_and_variables_are_those_of_the_workflows() -> None:
    text = pages()[FIRST].partition("## 4.")[2].partition("## 5.")[0]
    used, named = set(), set()
    for workflow in workflows().values():
        for job in workflow.jobs.values():
            if environment := job.get("environment"):
                used.add(re.sub(r"\$\{\{ (inputs|matrix)\.stack \}\}", "prod", environment))
        named |= set(re.findall(r"\b(?:secrets|vars)\.([A-Z_]+)", workflow.text))
    assert set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)) == used
    assert named <= set(re.findall(r"`([A-Z_]+)`", text))


def test_a_rollback_at_night_is_one_page() -> None:
    page = "docs/rollback-at-night.md"
    assert len([word for word in pages()[page].split() if word.strip("|-")]) < 800  # without the lines of tables
    vendors = {"Vercel", "Grafana", "Supabase", "Slack", "PagerDuty", "Cloudflare"}
    assert vendors <= set(re.findall(r"^\| (\w+) \|", pages()[page], re.MULTILINE))


def test_paths_in_how_it_is_built_exist() -> None:
    for page in ("docs/built.md", "CONTRIBUTING.md"):
        for path in re.findall(r"`((?:runbook|components|tests|script|schema|docs)/[^`<> ]*)`", pages()[page]):
            assert (ROOT / path).exists(), path


def test_every_layer_is_told() -> None:
    told = set(re.findall(r"^\| `([\w/]+/)` \|", pages()["docs/built.md"], re.MULTILINE))
    folders = {f"runbook/{each.name}/" for each in (ROOT / "runbook").iterdir() if (each / "__init__.py").is_file()}
    assert folders | {"components/"} <= told


def test_the_picture_is_whole_and_says_what_is_stood_in_for() -> None:
    text = (ROOT / "docs/flow.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    width, height = (float(each) for each in root.attrib["viewBox"].split()[2:])
    for each in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(each.get("x", 0)) + float(each.attrib["width"]) <= width
        assert float(each.get("y", 0)) + float(each.attrib["height"]) <= height
    assert "stood in for by servers on this machine" in text
    assert "real: the engine" in text


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    files = sorted(folder.glob("0*.md"))
    assert {file.name for file in files} == listed
    for number, file in enumerate(files, 1):  # none is left out
        assert file.name.startswith(f"{number:04}-")
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. ")
