"""What is inside a dataset, asked of the current generation's search index: its activities, one activity, and search over all of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote

from iati_platform import standard
from iati_platform.datastore import service as datastore
from iati_platform.datastore.fields import Collection
from iati_platform.datastore.ordering import Pager, SortKey
from iati_platform.datastore.payload import StoredActivity
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.select import Admission, matching, read_request
from iati_platform.web.cells import Cell, Code, Link, Money, State, Tone
from iati_platform.web.parts import Fact, Notice
from iati_platform.web.platform import Platform
from iati_platform.web.tables import Column

from .catalogue import DatasetEntry
from .views import lists
from .views.activity import ActivityView, PartTable
from .views.dataset import ActivityRow
from .views.search import ActivityHits, Hit

LISTED = ("iati_identifier", "title_narrative", "activity_status_code")
SHOWN = (
    *LISTED,
    "description_narrative",
    "activity_date_type",
    "activity_date_iso_date",
    "recipient_country_code",
    "recipient_region_code",
    "sector_code",
    "sector_vocabulary",
    "participating_org_narrative",
    "participating_org_ref",
    "default_currency",
    "reporting_org_narrative",
    "activity_scope_code",
    "last_updated_datetime",
)
SEARCHED = (
    ("title_narrative", "^4"),
    ("iati_text", ""),
    ("iati_identifier", "^8"),
)
"""The fields a word is looked for in (`iati_text`: all narratives), with the weight of a hit."""
TYPED = re.compile(r'"([^"]*)"?|([^\s"]+)')
PARTS_SHOWN = 100
CHUNK = 500
NAMES_VERSION = "2.03"
TRANSACTION_COLUMNS = (
    Column("date", "Date"),
    Column("type", "Type"),
    Column("value", "Value", numeric=True),
    Column("provider", "From", wide=True),
    Column("receiver", "To", wide=True),
    Column("description", "Description", wide=True),
)
BUDGET_COLUMNS = (Column("start", "From"), Column("end", "To"), Column("kind", "Kind"), Column("value", "Value", numeric=True))


class Readers:
    """The open search index of the newest generation that was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = -1
        self._reader: IndexReader | None = None

    def of(self, platform: Platform) -> IndexReader | None:
        generation = platform.generation()
        if generation is None:
            return None
        with self._lock:
            if self._reader is None or self._number != generation.number:
                self._reader = IndexReader(generation.path / "search")
                self._number = generation.number
            return self._reader


class Contents:
    """Activities of datasets, from the index."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._readers = Readers()

    def activities(self, entry: DatasetEntry, start: int, rows: int) -> tuple[list[ActivityRow], int]:
        """One page of a dataset's activities in file order, and how many there are."""
        reader = self._readers.of(self.platform)
        if reader is None:
            return [], 0
        total, lines = datastore.activities_of_dataset(reader, entry.registered.id, start, rows)
        return [row_of(entry, line) for line in lines], total

    def every_activity(self, entry: DatasetEntry) -> Iterator[ActivityRow]:
        """All of them, read in chunks."""
        start = 0
        while True:
            rows, total = self.activities(entry, start, CHUNK)
            yield from rows
            start += CHUNK
            if start >= total:
                return

    def _stored(self, entry: DatasetEntry, number: int) -> StoredActivity | None:
        reader = self._readers.of(self.platform)
        if reader is None or not 1 <= number <= 10_000_000:
            return None
        return datastore.activity_of_dataset(reader, entry.registered.id, number - 1)

    def activity(self, entry: DatasetEntry, number: int) -> ActivityView | None:
        """One activity of a file, by its number in it (from 1)."""
        stored = self._stored(entry, number)
        return activity_view(entry, stored, number) if stored else None

    def activity_json(self, entry: DatasetEntry, number: int) -> Mapping[str, object] | None:
        """All fields of an activity as the Datastore returns them."""
        stored = self._stored(entry, number)
        return {"dataset": entry.short_name, "number": number, "in_datastore": stored.admitted, **stored.document()} if stored else None

    def search(self, q: str, start: int, rows: int) -> tuple[ActivityHits | None, Notice | None]:
        """A page of the activities that hold all words of `q`, best first, held-back ones too; a notice when that cannot be asked."""
        reader = self._readers.of(self.platform)
        text = plain_query(q)
        if reader is None or not text:
            return None, None
        parameters = [("q", text), ("q.op", "AND"), ("scope", Admission.ALL.value)]
        try:
            query = matching(reader, read_request(Collection.ACTIVITY, parameters, datetime.now(UTC)))
            total = reader.count(Collection.ACTIVITY, query)
            page = Pager(reader, Collection.ACTIVITY, (SortKey(None, True),)).page(query, start, max(0, min(rows, total - start)))
        except QueryError as error:
            return None, Notice(Tone.WARN, "These words could not be searched for", str(error))
        addresses = [address for _, address in page]
        numbers = reader.column(Collection.ACTIVITY, "_i", addresses)
        hits = [_hit(reader.activity_at(address), number + 1) for address, number in zip(addresses, numbers, strict=True)]
        return ActivityHits(total, hits), None


def plain_query(q: str) -> str:
    """What a person typed as a query that means just that: every word and "quoted phrase" somewhere in an activity's texts.

    Nothing is read as an operator. The name of a country finds its code as well, since most activities give only the code.
    """
    parts = []
    for phrase, word in TYPED.findall(q)[:20]:
        text = (phrase or word).strip()
        if any(character.isalnum() for character in text):
            escaped = text.replace("\\", "\\\\")
            places = [f'{name}:"{escaped}"{boost}' for name, boost in SEARCHED]
            country = countries().get(text.casefold())
            if country:
                places.append(f"recipient_country_code:{country}")
            parts.append(f"({' OR '.join(places)})")
    return " AND ".join(parts)


@cache
def countries() -> Mapping[str, str]:
    """Names of countries, without what stands in brackets or after a comma, to their codes."""
    codes = standard.codelist(NAMES_VERSION, "Country").codes.values()
    return {re.split(r"[,(]", code.names.get("en", code.code))[0].strip().casefold(): code.code for code in codes}


def _hit(stored: StoredActivity, number: int) -> Hit:
    own = stored.own((*LISTED, "reporting_org_narrative", "recipient_country_code"))
    status = first(own, "activity_status_code")
    facts: list[Cell] = [first(own, "reporting_org_narrative") or str(stored.dataset.get("reporting_org") or "")]
    countries = several(own, "recipient_country_code")
    if countries:
        facts.append(
            ", ".join(standard.code_name(NAMES_VERSION, "Country", code) or code for code in countries[:4])
            + (" …" if len(countries) > 4 else "")
        )
    facts.append(standard.code_name(NAMES_VERSION, "ActivityStatus", status) or status)
    if not stored.admitted:
        facts.append(State(Tone.IDLE, "Held back", code="held-back"))
    href = f"/activities/{quote(str(stored.dataset['name']), safe='')}/{number}"
    return Hit(first(own, "title_narrative"), href, first(own, "iati_identifier"), [fact for fact in facts if fact])


def first(values: Mapping[str, Any], name: str) -> str:
    """The first value of a field as text."""
    value = values.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value).strip()


def several(values: Mapping[str, Any], name: str) -> list[str]:
    value = values.get(name)
    many = value if isinstance(value, list) else [] if value is None else [value]
    return list(dict.fromkeys(str(one).strip() for one in many if str(one).strip()))


def named(codelist: str, code: str) -> str:
    """A code with its name: `Kenya (KE)`; the bare code when it is not on the list."""
    name = standard.code_name(NAMES_VERSION, codelist, code) if code else None
    return f"{name} ({code})" if name else code


def held_back(entry: DatasetEntry, admitted: bool, schema_valid: bool, identifier: str) -> str:
    """Why an activity is not in the Datastore; empty when it is."""
    if admitted:
        return ""
    version = entry.version or ""
    if version.startswith("1."):
        return f"version {version} of the Standard"
    if not schema_valid:
        return "it breaks the schema"
    if not identifier.strip():
        return "it has no identifier"
    return "the version of its file is not known"


def row_of(entry: DatasetEntry, line: datastore.ActivityLine) -> ActivityRow:
    return ActivityRow(
        line.number + 1,
        line.identifier.strip(),
        line.title.strip(),
        standard.code_name(NAMES_VERSION, "ActivityStatus", line.status) or line.status,
        held_back(entry, line.admitted, line.schema_valid, line.identifier),
    )


