"""The collected daily history of an organisation, as its page and CSV show it."""

from __future__ import annotations

from iati_platform.dashboard import service as dashboard
from iati_platform.storage.database import reading
from iati_platform.web.platform import Platform

from .views.organisation import DayFigures

STATISTICS = ("activities", "activity_files", "organisation_files", "file_size", "validation")


def of_organisation(platform: Platform, org_id: str) -> list[DayFigures]:
    """One line per day on which statistics were collected, oldest first."""
    with reading(platform.engine) as session:
        columns = {name: dashboard.history(session, org_id, name) for name in STATISTICS}
    lines = []
    for row, point in enumerate(columns["activities"]):
        values = {name: points[row].value for name, points in columns.items()}
        files = [values["activity_files"], values["organisation_files"]]
        validation = values["validation"]
        lines.append(
            DayFigures(
                day=point.day,
                activities=values["activities"],
                datasets=sum(files) if None not in files else None,
                valid_datasets=validation.get("pass") if isinstance(validation, dict) else None,
                size=values["file_size"],
            )
        )
    return lines
