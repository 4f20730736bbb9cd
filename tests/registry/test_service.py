from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from iati_platform.registry import service
from iati_platform.registry.importers import import_source
from iati_platform.registry.models import DatasetRow, OrganisationRow
from iati_platform.registry.names import is_short_name, search_text, short_name_from
from iati_platform.storage.database import reading, writing
from tests.registry.documents import dataset, document, organisation, uid, write

DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def filled(database: Engine, tmp_path: Path) -> Engine:
    content = document(
        [
            organisation("fondo", human_readable_name="Fundación Ñandú 100%"),
            organisation("relief", human_readable_name="Relief & Recovery", organisation_identifier=None),
            organisation("quiet", human_readable_name="Quiet Trust"),
        ],
        [*[dataset(f"fondo-{number}", "fondo") for number in range(5)], dataset("relief-org", "relief", file_type="organisation")],
    )
    import_source(database, write(tmp_path / "r", content), now=DAY)
    return database


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["fondo", "quiet", "relief"]),
        ("fundacion", ["fondo"]),
        ("ÑANDÚ fund", ["fondo"]),
        ("100%", ["fondo"]),
        ("%", ["fondo"]),
        ("_", []),
        ("xm-dac-quiet", ["quiet"]),
        ("recovery relief", ["relief"]),
        ("relief trust", []),
    ],
)
def test_organisations_are_found_by_every_word_of_the_query(filled: Engine, query: str, found: list[str]) -> None:
    with reading(filled) as session:
        page = service.list_organisations(session, query)
    assert ([item.short_name for item in page.items], page.total) == (found, len(found))


@pytest.mark.parametrize(
    ("query", "org", "found"),
    [
        ("fondo-3", None, ["fondo-3"]),
        ("nandu", None, [f"fondo-{number}" for number in range(5)]),
        ("recovery org", None, ["relief-org"]),
        ("", "relief", ["relief-org"]),
        ("fondo", "relief", []),
        ("", "nobody", []),
    ],
)
def test_datasets_are_found_by_their_own_and_their_organisations_names(
    filled: Engine, query: str, org: str | None, found: list[str]
) -> None:
    with reading(filled) as session:
        page = service.list_datasets(session, query, org)
    assert ([item.short_name for item in page.items], page.total) == (found, len(found))


def test_lists_page(filled: Engine) -> None:
    with reading(filled) as session:
        pages = [service.list_datasets(session, start=start, limit=4) for start in (0, 4, 8)]
        assert [[item.short_name for item in page.items] for page in pages] == [
            ["fondo-0", "fondo-1", "fondo-2", "fondo-3"],
            ["fondo-4", "relief-org"],
            [],
        ]
        assert [(page.total, page.start, page.limit) for page in pages] == [(6, 0, 4), (6, 4, 4), (6, 8, 4)]
        page = service.list_organisations(session, start=-5, limit=10**9)
        assert (len(page.items), page.start, page.limit) == (3, 0, service.PAGE_MAXIMUM)


def test_counts_tell_who_publishes(filled: Engine) -> None:
    with reading(filled) as session:
        assert service.counts(session) == service.Counts(organisations=3, publishing_organisations=2, datasets=6)
        assert {item.short_name: item.datasets for item in service.public_organisations(session)} == {"fondo": 5, "relief": 1, "quiet": 0}


@pytest.mark.parametrize(
    "change",
    [
        update(OrganisationRow).where(OrganisationRow.short_name == "fondo").values(state="pending"),
        update(OrganisationRow).where(OrganisationRow.short_name == "fondo").values(discoverable=False),
        update(OrganisationRow).where(OrganisationRow.short_name == "fondo").values(removed_at=DAY),
        update(DatasetRow).where(DatasetRow.short_name.startswith("fondo")).values(visibility="private"),
        update(DatasetRow).where(DatasetRow.short_name.startswith("fondo")).values(removed_at=DAY),
    ],
)
def test_only_what_is_public_is_shown(filled: Engine, change: object) -> None:
    with writing(filled) as session:
        session.execute(change)  # type: ignore[call-overload]
    with reading(filled) as session:
        assert [item.short_name for item in service.public_datasets(session)] == ["relief-org"]
        assert service.list_datasets(session).total == 1
        assert service.counts(session).datasets == 1
        for lookup in (lambda: service.dataset(session, "fondo-1"), lambda: service.dataset_by_id(session, uid("dataset fondo-1"))):
            with pytest.raises(service.NotRegistered):
                lookup()


def test_files_of_a_folder_do_not_lead_out_of_it_through_links(filled: Engine, tmp_path: Path) -> None:
    with reading(filled) as session:
        found = service.dataset(session, "fondo-1")
    assert service.local_file(found) == tmp_path / "r" / "data" / "fondo-1.xml"
    (tmp_path / "secret.xml").touch()
    (tmp_path / "r" / "data").mkdir()
    (tmp_path / "r" / "data" / "fondo-1.xml").symlink_to(tmp_path / "secret.xml")
    with pytest.raises(ValueError, match="leads out of"):
        service.local_file(found)
    with pytest.raises(ValueError, match="has no path"):
        service.local_file(found._replace(path=None))


def test_names_are_made_checked_and_folded() -> None:
    assert short_name_from("  Fondo Ñandú (2026)!") == "fondo-nandu-2026"
    assert short_name_from("援助") == ""
    assert len(short_name_from("a-" * 200)) <= 100
    assert [is_short_name(text) for text in ("a", "a_b-9", "x" * 100, "", "A", "a.b", "a\n", "x" * 101, "ä")] == [True] * 3 + [False] * 6
    assert search_text("Über  Straße", None, "ﬁne") == "uber strasse fine"
