"""The small statistics that are collected every day (spec/dashboard.md section 7.5), computed from the analytics tables and the files.

Names are those of spec/dashboard.md section 8. Everything is plain JSON: numbers, ISO dates, dictionaries with text keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb

from iati_platform.dashboard.models import OVERALL

#: (upper bound in bytes, name), MiB as in the peer.
SIZE_BINS: Final = ((1 << 20, "<1MB"), (5 << 20, "1-5MB"), (10 << 20, "5-10MB"), (20 << 20, "10-20MB"))
_LARGEST: Final = ">20MB"
#: Files above this were not parsed by the peer. Ours are; the number is kept for comparison.
TOO_LARGE: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What is known about one dataset's file. `kind`: root element of an IATI file, None for anything else; `version`: as declared."""

    dataset_id: str
    reporting_org_id: str
    kind: str | None
    version: str
    size: int
    well_formed: bool
    iati_root: bool
    schema_valid: bool
    activities: int


def statistics(tables: duckdb.DuckDBPyConnection, files: Iterable[DatasetSummary], day: date) -> dict[str, dict[str, Any]]:
    """Statistics of every organisation that has files, by id, and of everything under `OVERALL`. `tables` as `tables.connect` gives it."""
    by_org: dict[str, list[DatasetSummary]] = defaultdict(list)
    for file in files:
        by_org[file.reporting_org_id].append(file)
    found = {org: _of_files(own) for org, own in by_org.items()}
    everything = _of_files([file for own in by_org.values() for file in own]) | _of_organisations(list(by_org.values()))
    for org, stats in _of_activities(tables).items():
        if org is None:
            everything["unique_identifiers"] = stats["publisher_unique_identifiers"]
        elif org in found:
            found[org] |= stats
    for org, stats in _of_transactions(tables, day).items():
        if org is not None and org in found:
            found[org] |= stats
    for stats in found.values():
        for name, nothing in _NOTHING.items():
            stats.setdefault(name, nothing)
    everything.setdefault("unique_identifiers", 0)
    return found | {OVERALL: everything}


_NOTHING: Final[dict[str, Any]] = {
    "publisher_unique_identifiers": 0,
    "bottom_hierarchy": None,
    "latest_transaction_date": None,
    "most_recent_transaction_date": None,
    "activities_with_future_transactions": 0,
    "transaction_dates_hash": None,
}


def _of_files(files: list[DatasetSummary]) -> dict[str, Any]:
    iati = [file for file in files if file.well_formed and file.iati_root]
    return {
        "activities": sum(file.activities for file in files),
        "activity_files": sum(file.kind == "iati-activities" for file in iati),
        "organisation_files": sum(file.kind == "iati-organisations" for file in iati),
        "file_size": sum(file.size for file in files),
        "file_size_bins": dict(Counter(_bin(file.size) for file in files)),
        "empty": sum(file.size == 0 for file in files),
        "toolarge": sum(file.size > TOO_LARGE for file in files),
        "invalidxml": sum(not file.well_formed for file in files if file.size),
        "nonstandardroots": sum(file.well_formed and not file.iati_root for file in files),
        "validation": {"pass": sum(file.schema_valid for file in iati), "fail": sum(not file.schema_valid for file in iati)},
        "versions": dict(Counter(file.version or "null" for file in iati)),
    }


def _bin(size: int) -> str:
    return next((name for most, name in SIZE_BINS if size < most), _LARGEST)


def _of_organisations(orgs: list[list[DatasetSummary]]) -> dict[str, Any]:
    iati = [[file for file in files if file.well_formed and file.iati_root] for files in orgs]
    versions: Counter[str] = Counter()
    for files in iati:
        versions.update({file.version or "null" for file in files})
    failing = sum(any(not file.schema_valid for file in files) for files in iati)
    with_org_file = sum(any(file.kind == "iati-organisations" for file in files) for files in iati)
    return {
        "publishers": len(orgs),
        "publishers_per_version": dict(versions),
        "publishers_validation": {"pass": len(orgs) - failing, "fail": failing},
        "publisher_has_org_file": {"yes": with_org_file, "no": len(orgs) - with_org_file},
    }


_ACTIVITIES: Final = """
SELECT owner.reporting_org_id, count(DISTINCT activity.iati_identifier), max(coalesce(activity.hierarchy, 1))
FROM activity JOIN dataset AS owner USING (dataset_id)
GROUP BY GROUPING SETS ((owner.reporting_org_id), ())
"""


def _of_activities(tables: duckdb.DuckDBPyConnection) -> dict[str | None, dict[str, Any]]:
    """By organisation, None for all together."""
    return {
        org: {"publisher_unique_identifiers": identifiers, "bottom_hierarchy": bottom}
        for org, identifiers, bottom in tables.execute(_ACTIVITIES).fetchall()
    }


#: The date of a transaction is its transaction-date, else its value date (spec section 2).
_TRANSACTIONS: Final = """
WITH dated AS (
    SELECT owner.reporting_org_id AS org, transaction.dataset_id, activity_index, type, coalesce(date, value_date) AS day
    FROM transaction JOIN dataset AS owner USING (dataset_id)
), counted AS (
    SELECT org, type, day, count(*) AS number FROM dated WHERE day IS NOT NULL GROUP BY ALL
), hashed AS (
    SELECT org, md5(string_agg(coalesce(type, '') || ' ' || day || ' ' || number, ',' ORDER BY type, day)) AS hash FROM counted GROUP BY org
)
SELECT dated.org, max(day), max(day) FILTER (day <= $day),
       count(DISTINCT (dataset_id, activity_index)) FILTER (day > $day), any_value(hash)
FROM dated LEFT JOIN hashed USING (org)
GROUP BY dated.org
"""


def _of_transactions(tables: duckdb.DuckDBPyConnection, day: date) -> dict[str | None, dict[str, Any]]:
    return {
        org: {
            "latest_transaction_date": latest.isoformat() if latest else None,
            "most_recent_transaction_date": recent.isoformat() if recent else None,
            "activities_with_future_transactions": future,
            "transaction_dates_hash": hashed,
        }
        for org, latest, recent, future, hashed in tables.execute(_TRANSACTIONS, {"day": day}).fetchall()
    }
