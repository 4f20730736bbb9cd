import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from iati_platform.registry import service
from iati_platform.registry.importers import Remark, SourceError, Tally, import_remembered, import_source
from iati_platform.registry.models import DatasetRow, EventRow, OrganisationRow, SourceRow
from iati_platform.storage.database import reading, writing
from tests.registry.documents import dataset, document, organisation, simple, uid, write

ROOT = Path(__file__).parent.parent.parent
DAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the registry holds, as plain values."""
    with reading(engine) as session:
        return {
            model.__tablename__: sorted(
                (tuple(getattr(row, column.key) for column in model.__table__.columns) for row in session.scalars(select(model))), key=str
            )
            for model in (OrganisationRow, DatasetRow, EventRow, SourceRow)
        }


def names(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return sorted(found.short_name for found in service.public_datasets(session))


def kinds(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(row.subject_kind, row.kind) for row in session.scalars(select(EventRow).order_by(EventRow.id))]


def test_a_folder_is_imported_and_remembered(database: Engine, tmp_path: Path) -> None:
    source = write(tmp_path / "r", simple(2))
    result = import_source(database, source, now=DAY)
    assert (result.source, result.refused, result.rejected, result.warnings, result.held) == (source, None, (), (), ())
    assert (result.organisations, result.datasets) == (Tally(added=1), Tally(added=2))
    with reading(database) as session:
        (found,) = service.public_organisations(session)
        assert found == service.Organisation(
            id=uid("organisation acme"),
            short_name="acme",
            human_readable_name="Acme",
            organisation_identifier="XM-DAC-acme",
            organisation_type="22",
            hq_country="GB",
            default_licence_id="cc-by",
            reporting_source_type="primary_source",
            created_date=datetime(2020, 1, 1, tzinfo=UTC),
            website=None,
            description=None,
            region=None,
            data_portal_url=None,
            exclusions_policy_url=None,
            first_publication_date=None,
            state="approved",
            discoverable=True,
            datasets=2,
        )
        assert service.dataset(session, "acme-1") == service.Dataset(
            id=uid("dataset acme-1"),
            short_name="acme-1",
            reporting_org_id=uid("organisation acme"),
            reporting_org_short_name="acme",
            reporting_org_name="Acme",
            file_type="activity",
            url="https://acme.example.org/acme-1.xml",
            path="data/acme-1.xml",
            licence_id="cc-by",
            visibility="public",
            source_spec=source,
            created_at=DAY,
            updated_at=DAY,
        )
        (remembered,) = service.sources(session)
        assert (remembered.spec, remembered.added_at, remembered.last_import_at, remembered.last_refusal) == (source, DAY, DAY, None)
    assert kinds(database) == [("organisation", "registered"), ("dataset", "registered"), ("dataset", "registered"), ("source", "imported")]


def test_importing_again_changes_nothing_but_the_time_it_was_read(database: Engine, tmp_path: Path) -> None:
    source = write(tmp_path / "r", simple(3))
    import_source(database, source, now=DAY)
    before = rows(database)
    result = import_source(database, source, now=DAY + HOUR)
    assert (result.organisations, result.datasets, result.differs) == (Tally(unchanged=1), Tally(unchanged=3), False)
    (again,) = import_remembered(database, now=DAY + HOUR)
    assert again == result
    after = rows(database)
    assert {name: before[name] for name in before if name != "source"} == {name: after[name] for name in after if name != "source"}
    with reading(database) as session:
        assert service.sources(session)[0].last_import_at == DAY + HOUR


def test_added_changed_gone_and_returned_records_are_counted_and_logged(database: Engine, tmp_path: Path) -> None:
    content = simple(4)
    source = write(tmp_path / "r", content)
    import_source(database, source, now=DAY)
    gone = content["datasets"].pop(0)
    content["datasets"][0]["url"] = None
    content["datasets"].append(dataset("acme-9", "acme"))
    write(tmp_path / "r", content)
    (result,) = import_remembered(database, now=DAY + HOUR)
    assert result.datasets == Tally(added=1, changed=1, gone=1, unchanged=2)
    assert names(database) == ["acme-1", "acme-2", "acme-3", "acme-9"]
    with reading(database) as session:
        changed = service.events(session, uid("dataset acme-1")).items[0]
        assert (changed.kind, changed.actor, changed.at) == ("changed", "refresh", DAY + HOUR)
        assert changed.payload == {"before": {"url": "https://acme.example.org/acme-1.xml"}, "after": {"url": None}, "source": source}
        assert [event.kind for event in service.events(session, uid("dataset acme-0")).items] == ["gone", "registered"]
    content["datasets"].append(gone)
    write(tmp_path / "r", content)
    (result,) = import_remembered(database, now=DAY + 2 * HOUR)
    assert result.datasets == Tally(changed=1, unchanged=4)
    with reading(database) as session:
        assert [event.kind for event in service.events(session, uid("dataset acme-0")).items] == ["returned", "gone", "registered"]


def test_bad_records_are_skipped_with_their_reason_and_the_others_come_in(database: Engine, tmp_path: Path) -> None:
    content = document(
        [
            organisation("acme"),
            organisation("bad name"),
            organisation("nameless", human_readable_name=" "),
            organisation("twice", id=uid("organisation acme")),
            "not a record",
            organisation("nul", human_readable_name="a\0b"),
        ],
        [
            dataset("acme-0", "acme"),
            dataset("acme-1", "acme", id="7"),
            dataset("acme-2", "acme", path="../../etc/passwd"),
            dataset("acme-3", "acme", path="/etc/passwd"),
            dataset("acme-4", "acme", file_type="excel"),
            dataset("acme-5", "acme", url=17),
            dataset("orphan", "nobody"),
            dataset("acme-0", "acme", id=uid("other")),
            {},
            dataset("ACME", "acme"),
            dataset("x" * 101, "acme"),
        ],
    )
    result = import_source(database, write(tmp_path / "r", content), now=DAY)
    rule = "lower-case letters, digits, - and _, at most 100"
    assert result.rejected == (
        Remark("organisation", "bad name", f"short_name 'bad name' is not made of {rule}"),
        Remark("organisation", "nameless", "human_readable_name is missing"),
        Remark("organisation", "twice", "its id occurs twice in the document"),
        Remark("organisation", "number 5", "id is not a UUID"),
        Remark("organisation", "nul", "human_readable_name holds control characters"),
        Remark("dataset", "acme-1", "id is not a UUID"),
        Remark("dataset", "acme-2", "path '../../etc/passwd' leads out of the folder"),
        Remark("dataset", "acme-3", "path '/etc/passwd' leads out of the folder"),
        Remark("dataset", "acme-4", "file_type is neither activity nor organisation"),
        Remark("dataset", "acme-5", "url is not a text"),
        Remark("dataset", "orphan", f"its reporting organisation {uid('organisation nobody')} is not registered"),
        Remark("dataset", "number 9", "id is not a UUID"),
        Remark("dataset", "ACME", f"short_name 'ACME' is not made of {rule}"),
        Remark("dataset", "x" * 101, f"short_name {'x' * 101!r} is not made of {rule}"),
        Remark("dataset", "acme-0", "its short name occurs twice in the document"),
    )
    assert names(database) == ["acme-0"]
    with reading(database) as session:
        assert len(service.sources(session)[0].last_rejections) == 15


def test_a_value_on_no_list_is_left_empty_with_a_warning(database: Engine, tmp_path: Path) -> None:
    content = document(
        [organisation("acme", hq_country="XQ", organisation_type=22, reporting_source_type="primary-source", created_date="yesterday")],
        [dataset("acme-0", "acme", licence_id="my own")],
    )
    source = write(tmp_path / "r", content)
    result = import_source(database, source, now=DAY)
    assert result.rejected == ()
    assert result.warnings == (
        Remark("organisation", "acme", "hq_country 'XQ' is not on the codelist Country"),
        Remark("organisation", "acme", "created_date 'yesterday' is not a date"),
        Remark("dataset", "acme-0", "licence_id 'my own' is not a code"),
    )
    with reading(database) as session:
        found = service.organisation(session, "acme")
        assert (found.hq_country, found.organisation_type, found.reporting_source_type, found.created_date) == (
            None,
            "22",
            "primary_source",
            None,
        )
        assert service.dataset(session, "acme-0").licence_id is None
    assert not import_source(database, source, now=DAY + HOUR).differs


def test_a_record_that_turned_bad_keeps_its_last_good_state(database: Engine, tmp_path: Path) -> None:
    content = simple(4)
    source = write(tmp_path / "r", content)
    import_source(database, source, now=DAY)
    content["organisations"][0]["human_readable_name"] = None
    content["datasets"][0]["file_type"] = "?"
    content["datasets"][1]["id"] = None
    write(tmp_path / "r", content)
    result = import_source(database, source, now=DAY + HOUR)
    assert [remark.name for remark in result.rejected] == ["acme", "acme-0", "acme-1"]
    assert result.datasets == Tally(unchanged=2)
    assert names(database) == ["acme-0", "acme-1", "acme-2", "acme-3"]


def test_two_datasets_may_exchange_names_and_old_names_lead_on(database: Engine, tmp_path: Path) -> None:
    content = simple(4)
    source = write(tmp_path / "r", content)
    import_source(database, source, now=DAY)
    first, second, third, fourth = content["datasets"]
    first["short_name"], second["short_name"], third["short_name"] = "acme-1", "acme-0", "brand-new"
    content["organisations"][0]["short_name"] = "apex"
    fourth["short_name"], fourth["id"] = "acme-2", uid("another")  # takes the name that became free
    write(tmp_path / "r", content)
    result = import_source(database, source, now=DAY + HOUR)
    assert (result.rejected, result.datasets) == ((), Tally(added=1, changed=3, gone=1))
    with reading(database) as session:
        ids = {name: service.dataset(session, name).id for name in ("acme-0", "acme-1", "brand-new", "acme-2")}
        assert ids == {
            "acme-0": uid("dataset acme-1"),
            "acme-1": uid("dataset acme-0"),
            "brand-new": uid("dataset acme-2"),
            "acme-2": uid("another"),
        }
        assert service.organisation(session, "acme").short_name == "apex"
        with pytest.raises(service.NotRegistered):
            service.dataset(session, "acme-3")


def test_a_name_that_belongs_to_another_source_is_refused_and_the_row_keeps_its_own(database: Engine, tmp_path: Path) -> None:
    import_source(database, write(tmp_path / "a", simple(2)), now=DAY)
    content = simple(3, "other")
    source = write(tmp_path / "b", content)
    import_source(database, source, now=DAY)
    content["datasets"][0]["short_name"] = "acme-0"  # another's
    content["datasets"][1]["short_name"] = "other-0"  # would have become free
    write(tmp_path / "b", content)
    result = import_source(database, source, now=DAY + HOUR)
    assert result.rejected == (
        Remark("dataset", "acme-0", f"its short name belongs to the dataset {uid('dataset acme-0')}"),
        Remark("dataset", "other-0", f"its short name belongs to the dataset {uid('dataset other-0')}"),
    )
    assert names(database) == ["acme-0", "acme-1", "other-0", "other-1", "other-2"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "{folder}: registry.json is not JSON (line 1, column 2)"),
        ("", "{folder}: registry.json is not JSON (line 1, column 1)"),
        ("[]", '{folder}: registry.json is not an object with "organisations" and "datasets"'),
        ('{"organisations": []}', '{folder}: registry.json has no list "datasets"'),
        (document([], []), "{folder}: registry.json is empty"),
        (document([organisation("acme")], []), "{folder}: it has no datasets any more, before it had 8; nothing was changed"),
        (simple(4), "{folder}: it shrank from 8 to 4 datasets; nothing was changed"),
        (document([organisation("acme")], [{}] * 8), "{folder}: it has no datasets any more, before it had 8; nothing was changed"),
    ],
)
def test_a_broken_or_shrunken_document_changes_nothing_and_is_recorded_once(
    database: Engine, tmp_path: Path, content: Any, reason: str
) -> None:
    source = write(tmp_path / "r", simple(8))
    import_source(database, source, now=DAY)
    before = rows(database)
    write(tmp_path / "r", content)
    expected = reason.format(folder=source)
    for hours in (1, 2):
        (result,) = import_remembered(database, now=DAY + hours * HOUR)
        assert (result.refused, result.differs) == (expected, False)
    after = rows(database)
    assert [before[name] == after[name] for name in ("organisation", "dataset")] == [True, True]
    with reading(database) as session:
        (remembered,) = service.sources(session)
        assert (remembered.last_attempt_at, remembered.last_import_at, remembered.last_refusal) == (DAY + 2 * HOUR, DAY, expected)
        refusal, imported = service.events(session, str(remembered.id)).items
        assert (refusal.kind, refusal.payload) == ("refused", {"reason": expected, "source": source})
        assert imported.kind == "imported"
    write(tmp_path / "r", simple(8))
    assert import_source(database, source, now=DAY + 3 * HOUR).refused is None
    with reading(database) as session:
        assert service.sources(session)[0].last_refusal is None


def test_half_and_one_is_enough_and_an_operator_may_accept_less(database: Engine, tmp_path: Path) -> None:
    source = write(tmp_path / "r", simple(8))
    import_source(database, source, now=DAY)
    write(tmp_path / "r", simple(5))
    assert import_source(database, source, now=DAY).datasets == Tally(gone=3, unchanged=5)
    write(tmp_path / "r", simple(1))
    assert import_source(database, source, now=DAY).refused is not None
    assert import_source(database, source, accept_shrinkage=True, now=DAY).datasets == Tally(gone=4, unchanged=1)


def test_a_large_organisation_that_loses_everything_at_once_is_held(database: Engine, tmp_path: Path) -> None:
    large, small = simple(10, "large"), simple(9, "small")
    rest = simple(30, "rest")
    everything = document(
        [*large["organisations"], *small["organisations"], *rest["organisations"]],
        [*large["datasets"], *small["datasets"], *rest["datasets"]],
    )
    source = write(tmp_path / "r", everything)
    import_source(database, source, now=DAY)
    write(tmp_path / "r", rest)
    result = import_source(database, source, accept_shrinkage=False, now=DAY + HOUR)
    assert result.refused is not None  # one organisation of three is left
    write(tmp_path / "r", document(everything["organisations"][1:], rest["datasets"]))
    result = import_source(database, source, now=DAY + HOUR)
    assert (result.held, result.organisations, result.datasets) == (("large",), Tally(unchanged=2), Tally(gone=9, unchanged=30))
    assert len([name for name in names(database) if name.startswith("large-")]) == 10
    before = rows(database)["event"]
    import_remembered(database, now=DAY + 2 * HOUR)
    assert rows(database)["event"] == before
    with reading(database) as session:
        assert service.sources(session)[0].last_held == ["large"]
    result = import_source(database, source, accept_shrinkage=True, now=DAY + 3 * HOUR)
    assert (result.held, result.organisations.gone, result.datasets.gone) == ((), 1, 10)


def test_a_source_somebody_imports_takes_over_and_one_that_is_only_remembered_does_not(database: Engine, tmp_path: Path) -> None:
    content = simple(3)
    old, new = write(tmp_path / "old", content), write(tmp_path / "new", content)
    import_source(database, old, now=DAY)
    import_source(database, new, now=DAY + HOUR)
    with reading(database) as session:
        assert {found.source_spec for found in service.public_datasets(session)} == {new}
        assert [found.spec for found in service.sources(session)] == [new]  # nothing is left of the old one
    content["datasets"].append(dataset("acme-9", "acme"))
    write(tmp_path / "old", content)
    assert [result.source for result in import_remembered(database, now=DAY + 2 * HOUR)] == [new]
    result = import_source(database, old, now=DAY + 3 * HOUR)
    assert (result.organisations, result.datasets) == (Tally(changed=1), Tally(added=1, changed=3))
    with reading(database) as session:
        assert [found.spec for found in service.sources(session)] == [old]


def test_sources_that_share_records_leave_each_other_alone(database: Engine, tmp_path: Path) -> None:
    import_source(database, write(tmp_path / "a", simple(3)), now=DAY)
    both = simple(2)
    both["datasets"].append(dataset("acme-9", "acme"))
    import_source(database, write(tmp_path / "b", both), now=DAY)
    before = rows(database)
    first, second = import_remembered(database, now=DAY + HOUR)
    assert (first.datasets, second.datasets) == (Tally(unchanged=1, elsewhere=2), Tally(unchanged=3))
    assert rows(database)["dataset"] == before["dataset"]
    assert names(database) == ["acme-0", "acme-1", "acme-2", "acme-9"]


def test_a_source_that_cannot_be_read_the_first_time_is_not_remembered(database: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, message in ((tmp_path / "empty", "has no registry.json"), (tmp_path / "none", "is not there")):
        with pytest.raises(SourceError) as caught:
            import_source(database, str(folder))
        assert str(caught.value) == f"{folder} {message}"
    assert rows(database) == {"organisation": [], "dataset": [], "event": [], "source": []}


def test_killed_at_any_moment_the_old_state_or_the_new_one_is_there(tmp_path: Path, sqlite_template: Path) -> None:
    """The process is killed at every SQL statement in turn; what is left is always one of the two whole states."""
    from iati_platform.storage.database import make_engine

    path = tmp_path / "records.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    content = simple(6)
    source = write(tmp_path / "r", content)
    import_source(engine, source, now=DAY)
    old = rows(engine)
    del content["datasets"][0]
    content["datasets"][0]["short_name"], content["datasets"][1]["short_name"] = "acme-2", "acme-1"
    content["datasets"].append(dataset("acme-9", "acme"))
    write(tmp_path / "r", content)
    program = f"""
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import event
from iati_platform.registry.importers import import_source
from iati_platform.storage.database import make_engine
engine = make_engine("sqlite:///{path}")
left = int(sys.argv[1])
def count(*arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(engine, "after_cursor_execute", count)
import_source(engine, {source!r}, now=datetime(2026, 11, 23, tzinfo=UTC))
"""
    killed = 0
    for statements in range(0, 100, 2):
        done = subprocess.run(
            [sys.executable, "-c", program, str(statements)], check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        killed += 1
        assert rows(engine) == old
    assert killed >= 4
    assert names(engine) == ["acme-1", "acme-2", "acme-3", "acme-4", "acme-5", "acme-9"]
    engine.dispose()


def test_a_dataset_removed_on_request_leaves_nothing_and_does_not_come_back(database: Engine, tmp_path: Path) -> None:
    source = write(tmp_path / "r", simple(3))
    import_source(database, source, now=DAY)
    removed = uid("dataset acme-1")
    with writing(database) as session:
        service.remove_dataset(session, removed, actor="secretariat", at=DAY + HOUR)
    result = import_source(database, source, now=DAY + 2 * HOUR)
    assert result.rejected == (Remark("dataset", "acme-1", "was removed on request"),)
    assert names(database) == ["acme-0", "acme-2"]
    with reading(database) as session:
        (event,) = service.events(session, removed).items
        assert (event.kind, event.actor, event.at, event.payload) == ("removed", "secretariat", DAY + HOUR, {})
    with writing(database) as session:
        with pytest.raises(service.NotRegistered):
            service.remove_dataset(session, removed, actor="secretariat", at=DAY)
        service.allow_dataset(session, removed, actor="secretariat", at=DAY + 3 * HOUR)
    assert import_source(database, source, now=DAY + 4 * HOUR).datasets == Tally(added=1, unchanged=2)


def test_what_left_its_source_is_deleted_after_the_grace_period(database: Engine, tmp_path: Path) -> None:
    everything = document(
        [organisation("acme"), organisation("brief"), organisation("third")],
        [dataset("acme-0", "acme"), dataset("acme-1", "acme"), dataset("brief-0", "brief")],
    )
    source = write(tmp_path / "r", everything)
    import_source(database, source, now=DAY)
    del everything["organisations"][1], everything["datasets"][2]
    write(tmp_path / "r", everything)
    import_source(database, source, now=DAY + HOUR)
    with writing(database) as session:
        assert service.purge(session, before=DAY + HOUR) == []
        assert service.purge(session, before=DAY + 2 * HOUR) == [uid("dataset brief-0")]
    held = rows(database)
    assert [row[1] for row in held["organisation"]] == ["acme", "third"] or sorted(row[1] for row in held["organisation"]) == [
        "acme",
        "third",
    ]
    assert sorted(row[1] for row in held["dataset"]) == ["acme-0", "acme-1"]
    assert uid("dataset brief-0") not in json.dumps(held["event"], default=str)


def test_the_real_corpus_comes_in_whole(database: Engine, corpus: Path) -> None:
    result = import_source(database, str(corpus), now=DAY)
    expected = json.loads((corpus / "registry.json").read_bytes())
    assert (result.organisations.added, result.datasets.added) == (len(expected["organisations"]), len(expected["datasets"]))
    assert (result.rejected, result.warnings) == ((), ())
    with reading(database) as session:
        for found in service.public_datasets(session):
            file = service.local_file(found)
            assert file is not None
            assert file.is_file()
