"""What the code imports is declared, and what is declared is used: nothing comes in by the back door of another library."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Where the name of the import is not the name of the library.
LIBRARY = {
    "multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "importlinter": "import-linter",
    "flask_cors": "flask-cors",
}
# Used without being imported by us: SQLAlchemy's driver, FastAPI's form parser, tools that are run.
NOT_IMPORTED = {"psycopg", "python-multipart"}
RUN_AS_TOOLS = {"mypy", "ruff", "import-linter", "lxml-stubs", "pip-tools", "pytest-xdist"}
OURS = {"iati_platform", "tests", "benchmarks", *(path.stem for path in (ROOT / "tools").glob("*.py"))}


def imported(*folders: str) -> set[str]:
    """Libraries imported anywhere in the folders' modules, functions included."""
    names: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                    names.add(node.module.split(".")[0])
                elif (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "attr", "") == "importorskip"
                    and isinstance(node.args[0], ast.Constant)
                ):
                    names.add(str(node.args[0].value).split(".")[0])
    return {LIBRARY.get(name, name) for name in names if name not in sys.stdlib_module_names and name not in OURS}


def library(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]


RUNTIME = {library(requirement) for requirement in PROJECT["dependencies"]}
OPTIONAL = {library(requirement) for group in PROJECT["optional-dependencies"].values() for requirement in group}
DEVELOPMENT = {
    library(line) for line in (ROOT / "requirements-dev.in").read_text(encoding="utf-8").splitlines() if re.match(r"[a-z]", line)
}


def test_what_the_package_imports_is_what_it_declares() -> None:
    assert imported("src") - OPTIONAL == RUNTIME - NOT_IMPORTED


def test_what_tests_and_tools_import_is_what_they_declare() -> None:
    assert imported("tests", "tools", "benchmarks") - RUNTIME <= DEVELOPMENT
    assert imported("tests", "tools", "benchmarks") >= DEVELOPMENT - RUN_AS_TOOLS - OPTIONAL
