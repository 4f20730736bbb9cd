"""Finds what a document changes: pure comparison of its records with what the registry knows.

The unchanged path is the one that counts (9,000 datasets every refresh): a record whose raw values equal the stored
ones is settled by one tuple comparison, without being checked again, for what is stored was checked when it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from iati_platform.registry.importers.checking import Kind, Rejected, Values, record_id
from iati_platform.registry.importers.results import Remark, Tally

LARGE_ORGANISATION = 10
"""Datasets from which on all of them leaving at once is taken for an accident."""


class Known(NamedTuple):
    """A row of the registry as the comparison sees it."""

    values: Values
    source_id: int | None
    live: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose import it is: `source_id`, what may be taken from others, and what must stay away."""

    source_id: int
    others: frozenset[int | None]
    """Sources whose records stay theirs. Empty of a source when this import may take over from it."""
    withheld: Collection[str] = ()


@dataclass(slots=True)
class Comparison:
    """What the document does to one kind of record. `values` in the order of the kind's fields."""

    kind: Kind
    added: dict[str, Values] = field(default_factory=dict)
    changed: dict[str, Values] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    unchanged: int = 0
    elsewhere: int = 0
    rejected: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)

    def tally(self) -> Tally:
        """The counts."""
        return Tally(len(self.added), len(self.changed), len(self.gone), self.unchanged, self.elsewhere)


class Mentions(NamedTuple):
    """Which rows a document speaks of, be its records good or bad: what it mentions is not gone."""

    ids: set[str]
    organisations: Counter[str]
    """How many records name each reporting organisation."""


def mentions(records: Sequence[Any], known: Mapping[str, Known]) -> Mentions:
    """One pass over the raw records. A record without a usable id speaks of the row that bears its short name."""
    ids: set[str] = set()
    organisations: Counter[str] = Counter()
    nameless: set[str] = set()
    for record in records:
        found = record_id(record)
        if found is not None:
            ids.add(found)
        elif isinstance(record, dict) and isinstance(record.get("short_name"), str):
            nameless.add(record["short_name"])
        if isinstance(record, dict):
            organisation = record.get("reporting_org_id")
            if isinstance(organisation, str):
                organisations[organisation.strip().lower()] += 1
    if nameless:
        ids.update(row_id for row_id, row in known.items() if row.live and row.values[0] in nameless)
    return Mentions(ids, organisations)


def gone(known: Mapping[str, Known], mentioned: Mentions, source_id: int) -> set[str]:
    """The source's live rows its document does not mention any more."""
    return {row_id for row_id, row in known.items() if row.live and row.source_id == source_id and row_id not in mentioned.ids}


def shrinkage(kind: str, known: Mapping[str, Known], mentioned: Mentions, source_id: int) -> str | None:
    """The reason to refuse a document that lost half of its records or more (bulk-data-service.md §6.2); None when it did not."""
    before = sum(1 for row in known.values() if row.live and row.source_id == source_id)
    now = len(mentioned.ids)
    if before and not now:
        return f"it has no {kind}s any more, before it had {before}"
    if before >= 2 and now * 2 <= before:
        return f"it shrank from {before} to {now} {kind}s"
    return None


def emptied_organisations(datasets: Mapping[str, Known], leaving: set[str], mentioned: Mentions, organisation_field: int) -> set[str]:
    """Large organisations whose datasets would all leave at once."""
    losses = Counter(datasets[row_id].values[organisation_field] for row_id in leaving)
    return {
        organisation for organisation, count in losses.items() if count >= LARGE_ORGANISATION and not mentioned.organisations[organisation]
    }


def compare(
    kind: Kind,
    records: Sequence[Any],
    known: Mapping[str, Known],
    leaving: set[str],
    terms: Terms,
    object_to: Callable[[Values], str | None] = lambda values: None,
) -> Comparison:
    """Compare the records of one kind with the known rows.

    `leaving` are the rows that go. `object_to(values)` may give a reason to reject values that are fine by themselves.
    The first of several records with one id or one short name counts.
    """
    result = Comparison(kind, gone=leaving)
    claims: dict[str, Values] = {}
    fields = tuple(kind.fields)
    for number, record in enumerate(records, start=1):
        row_id = record_id(record)
        if row_id is None:
            result.rejected.append(Remark(kind.name, _name(record, number), "id is not a UUID"))
            continue
        row = known.get(row_id)
        if row_id in claims:
            result.rejected.append(Remark(kind.name, _name(record, number), "its id occurs twice in the document"))
            continue
        if row is not None and row.live and row.source_id != terms.source_id and (row.source_id is None or row.source_id in terms.others):
            result.elsewhere += 1
            continue
        if row_id in terms.withheld:
            result.rejected.append(Remark(kind.name, _name(record, number), "was removed on request"))
            continue
        values = tuple([record.get(name) for name in fields])
        if row is None or row.values != values:
            try:
                values, remarks = kind.check(record)
            except Rejected as rejected:
                result.rejected.append(Remark(kind.name, _name(record, number), str(rejected)))
                continue
            result.warnings.extend(Remark(kind.name, values[0], remark) for remark in remarks)
        objection = object_to(values)
        if objection is not None:
            result.rejected.append(Remark(kind.name, values[0], objection))
            continue
        claims[row_id] = values
    _settle_names(kind, claims, known, leaving, result)
    for row_id, values in claims.items():
        row = known.get(row_id)
        if row is None:
            result.added[row_id] = values
        elif row.live and row.values == values and row.source_id == terms.source_id:
            result.unchanged += 1
        else:
            result.changed[row_id] = values
    return result


def _settle_names(kind: Kind, claims: dict[str, Values], known: Mapping[str, Known], leaving: set[str], result: Comparison) -> None:
    """Drop claims to a short name that is another's. A row whose claim is dropped keeps its name, which may cost others theirs."""
    holders = {row.values[0]: row_id for row_id, row in known.items() if row.live and row_id not in leaving and row_id not in claims}
    while True:
        taken = dict(holders)
        lost: list[str] = []
        for row_id, values in claims.items():
            holder = taken.setdefault(values[0], row_id)
            if holder != row_id:
                lost.append(row_id)
                what = "occurs twice in the document" if holder in claims else f"belongs to the {kind.name} {holder}"
                result.rejected.append(Remark(kind.name, values[0], f"its short name {what}"))
        if not lost:
            return
        for row_id in lost:
            del claims[row_id]
            row = known.get(row_id)
            if row is not None and row.live:
                holders[row.values[0]] = row_id


def _name(record: object, number: int) -> str:
    if isinstance(record, dict):
        for key in ("short_name", "id"):
            if isinstance(record.get(key), str) and record[key].strip():
                return str(record[key]).strip()[:120]
    return f"number {number}"
