"""The checks of `make check` that are ours: they pass what is fine and refuse what is not."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> ModuleType:
    """A program of tools/ as a module; they import each other by bare name, as programs in one folder do."""
    folder = str(ROOT / "tools")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(folder)


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("MIT", False),
        ("LGPL-3.0-only", False),
        ("LGPL-2.1-only OR MIT", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("GPL-2.0-or-later OR MIT", False),
        ("GPL-3.0-or-later", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("AGPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("MIT AND GPL-3.0-only", True),
    ],
)
def test_licences_that_bind_are_refused(licence: str, refused: bool) -> None:
    assert tool("check_licences").refused(licence) is refused


def test_an_address_in_a_lock_file_is_a_fault(tmp_path: Path) -> None:
    check = tool("check_locks")
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "--index-url https://packages.example.org/simple\nexample==1.0 \\\n    --hash=sha256:00\nother==2.0\n", encoding="utf-8"
    )
    assert check.faults_of_pip_lock(lock) == [
        "requirements.txt:1: an address: --index-url https://packages.example.org/simple",
        "requirements.txt: other has no hash",
    ]
