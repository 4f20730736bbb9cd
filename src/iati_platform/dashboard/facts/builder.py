"""One file's records into its facts: part of the process step, so pure (no clock, database or network)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from iati_platform.dashboard.facts import comprehensiveness, humanitarian
from iati_platform.dashboard.facts.activity import Activity, Budget, iso_date
from iati_platform.dashboard.facts.elements import ElementCounts
from iati_platform.dashboard.facts.organisations import OrganisationCounts
from iati_platform.dashboard.facts.vocabulary import amount, file_version
from iati_platform.standard import VERSIONS, FileKind

if TYPE_CHECKING:
    from iati_platform.reading import FileReading, Record

#: Raise when the shape of the facts changes; readers refuse what they do not know.
FORMAT: Final = 1

#: Bits of the field `flags` of an activity.
FLAGS: Final = {
    "secondary": 1,  # reported by a secondary reporter
    "donor": 2,  # the reporting organisation is a donor of it
    "budget_not_provided": 4,  # says so, and has no budget
    "budget_not_provided_with_budget": 8,  # says so, and has one all the same
    "incoming": 16,  # has incoming money: denominator of traceability
    "one_country": 32,  # exactly one recipient country: denominator of recipient language
    "humanitarian": 64,
    "admitted": 128,  # in the Datastore's collections
    "schema_valid": 256,
}
#: Fields of an activity in the facts, in order.
FIELDS: Final = (
    "identifier", "hierarchy", "status", "flags", "any", "valid", "planned_start", "actual_start", "planned_end", "actual_end",
    "last_transaction", "budgets", "transactions",
)  # fmt: skip


class FactsBuilder:
    """Facts of one file. `add` each record in document order, then `finish` once."""

    def __init__(self, reading: FileReading) -> None:
        self._reading = reading
        self._version = file_version(reading.version, VERSIONS)
        self._counts = ElementCounts(reading.kind, reading.tree_version)
        self._organisations = OrganisationCounts()
        self._hierarchies: Counter[str] = Counter()
        self._totals: dict[str, Counter[str]] = {
            name: Counter()
            for name in ("reporting_orgs", "participating_orgs", "provider_activity_id", "activities_secondary_reported", "record_versions")
        }
        self._dates: dict[str, dict[str, Counter[str]]] = {"transaction_dates": {}, "activity_dates": {}, "activity_dates_humanitarian": {}}
        self._humanitarian: Counter[str] = Counter()
        self._activities: list[list[Any]] = []
        self._transactions = 0

    def add(self, record: Record, admitted: bool) -> None:
        """One activity or organisation; `admitted`: it is in the Datastore's collections."""
        node = record.node
        if node[0].name != "iati-activity":
            self._counts.add(record, "1")
            self._hierarchies["1"] += 1
            self._count_refs(record.groups.get("reporting-org", ()), "reporting_orgs")
            return
        self._counts.add(record, node[1].get("hierarchy") or "1")
        activity = Activity(record, self._reading.version, self._counts.below("iati-activity/transaction"))
        self._organisations.add(activity)
        self._hierarchies[activity.hierarchy] += 1
        self._count_refs(record.groups.get("reporting-org", ()), "reporting_orgs")
        self._count_refs(record.groups.get("participating-org", ()), "participating_orgs")
        self._totals["activities_secondary_reported"]["1" if activity.secondary else "0"] += 1
        if "version" in activity.attributes:
            self._totals["record_versions"][activity.attributes["version"]] += 1
        is_humanitarian = humanitarian.count(activity, self._humanitarian)
        self._count_dates(activity, is_humanitarian)
        self._activities.append(self._activity(activity, admitted, is_humanitarian))

    def finish(self) -> bytes:
        """The facts as JSON (docs/dashboard.md describes them). A file that cannot be read has facts without records."""
        reading = self._reading
        facts: dict[str, Any] = {
            "format": FORMAT,
            "kind": reading.kind.value if reading.kind else None,
            "version": reading.version,
            "file_version": self._version,
            "problems": [problem.code.value for problem in reading.problems],
            "schema_valid": reading.schema_valid,
        }
        if not reading.problems and reading.kind is not None:
            facts["stats"] = self._stats()
            if reading.kind is FileKind.ACTIVITIES:
                facts["tests"] = [test.slug for test in comprehensiveness.TESTS]
                facts["flags"] = FLAGS
                facts["fields"] = FIELDS
                facts["activities"] = self._activities
        return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS, default=_number)

    def _stats(self) -> dict[str, Any]:
        activities = self._reading.kind is FileKind.ACTIVITIES
        records = self._hierarchies.total()
        stats: dict[str, Any] = {
            "activities": records if activities else 0,
            "organisations": 0 if activities else records,
            "elements": self._counts.by_hierarchy(),
            "boolean_values": self._counts.boolean_values(),
            "codelist_values": self._counts.codelist_values(),
            "reporting_orgs": self._totals["reporting_orgs"],
        }
        if activities:
            versions = self._totals["record_versions"]
            stats |= {
                "hierarchies": self._hierarchies,
                "participating_orgs": self._totals["participating_orgs"],
                "provider_activity_id": self._totals["provider_activity_id"],
                "activities_secondary_reported": self._totals["activities_secondary_reported"],
                "record_versions": versions,
                "version_mismatch": bool(self._reading.version and versions and set(versions) != {self._reading.version}),
                "transaction_total": self._transactions,
                "humanitarian": self._humanitarian,
                **self._dates,
                **self._organisations.stats(),
            }
        return stats

    def _count_refs(self, nodes: Any, name: str) -> None:
        totals = self._totals[name]
        for node in nodes:
            totals[node[1].get("ref", "")] += 1

    def _count_dates(self, activity: Activity, is_humanitarian: bool) -> None:
        _count_days(self._dates["activity_dates"], activity.days)
        if is_humanitarian:
            _count_days(self._dates["activity_dates_humanitarian"], activity.days)
        transactions = activity.transactions
        _count_days(self._dates["transaction_dates"], zip(transactions.types, transactions.dates, strict=True))
        for _, provider in transactions.providers:
            named = provider.get("provider-activity-id")
            if named and named != activity.identifier:
                self._totals["provider_activity_id"][named] += 1
        self._transactions += transactions.count

    def _activity(self, activity: Activity, admitted: bool, is_humanitarian: bool) -> list[Any]:
        passed, valid = comprehensiveness.run(activity)
        status = activity.groups.get("activity-status", ())
        said = _is_integer(activity.budget_not_provided)
        flags = (
            (1 if activity.secondary else 0)
            | (2 if activity.donor else 0)
            | (4 if said and not activity.budgets else 0)
            | (8 if said and activity.budgets else 0)
            | (16 if activity.transactions.incoming else 0)
            | (32 if len(activity.groups.get("recipient-country", ())) == 1 else 0)
            | (64 if is_humanitarian else 0)
            | (128 if admitted else 0)
            | (256 if activity.record.schema_valid else 0)
        )
        currency = activity.attributes.get("default-currency", "")
        last = max(activity.transactions.dates, default="")
        return [
            activity.identifier,
            activity.hierarchy,
            status[0][1].get("code") if status else None,
            flags,
            passed,
            valid,
            *(days[0] if len(days) == 1 else days or None for days in activity.dates),
            last or None,
            [_budget(node, currency) for node in activity.budgets],
            _sums(activity, currency),
        ]


