"""The two tools: the shipped tables are what the official files give, and the comparison notices what differs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from iati_platform import standard

ROOT = Path(__file__).parent.parent.parent


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the tools, as `make` calls it."""
    command = [sys.executable, str(ROOT / "tools" / tool), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT / "src")})


def test_both_tools_ask_where_the_official_files_are() -> None:
    for tool in ("build_standard.py", "check_standard.py"):
        done = run(tool)
        assert (done.returncode, "the following arguments are required: --from" in done.stderr) == (2, True)


def test_the_shipped_tables_are_made_from_the_official_files(shared: Path) -> None:
    done = run("build_standard.py", "--from", str(shared / "standard"), "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"144 tables, 1\.\d\d MB; 0 changed, 0 no longer made\n", done.stdout)


def test_the_comparison_accounts_for_every_file_and_finds_nothing(shared: Path, tmp_path: Path) -> None:
    small = [path for path in sorted((shared / "corpus/real").rglob("*.xml")) if path.stat().st_size < 20_000][:5]
    for path in small:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = run("check_standard.py", "--from", str(shared / "standard"), "--corpus", str(tmp_path), "--generated", "32")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("571 declarations of the official files, 0 different in ours\n")
    assert "5 published files, each against every version" in done.stdout
    assert "\n0 differences, " in done.stdout


def test_the_comparison_notices_a_schema_that_differs(shared: Path, tmp_path: Path) -> None:
    for version in standard.VERSIONS:
        folder = tmp_path / "official/schemas" / version
        folder.mkdir(parents=True)
        for path in (shared / "standard/schemas" / version).glob("*.xsd"):
            text = path.read_text(encoding="utf-8")
            if version == "2.03" and path.name == "iati-common.xsd":
                text = text.replace('name="iso-date" use="required"', 'name="iso-date" use="optional"')
            (folder / path.name).write_text(text, encoding="utf-8")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    link = '<document-link url="" format=""><title/><document-date/></document-link>'
    (corpus / "one.xml").write_text(f'<iati-activities version="2.03"><iati-activity>{link}</iati-activity></iati-activities>')
    done = run("check_standard.py", "--from", str(tmp_path / "official"), "--corpus", str(corpus), "--generated", "0")
    assert done.returncode == 1
    assert "2.03 iati-activities: ('complexType', 'documentLinkBase')" in done.stderr


def test_the_data_version_names_date_and_content() -> None:
    assert re.fullmatch(r"2026-08-17\.[0-9a-f]{8}", standard.data_version())
    rules = next(source for source in standard.sources() if source.folder == "rulesets/2.03")
    assert (rules.repository, rules.date, len(rules.commit)) == ("IATI/IATI-Rulesets", "2023-04-05", 40)
