"""Whatever sequence of documents is imported: the registry is what the last one says, and saying it again changes nothing."""

from __future__ import annotations

import itertools
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from iati_platform.registry.importers.registry_json import Document
from iati_platform.registry.importers.results import ImportResult
from iati_platform.registry.importers.service import import_document
from iati_platform.registry.models import DatasetRow, EventRow, OrganisationRow
from iati_platform.storage.database import make_engine, reading
from tests.registry.documents import dataset, organisation, uid

ORGANISATIONS = ("one", "two", "three")
NAMES = tuple(f"name-{number}" for number in range(6))
START = datetime(2026, 1, 1, tzinfo=UTC)
moments = (START + timedelta(minutes=number) for number in itertools.count())


@st.composite
def documents(draw: st.DrawFn, prefix: str = "") -> Document:
    """Documents with unique ids and names, whose datasets share few names: exchanges, moves and returns are frequent."""
    present = draw(st.lists(st.sampled_from(ORGANISATIONS), unique=True, min_size=1))
    organisations = [organisation(prefix + name, human_readable_name=draw(st.sampled_from(("A", "B")))) for name in present]
    ids = draw(st.lists(st.sampled_from(NAMES), unique=True))
    names = draw(st.permutations(NAMES))
    datasets = [
        dataset(
            prefix + name,
            prefix + draw(st.sampled_from(present)),
            id=uid(f"dataset {prefix}{identity}"),
            url=draw(st.sampled_from((None, "https://a.example.org/x.xml"))),
        )
        for identity, name in zip(ids, names, strict=False)
    ]
    return Document(organisations, datasets)


@pytest.fixture
def scratch(sqlite_template: Path, tmp_path: Path) -> Any:
    """Makes empty databases: every example of a property needs its own."""
    numbers = itertools.count()

    def make() -> Engine:
        path = tmp_path / f"{next(numbers)}.sqlite"
        shutil.copy(sqlite_template, path)
        return make_engine(f"sqlite:///{path}")

    return make


def bring(engine: Engine, document: Document, source: str = "/source") -> ImportResult:
    result = import_document(engine, source, document, actor="test", take_over=True, now=next(moments), accept_shrinkage=True)
    assert (result.rejected, result.refused) == ((), None)
    return result


def state(engine: Engine) -> tuple[set[Any], set[Any]]:
    """The live records without the times they were written at."""
    with reading(engine) as session:
        organisations = session.execute(
            select(OrganisationRow.id, OrganisationRow.short_name, OrganisationRow.human_readable_name).where(
                OrganisationRow.removed_at.is_(None)
            )
        )
        datasets = session.execute(
            select(DatasetRow.id, DatasetRow.short_name, DatasetRow.reporting_org_id, DatasetRow.url).where(DatasetRow.removed_at.is_(None))
        )
        return {tuple(row) for row in organisations}, {tuple(row) for row in datasets}


def said(document: Document) -> tuple[set[Any], set[Any]]:
    """What a document says, in the shape of `state`."""
    return (
        {(record["id"], record["short_name"], record["human_readable_name"]) for record in document.organisations},
        {(record["id"], record["short_name"], record["reporting_org_id"], record["url"]) for record in document.datasets},
    )


many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(sequence=st.lists(documents(), min_size=1, max_size=5))
def test_the_last_document_counts_and_saying_it_again_changes_nothing(scratch: Any, sequence: list[Document]) -> None:
    engine = scratch()
    for document in sequence:
        bring(engine, document)
        assert state(engine) == said(document)
        with reading(engine) as session:
            events = session.scalars(select(EventRow.id)).all()
        again = bring(engine, document)
        assert not again.differs
        with reading(engine) as session:
            assert session.scalars(select(EventRow.id)).all() == events
    engine.dispose()


