"""The command for those who publish: validate."""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from iati_platform.cli.root import EXIT_FAILED, EXIT_USAGE, CommandError, app, err, out


class ReportFormat(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class Threshold(StrEnum):
    """From which severity on a finding makes the command fail."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"


@app.command(epilog="Example: iati validate activities.xml --fail-on error    |    curl -s URL | iati validate - --format json")
def validate(
    files: Annotated[list[str], typer.Argument(help="Files, http(s) URLs, or - for standard input.", metavar="FILE|URL|-")],
    report_format: Annotated[ReportFormat, typer.Option("--format", help="How to write the report.")] = ReportFormat.TEXT,
    as_of: Annotated[datetime | None, typer.Option(help="The day that date rules see.", formats=["%Y-%m-%d"])] = None,
    fail_on: Annotated[Threshold, typer.Option(help="Exit 1 from this severity on.")] = Threshold.CRITICAL,
) -> None:
    """Validate files. Exit 1 when the threshold is met, 2 on unusable input."""
    from iati_platform.settings import load_settings
    from iati_platform.validator import output, service

    day = as_of.date() if as_of else load_settings().today or date.today()  # noqa: DTZ011 (a person's own calendar day)
    worst = 0
    reports = []
    for name in files:
        try:
            data = _read(name)
        except OSError as error:
            err.print(f"iati: {name}: {error.strerror or error}", style="red", highlight=False, markup=False)
            worst = EXIT_USAGE
            continue
        report = service.validate(data, as_of=day)
        reports.append((name, report))
        if output.exit_code(report, fail_on.value):
            worst = max(worst, EXIT_FAILED)
    if report_format is ReportFormat.TEXT:
        for name, report in reports:
            output.to_text(report, name, out)
    elif report_format is ReportFormat.JSON:
        documents = [service.to_api(report) for _, report in reports]
        sys.stdout.write(
            orjson.dumps(documents if len(files) > 1 else documents[0] if documents else [], option=orjson.OPT_INDENT_2).decode() + "\n"
        )
    else:
        sys.stdout.write(orjson.dumps(output.to_sarif(reports), option=orjson.OPT_INDENT_2).decode() + "\n")
    if worst:
        raise typer.Exit(worst)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    if name.startswith(("http://", "https://")):
        from iati_platform.bulk.fetcher import fetch_once
        from iati_platform.settings import load_settings

        try:
            return fetch_once(name, load_settings())
        except ValueError as error:
            raise CommandError(f"{name}: {error}", EXIT_USAGE) from error
    return Path(name).read_bytes()
