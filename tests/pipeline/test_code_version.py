"""The code version covers everything the process step runs: a change there that left old artefacts in use would be silent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import iati_platform
from iati_platform.pipeline.code_version import NOT_SOURCES, SOURCES, code_version

PACKAGE = Path(iati_platform.__file__).parent


def test_every_module_the_step_imports_is_a_source() -> None:
    ours = "[module.__file__ for name, module in sys.modules.items() if name.startswith('iati_platform') and module.__file__]"
    program = f"import sys, iati_platform.pipeline.process; print(*{ours}, sep='\\n')"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    imported = {Path(path).relative_to(PACKAGE).as_posix() for path in printed.splitlines()}
    covered = {path for path in imported for source in SOURCES if path == source or path.startswith(source + "/")}
    missing = {path for path in imported - covered if not path.endswith("__init__.py")}
    # Rooms that only read artefacts may be imported by a room's face; they are named so.
    assert {path for path in missing if Path(path).name not in NOT_SOURCES} == set()


def test_it_is_short_and_stable() -> None:
    assert code_version() == code_version()
    assert len(code_version()) == 12 and set(code_version()) <= set("0123456789abcdef")


def test_sources_exist() -> None:
    assert [source for source in SOURCES if not (PACKAGE / source).exists()] == []