@many
@given(document=documents(), data=st.data())
def test_the_order_of_the_records_does_not_matter(scratch: Any, document: Document, data: st.DataObject) -> None:
    engine = scratch()
    bring(engine, document)
    shuffled = Document(data.draw(st.permutations(document.organisations)), data.draw(st.permutations(document.datasets)))
    assert not bring(engine, shuffled).differs
    engine.dispose()


@many
@given(first=documents("a-"), second=documents("b-"))
def test_the_order_of_sources_that_share_nothing_does_not_matter(scratch: Any, first: Document, second: Document) -> None:
    one, other = scratch(), scratch()
    for engine, order in ((one, ((first, "/a"), (second, "/b"), (first, "/a"))), (other, ((second, "/b"), (first, "/a")))):
        for document, source in order:
            bring(engine, document, source)
    assert state(one) == state(other)
    one.dispose()
    other.dispose()


@many
@given(sequence=st.lists(documents(), min_size=1, max_size=4))
def test_the_event_log_tells_the_whole_story(scratch: Any, sequence: list[Document]) -> None:
    """Replaying the datasets' events from the beginning gives the datasets as they are."""
    engine = scratch()
    for document in sequence:
        bring(engine, document)
    replayed: dict[str, dict[str, Any]] = {}
    live: set[str] = set()
    with reading(engine) as session:
        for event in session.scalars(select(EventRow).where(EventRow.subject_kind == "dataset").order_by(EventRow.id)):
            if event.kind == "gone":
                assert event.payload["before"] == replayed[event.subject_id]
                live.discard(event.subject_id)
                continue
            live.add(event.subject_id)
            known = replayed.setdefault(event.subject_id, {})
            assert {name: known.get(name) for name in event.payload.get("before", {})} == event.payload.get("before", {})
            known.update(event.payload["after"])
    datasets = {(found, *(replayed[found][name] for name in ("short_name", "reporting_org_id", "url"))) for found in live}
    assert datasets == state(engine)[1]
    engine.dispose()


@many
@given(sequence=st.lists(documents(), min_size=1, max_size=5))
def test_without_an_operators_word_no_import_takes_half_of_what_is_there(scratch: Any, sequence: list[Document]) -> None:
    engine = scratch()
    for document in sequence:
        before = state(engine)
        result = import_document(engine, "/source", document, actor="test", take_over=True, now=next(moments))
        if result.refused is not None:
            assert state(engine) == before
        else:
            assert state(engine) == said(document)
            for was, now in zip(before, state(engine), strict=True):
                assert len(now) * 2 > len(was) or len(was) <= 1
                assert now or not was
    engine.dispose()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([uid("organisation one"), *NAMES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """A document in which anything may stand anywhere."""
    whole = draw(documents())

    def damage(records: list[Any]) -> list[Any]:
        result = []
        for record in records:
            spoiled = dict(record)
            for name in draw(st.lists(st.sampled_from(sorted(record)), max_size=2)):
                spoiled[name] = draw(anything)
            result.append(draw(st.sampled_from((record, record, spoiled, spoiled, draw(anything)))))
        return result

    return Document(damage(whole.organisations), damage(whole.datasets))


@many
@given(sequence=st.lists(damaged(), min_size=1, max_size=4))
def test_whatever_stands_in_a_document_it_is_taken_or_rejected_and_then_stays_so(database: Engine, sequence: list[Document]) -> None:
    # One registry for all examples: each meets what the ones before it left.
    for document in sequence:
        result = import_document(database, "/source", document, actor="test", take_over=True, now=next(moments), accept_shrinkage=True)
        tallies = (result.organisations, result.datasets)
        for kind, records, tally in zip(("organisation", "dataset"), (document.organisations, document.datasets), tallies, strict=True):
            rejected = sum(1 for remark in result.rejected if remark.kind == kind)
            assert tally.added + tally.changed + tally.unchanged + rejected == len(records)
        again = import_document(database, "/source", document, actor="test", take_over=True, now=next(moments), accept_shrinkage=True)
        assert not again.differs
        assert again.rejected == result.rejected
