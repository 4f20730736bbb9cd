#!/usr/bin/env python3
"""Write revision 0001 anew from the models of all rooms.

    python tools/rewrite_initial_migration.py [--check]

There is one initial revision until the first tagged version; whoever changes a table runs this. From the first tag on
the file is frozen and this script refuses: changes become revisions of their own. `--check` only says whether the
file is up to date (exit 1 when it is not).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from alembic.autogenerate import produce_migrations, render_python_code  # noqa: E402
from alembic.migration import MigrationContext  # noqa: E402
from alembic.operations import ops  # noqa: E402
from sqlalchemy import create_engine  # noqa: E402

from iati_platform.storage.database import MIGRATIONS, Base  # noqa: E402

MODELS = ("registry", "bulk", "pipeline", "dashboard")
TARGET = MIGRATIONS / "versions" / "0001_initial.py"
HEADER = '''"""The tables of the first version. Written by tools/rewrite_initial_migration.py; not edited by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import iati_platform.storage.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    '''


def import_models() -> list[str]:
    """Import every room's models that exist, so that their tables are on `Base`."""
    names = [name for room in MODELS if importlib.util.find_spec(name := f"iati_platform.{room}.models") is not None]
    for name in names:
        importlib.import_module(name)
    return names


def initial_revision() -> str:
    """The source of revision 0001 for the models as they are."""
    context = MigrationContext.configure(
        create_engine("sqlite://").connect(), opts={"target_metadata": Base.metadata, "user_module_prefix": None}
    )
    upgrade = produce_migrations(context, Base.metadata).upgrade_ops
    assert isinstance(upgrade, ops.UpgradeOps)
    body = render_python_code(upgrade, sqlalchemy_module_prefix="sa.", alembic_module_prefix="op.", imports=["from sqlalchemy import Text"])
    lines = [line for line in body.splitlines() if not line.lstrip().startswith("# ###")]
    source = HEADER + "\n".join(lines).strip().replace("astext_type=Text()", "astext_type=sa.Text()") + "\n"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    return formatted.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    arguments = parser.parse_args()
    if len(list(TARGET.parent.glob("[0-9]*.py"))) > 1:
        print("there are later revisions: 0001 is frozen, write a new one", file=sys.stderr)
        return 1
    imported = import_models()
    source = initial_revision()
    if arguments.check:
        current = TARGET.exists() and TARGET.read_text(encoding="utf-8") == source
        print("up to date" if current else "0001 is not what the models say: run tools/rewrite_initial_migration.py")
        return 0 if current else 1
    TARGET.write_text(source, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(Base.metadata.tables)} tables from {', '.join(imported)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
