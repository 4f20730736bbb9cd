"""The documentation is complete and leads somewhere: links, commands, settings, dependencies, decisions."""

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.docs.pages import ROOT, Page, pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    known = {other.name: other for other in PAGES}
    broken = []
    for link in page.links():
        if re.match(r"(https?|mailto):", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page.name).parent / path if path else ROOT / page.name
        name = target.resolve().relative_to(ROOT).as_posix()
        if not target.exists() or (anchor and name in known and anchor not in known[name].anchors()):
            broken.append(link)
    assert broken == []


def commands() -> set[str]:
    """Every command with its group, as it is typed: "orgs list"."""
    package = importlib.import_module("iati_platform.cli")
    for module in pkgutil.iter_modules(package.__path__, "iati_platform.cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def walk(command: Any, words: tuple[str, ...]) -> set[str]:
        children = getattr(command, "commands", None)
        if children is None:
            return {" ".join(words)}
        return {name for word, child in children.items() if not child.hidden for name in walk(child, (*words, word))}

    return walk(typer.main.get_command(package.app), ())


def test_every_command_is_described_and_every_described_command_exists() -> None:
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `iati ([a-z -]+)` \|", text, re.MULTILINE)) == commands()


def test_every_long_option_that_the_commands_page_names_exists() -> None:
    package = importlib.import_module("iati_platform.cli")
    commands()
    root = typer.main.get_command(package.app)
    wrong = []
    rows = re.findall(r"^\| `iati ([a-z -]+)` \| (.*) \|$", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    for name, text in rows:
        command: Any = root
        for word in name.split():
            command = command.commands[word]
        options = {option for parameter in command.params for option in parameter.opts}
        wrong += [f"iati {name} {option}" for option in re.findall(r"`(--[a-z-]+)", text) if option not in options]
    assert wrong == []


def test_settings_that_pages_name_exist_and_all_are_described() -> None:
    from iati_platform.settings import SETTINGS

    files = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs/operator").iterdir(), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = {name for path in files if path.is_file() for name in re.findall(r"\bIATI_([A-Z_]+[A-Z])\b", path.read_text(encoding="utf-8"))}
    examples_of_mistakes = {"WORKER"}
    testing = {name for name in named if name.startswith("TEST")}
    assert {name.removesuffix("_FILE") for name in named - testing} - examples_of_mistakes <= set(SETTINGS)
    described = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert described == set(SETTINGS)


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *(d for group in project["project"]["optional-dependencies"].values() for d in group)]
    declared += project["build-system"]["requires"]
    declared += [line for line in (ROOT / "requirements-dev.in").read_text(encoding="utf-8").splitlines() if re.match(r"[a-z]", line)]
    names = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in declared}
    page = (ROOT / "docs/decisions/dependencies.md").read_text(encoding="utf-8")
    lines = set(re.findall(r"^\| ([a-z][\w.-]+) \|", page, re.MULTILINE)) - {"library"}
    assert lines == names


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs/decisions"
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_every_page_is_reached_from_the_index() -> None:
    index = next(page for page in PAGES if page.name == "docs/index.md")
    linked = {link.partition("#")[0] for link in index.links()}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_no_page_names_a_path_of_somebodys_machine() -> None:
    texts: dict[str, str] = {page.name: page.text for page in PAGES}
    texts["NOTICE"] = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert [name for name, text in texts.items() if re.search(r"(/home/|/root\b|/Users/|/work/|/tmp/)", text)] == []


def test_the_notice_states_each_source_once() -> None:
    text = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for words in ("Creative Commons Attribution 4.0 International", "Source: International Monetary Fund", "2013-2014 Ben Webb"):
        assert text.count(words) == 1
    others = [path for path in (ROOT / "docs").rglob("*.md") if "Ben Webb" in path.read_text(encoding="utf-8")]
    assert others == []


def test_the_makefile_and_the_readme_agree() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", Path(ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", readme, re.MULTILINE))
    assert {"up", "test"} <= named <= targets
