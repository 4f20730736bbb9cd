"""Generations of the tables: what is replaced, what is left alone, what is merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from iati_platform.datastore import tables
from iati_platform.datastore.tables.compaction import CREDIT_FLOOR, choose
from iati_platform.datastore.tables.parts import Part
from tests.datastore_tables.files import FIRST, ORGANISATION, SECOND, built, dataset, published


def names(directory: Path) -> list[tuple[str, str]]:
    found = tables.query(directory, "SELECT dataset, iati_identifier FROM activity ORDER BY ALL").to_pylist()
    return [(row["dataset"], row["iati_identifier"]) for row in found]


def test_a_new_generation_shows_the_changes_and_the_old_one_stays_as_it_was(tmp_path: Path) -> None:
    first = published(tmp_path / "1", a=SECOND, b=FIRST, c=ORGANISATION)
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    writer = tables.TablesWriter(tmp_path / "2", first)
    writer.replace(dataset("a", "2"), built(FIRST))
    assert writer.delete("id-of-b") is True
    assert writer.delete("id-of-b") is False
    writer.replace(dataset("new"), built(SECOND))
    writer.commit()
    assert names(tmp_path / "2") == [("a", "GB-1-X"), ("new", "XM-EX-1-A")]
    assert names(first) == [("a", "XM-EX-1-A"), ("b", "GB-1-X")]
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == before


def test_unchanged_parts_are_the_same_files(tmp_path: Path) -> None:
    first = published(tmp_path / "1", a=SECOND, b=FIRST)
    writer = tables.TablesWriter(tmp_path / "2", first)
    writer.replace(dataset("c"), built(ORGANISATION))
    writer.commit()
    [old] = (first / "transaction").iterdir()
    assert (tmp_path / "2" / "transaction" / old.name).samefile(old)


def test_a_renamed_dataset_costs_no_new_part(tmp_path: Path) -> None:
    first = published(tmp_path / "1", a=SECOND)
    writer = tables.TablesWriter(tmp_path / "2", first)
    renamed = dataset("a", org="renamed", licence="odc-by")
    assert writer.describe(renamed) is True
    assert writer.describe(dataset("unknown")) is False
    writer.commit()
    found = tables.query(tmp_path / "2", "SELECT DISTINCT dataset, reporting_org, licence FROM transaction").to_pylist()
    assert found == [{"dataset": "a", "reporting_org": "renamed", "licence": "odc-by"}]
    old, new = ({path.name for path in (tmp_path / number).rglob("0*.parquet")} for number in "12")
    assert old == new


def test_many_changes_neither_lose_rows_nor_pile_up_files(tmp_path: Path) -> None:
    directory = published(tmp_path / "0", **{f"d{number}": SECOND for number in range(8)})
    for number in range(1, 30):
        writer = tables.TablesWriter(tmp_path / str(number), directory)
        writer.replace(dataset(f"d{number % 8}", "abcdef"[number % 6]), built(FIRST if number % 3 else SECOND))
        writer.commit()
        directory = tmp_path / str(number)
    expected = sorted((f"d{n % 8}", "GB-1-X" if n % 3 else "XM-EX-1-A") for n in range(22, 30))
    assert names(directory) == expected
    assert max(len(list(folder.iterdir())) for folder in directory.iterdir() if folder.is_dir()) <= 6


def test_a_finished_generation_is_not_written_again(tmp_path: Path) -> None:
    first = published(tmp_path / "1", a=SECOND)
    with pytest.raises(tables.TablesError, match="finished"):
        tables.TablesWriter(first, None)


def test_what_a_killed_writer_left_is_replaced(tmp_path: Path) -> None:
    killed = tables.TablesWriter(tmp_path / "1", None)
    killed.replace(dataset("a"), built(SECOND))
    writer = tables.TablesWriter(tmp_path / "1", None)
    writer.replace(dataset("b"), built(FIRST))
    writer.commit()
    assert names(tmp_path / "1") == [("b", "GB-1-X")]


def test_an_empty_generation_has_every_table_with_its_columns(tmp_path: Path) -> None:
    directory = published(tmp_path / "1")
    assert tables.query(directory, "SELECT sum(value) AS total FROM transaction").to_pylist() == [{"total": None}]
    filled = published(tmp_path / "2", a=SECOND)
    for name in ("dataset", "activity", "transaction", "organisation"):
        question = f"DESCRIBE {name}"
        assert tables.query(directory, question).to_pylist() == tables.query(filled, question).to_pylist()


def part(name: str, rows: int, load: int) -> Part:
    return Part(Path(name), {load: rows})


def test_parts_are_rewritten_when_a_quarter_is_dead_or_four_are_of_a_size() -> None:
    half_dead = Part(Path("half"), {1: 50_000, 2: 50_000})
    alike = [part(f"p{n}", 100, 10 + n) for n in range(4)]
    chosen = choose({"transaction": [half_dead, *alike]}, {1, 10, 11, 12, 13}, CREDIT_FLOOR)
    assert [(merge.live, [each.path.name for each in merge.parts]) for merge in chosen] == [
        (400, ["p0", "p1", "p2", "p3"]),
        (50_000, ["half"]),
    ]


def test_no_commit_rewrites_more_than_its_credit() -> None:
    parts = [Part(Path(f"p{n}"), {n: 600_000, 100 + n: 400_000}) for n in range(10)]
    chosen = choose({"transaction": parts}, set(range(10)), 1_300_000)
    assert sum(merge.live for merge in chosen) == 1_200_000


def test_little_memory_changes_nothing_but_the_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iati_platform.datastore.tables.writer.HELD_BYTES", 1)
    directory = published(tmp_path / "1", a=SECOND, b=FIRST, c=SECOND)
    assert names(directory) == [("a", "XM-EX-1-A"), ("b", "GB-1-X"), ("c", "XM-EX-1-A")]