def _count_days(counts: dict[str, Counter[str]], days: Iterable[tuple[str, str]]) -> None:
    for kind, day in days:
        found = counts.get(kind)
        if found is None:
            found = counts[kind] = Counter()
        found[day] = found.get(day, 0) + 1


def _budget(budget: Budget, currency: str) -> list[Any]:
    """[type, start, end, currency, value]; dates and value None where there is none."""
    start, end, value = budget.start, budget.end, budget.value
    stated = amount(value[2]) if value is not None else None
    return [
        budget.type,
        (iso_date(start) if start is not None else "") or None,
        (iso_date(end) if end is not None else "") or None,
        (value[1].get("currency") if value is not None else None) or currency,
        stated,
    ]


def _sums(activity: Activity, currency: str) -> list[list[Any]]:
    """[type, currency, month of the transaction, month of the value date, sum, number]; months as "YYYY-MM" or ""; the month of the value
    date is 0 where it is that of the transaction. Transactions whose value is not a number count with 0."""
    sums: dict[tuple[str, str, str, str | int], list[Any]] = {}
    all_of = activity.transactions
    columns = zip(all_of.types, all_of.dates, all_of.value_dates, all_of.currencies, all_of.amounts, strict=True)
    for kind, day, value_date, own_currency, value in columns:
        month, value_month = day[:7], value_date[:7]
        key = (kind, own_currency or currency, month, 0 if value_month == month else value_month)
        found = sums.get(key)
        stated = value or _ZERO
        if found is None:
            sums[key] = [stated, 1]
        else:
            found[0] += stated
            found[1] += 1
    return [[*key, *total] for key, total in sums.items()]


_ZERO: Final = Decimal(0)


def _is_integer(text: str) -> bool:
    return text.strip().isdecimal()


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError
