"""A select request: its parameters, read once and checked, and its result. No HTTP here; `api.py` and `service.py` both call `select`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import translate
from typing import Final

from tantivy import Occur as Part
from tantivy import Query

from iati_platform.datastore.fields import Collection, default_fields
from iati_platform.datastore.ordering import Pager, SortKey, sort_keys
from iati_platform.datastore.payload import Document, StoredActivity
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.parser import Operator, parse
from iati_platform.datastore.query.plan import Planner
from iati_platform.datastore.reader import IndexReader
from iati_platform.datastore.schema import schema

MAX_ROWS: Final = 1_000
DEFAULT_ROWS: Final = 10
MAX_START: Final = 2**31 - 1
_NAME: Final = re.compile(r"[\w*?.\-]+(?::[\w*?.\-]+)?|\[[^\]]*\]")


class Admission(StrEnum):
    """Our own parameter `scope`: which activities count. `admitted` is what the Datastore is; the others show what it leaves out."""

    ADMITTED = "admitted"
    ALL = "all"
    HELD_BACK = "held-back"


@dataclass(frozen=True, slots=True)
class FieldList:
    """What `fl` asks for: names and globs in order, renamed ones, the score. `explicit` False: the default list."""

    names: tuple[str, ...]
    renamed: Mapping[str, str]
    score: bool
    explicit: bool

    def pick(self, document: Document) -> Document:
        """The wanted fields of a document, renamed where asked; names that do not exist are left out."""
        wanted: Document = {}
        for name in self.names:
            if "*" in name or "?" in name:
                matches = re.compile(translate(name)).match
                wanted.update((key, value) for key, value in document.items() if matches(key))
            elif name in document:
                wanted[name] = document[name]
        for new, old in self.renamed.items():
            if old in document:
                wanted[new] = document[old]
        return wanted

    def wants(self, name: str) -> bool:
        """Whether a document's field of this name would be returned."""
        return name in self.renamed.values() or any(
            re.match(translate(pattern), name) if "*" in pattern or "?" in pattern else pattern == name for pattern in self.names
        )


def field_list(values: Sequence[str]) -> FieldList:
    """Read `fl` (repeatable, commas or blanks between names); nothing given means the 305 names of the Standard."""
    names: list[str] = []
    renamed: dict[str, str] = {}
    score = False
    for value in values:
        for part in _NAME.findall(value):
            new, _, old = part.partition(":")
            if part == "score":
                score = True
            elif old and not old.startswith("["):
                renamed[new] = old
            elif not part.startswith("["):
                names.append(part.rstrip(":"))
    if not (names or renamed or score):
        return FieldList(default_fields(), {}, score=False, explicit=False)
    return FieldList(tuple(names), renamed, score, explicit=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One select, checked. `now` is what NOW means in it."""

    collection: Collection
    query: str | None
    filters: tuple[str, ...] = ()
    operator: Operator = "OR"
    default_field: str | None = None
    fields: FieldList = field(default_factory=lambda: field_list(()))
    sort: tuple[SortKey, ...] = ()
    start: int = 0
    rows: int = DEFAULT_ROWS
    admission: Admission = Admission.ADMITTED
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: where it comes from, the composed document, its score if it was computed."""

    activity: StoredActivity
    document: Document
    score: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """A page: `total` documents match, `found` are those from `start` on."""

    total: int
    start: int
    found: tuple[Found, ...]

    @property
    def max_score(self) -> float | None:
        scores = [one.score for one in self.found if one.score is not None]
        return max(scores) if scores else None


def read_request(collection: Collection, parameters: Iterable[tuple[str, str]], now: datetime) -> Request:
    """A request from query parameters; unknown ones are ignored. QueryError names a bad one."""
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)

    def last(name: str) -> str | None:
        return values[name][-1] if name in values else None

    operator = (last("q.op") or "OR").upper()
    if operator not in ("OR", "AND"):
        raise QueryError("q.op must be OR or AND.")
    admission = last("scope") or Admission.ADMITTED.value
    if admission not in list(Admission):
        raise QueryError(f"scope must be one of {', '.join(Admission)}.")
    return Request(
        collection=collection,
        query=last("q"),
        filters=tuple(text for text in values.get("fq", ()) if text.strip()),
        operator="AND" if operator == "AND" else "OR",
        default_field=last("df") or None,
        fields=field_list(values.get("fl", ())),
        sort=sort_keys(last("sort") or ""),
        start=min(_whole("start", last("start"), 0), MAX_START),
        rows=min(_whole("rows", last("rows"), DEFAULT_ROWS), MAX_ROWS),
        admission=Admission(admission),
        now=now,
    )


def _whole(name: str, text: str | None, default: int) -> int:
    if text is None or not text.strip():
        return default
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise QueryError(f"{name} must be a whole number from 0 on, not {text!r}.")
    return value


def matching(reader: IndexReader, request: Request) -> Query:
    """The engine query of a request: q, all filters, and what is left out of the collections."""
    planner = Planner(reader, request.collection, operator=request.operator, now=request.now)
    if request.query is None:
        return Query.empty_query()
    parts = [(Part.Must, planner.plan(parse(request.query, request.operator, request.default_field)))]
    for text in request.filters:
        wanted = planner.plan(parse(text, request.operator, request.default_field))
        parts.append((Part.Must, Query.const_score_query(wanted, 0.0)))
    query = parts[0][1] if len(parts) == 1 else Query.boolean_query(parts)
    match request.admission:
        case Admission.ADMITTED:
            return reader.admitted(request.collection, query)
        case Admission.HELD_BACK:
            held = Query.const_score_query(Query.term_query(schema(request.collection), "_held", True), 0.0)
            return Query.boolean_query([(Part.Must, query), (Part.Must, held)])
        case Admission.ALL:
            return query


def select(reader: IndexReader, request: Request) -> Result:
    """Run a request on an open index."""
    query = matching(reader, request)
    total = reader.count(request.collection, query)
    keys = request.sort
    if not keys and request.fields.score:
        keys = (SortKey(None, True),)
    rows = min(request.rows, max(total - request.start, 0))
    hits = Pager(reader, request.collection, keys).page(query, request.start, rows)
    with_score = request.fields.score and (not keys or keys[0].field is None)
    addresses = [address for _, address in hits]
    scores = [score if with_score else None for score, _ in hits]
    if request.collection is Collection.ACTIVITY:
        activities = [reader.activity_at(address) for address in addresses]
        found = [Found(activity, activity.document(), score) for activity, score in zip(activities, scores, strict=True)]
    else:
        keys_ = reader.column(request.collection, "_key", addresses)
        ordinals = reader.column(request.collection, "_n", addresses)
        parents = reader.activities_by_key(keys_)
        found = [
            Found(parents[key], parents[key].part(request.collection, ordinal), score)
            for key, ordinal, score in zip(keys_, ordinals, scores, strict=True)
        ]
    return Result(total, request.start, tuple(found))