def activity_view(entry: DatasetEntry, stored: StoredActivity, number: int) -> ActivityView:
    own = stored.own(SHOWN)
    identifier = first(own, "iati_identifier")
    why = held_back(entry, stored.admitted, stored.schema_valid, identifier)
    notice = Notice(Tone.IDLE, "Held back from the Datastore", f"The reason: {why}.") if why else None
    sectors = several(own, "sector_code")
    in_oecd = set(several(own, "sector_vocabulary")) <= {"1", "DAC"}
    facts = [
        Fact("Identifier", Code(identifier) if identifier else None, copy=True),
        Fact("Status", named("ActivityStatus", first(own, "activity_status_code"))),
        Fact("Reported by", Link(entry.registered.reporting_org_name, lists.organisation_href(entry.registered.reporting_org_short_name))),
        Fact("Taking part", "; ".join(several(own, "participating_org_narrative") or several(own, "participating_org_ref"))),
        Fact("Countries", "; ".join(named("Country", code) for code in several(own, "recipient_country_code"))),
        Fact("Regions", "; ".join(named("Region", code) for code in several(own, "recipient_region_code"))),
        Fact("Sectors", "; ".join(named("Sector", code) if in_oecd else code for code in sectors)),
        *_dates(own),
        Fact("File", Link(entry.short_name, lists.dataset_href(entry.short_name)), f"activity {number:,} of the file"),
    ]
    currency = first(own, "default_currency")
    sections = [
        PartTable(
            title,
            columns,
            rows,
            f"The first {PARTS_SHOWN} of {total:,} are shown; the file has all of them." if total > PARTS_SHOWN else "",
        )
        for title, columns, rows, total in (
            ("Transactions", TRANSACTION_COLUMNS, *_parts(stored, Collection.TRANSACTION, "t", currency)),
            ("Budgets", BUDGET_COLUMNS, *_parts(stored, Collection.BUDGET, "b", currency)),
        )
        if rows
    ]
    return ActivityView(
        identifier,
        first(own, "title_narrative"),
        first(own, "description_narrative"),
        [fact for fact in facts if fact.value],
        sections,
        notice,
    )


def _dates(own: Mapping[str, Any]) -> list[Fact]:
    kinds, days = own.get("activity_date_type"), own.get("activity_date_iso_date")
    if not isinstance(kinds, list) or not isinstance(days, list) or len(kinds) != len(days):
        return []  # a date without a type (or the other way round): the index cannot say which belongs to which
    return [
        Fact(standard.code_name(NAMES_VERSION, "ActivityDateType", str(kind)) or f"Date ({kind})", str(day)[:10])
        for kind, day in zip(kinds, days, strict=True)
    ]


def _parts(stored: StoredActivity, collection: Collection, key: str, currency: str) -> tuple[list[list[Cell]], int]:
    """Rows of an activity's transactions or budgets, at most PARTS_SHOWN, and how many there are."""
    total = len(stored.payload.get(key, ()))
    make = _transaction if collection is Collection.TRANSACTION else _budget
    return [make(stored.part(collection, ordinal), currency) for ordinal in range(min(total, PARTS_SHOWN))], total


def _money(part: Mapping[str, Any], name: str, currency: str) -> Cell:
    amount = first(part, name)
    try:
        value = Decimal(amount) if amount else None
        if value is None:
            return None
        whole = value.to_integral_value()
        return Money(whole if value == whole else value, first(part, f"{name}_currency") or currency)
    except ArithmeticError:
        return amount


def _transaction(part: Mapping[str, Any], currency: str) -> list[Cell]:
    kind = first(part, "transaction_transaction_type_code")
    return [
        first(part, "transaction_transaction_date_iso_date")[:10],
        standard.code_name(NAMES_VERSION, "TransactionType", kind) or kind,
        _money(part, "transaction_value", currency),
        first(part, "transaction_provider_org_narrative") or first(part, "transaction_provider_org_ref"),
        first(part, "transaction_receiver_org_narrative") or first(part, "transaction_receiver_org_ref"),
        first(part, "transaction_description_narrative"),
    ]


def _budget(part: Mapping[str, Any], currency: str) -> list[Cell]:
    kind = first(part, "budget_type")
    return [
        first(part, "budget_period_start_iso_date")[:10],
        first(part, "budget_period_end_iso_date")[:10],
        standard.code_name(NAMES_VERSION, "BudgetType", kind) or kind,
        _money(part, "budget_value", currency),
    ]
