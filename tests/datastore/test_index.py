"""The index of a generation: replacing datasets, and what a killed writer leaves behind."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from iati_platform.datastore import service
from iati_platform.datastore.index import IndexWriter, Written
from iati_platform.datastore.reader import Counts, IndexReader
from tests.datastore.material import INDEXED, Activity, activities, build, dataset, documents, file_of

PAYMENT = ("3", "2020-05-01", "1", "t")


def clone(old: Path, new: Path) -> None:
    """Hard links, as the pipeline makes them."""
    for file in old.rglob("*"):
        target = new / file.relative_to(old)
        if file.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)


def fingerprint(directory: Path) -> dict[str, str]:
    return {str(f.relative_to(directory)): hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(directory.rglob("*")) if f.is_file()}


def test_an_empty_index_answers(tmp_path: Path) -> None:
    assert IndexReader(tmp_path / "nothing").counts() == Counts(0, 0, 0, 0)
    with IndexWriter(tmp_path / "search"):
        pass
    assert service.counts(IndexReader(tmp_path / "search")) == {"activity": 0, "transaction": 0, "budget": 0, "held_back": 0}


def test_counts_say_what_went_in_and_what_is_held_back(tmp_path: Path) -> None:
    good = file_of(Activity("A", transactions=(PAYMENT, PAYMENT)), Activity("B", budgets=(("2020-01-01", "2020-12-31", "5"),)))
    old = activities("><iati-identifier>C</iati-identifier><transaction><value>5</value></transaction>", version="1.05")
    with IndexWriter(tmp_path, now=INDEXED, memory=0.1) as writer:
        assert writer.replace(dataset("good"), documents(good)) == Written(2, 0, 2, 1)
        assert writer.replace(dataset("old"), documents(old)) == Written(0, 1, 1, 0)
    reader = IndexReader(tmp_path)
    assert reader.counts() == Counts(2, 1, 2, 1)
    assert service.search(reader, "*:*").total == 2
    assert service.search(reader, "*:*", scope="all").total == 3
    assert service.search(reader, "*:*", scope="held-back", collection="transaction", fl="iati_identifier").documents == (
        {"iati_identifier": "C"},
    )
    assert service.search(reader, "dataset_version:1.05", scope="held-back", fl="iati_identifier").documents == ({"iati_identifier": "C"},)


def test_replacing_takes_the_old_out_and_leaves_the_others(tmp_path: Path) -> None:
    first = tmp_path / "1"
    build(
        first, [(dataset("one"), file_of(Activity("A", transactions=(PAYMENT,)), Activity("B"))), (dataset("two"), file_of(Activity("C")))]
    )
    second = tmp_path / "2"
    clone(first, second)
    with IndexWriter(second, memory=0.1) as writer:
        writer.replace(dataset("one", "d"), documents(file_of(Activity("B"), Activity("D", transactions=(PAYMENT, PAYMENT)))))
        writer.replace(dataset("one", "e"), documents(file_of(Activity("E"))))
        writer.delete("no such dataset")
    third = tmp_path / "3"
    clone(second, third)
    with IndexWriter(third, memory=0.1) as writer:
        writer.delete(dataset("two").id)
    counted = {n: (IndexReader(tmp_path / n).counts(), _identifiers(tmp_path / n)) for n in "123"}
    assert counted == {
        "1": (Counts(3, 0, 1, 0), ["A", "B", "C"]),
        "2": (Counts(2, 0, 0, 0), ["C", "E"]),
        "3": (Counts(1, 0, 0, 0), ["E"]),
    }


def _identifiers(directory: Path) -> list[str]:
    return sorted(
        str(d["iati_identifier"]) for d in service.search(IndexReader(directory), "*:*", rows=1000, fl="iati_identifier").documents
    )


def test_an_error_drops_everything_of_the_run(tmp_path: Path) -> None:
    build(tmp_path, [(dataset("one"), file_of(Activity("A")))])
    with pytest.raises(RuntimeError, match="stop"), IndexWriter(tmp_path, memory=0.1) as writer:
        writer.replace(dataset("one"), documents(file_of(Activity("B"))))
        raise RuntimeError("stop")
    assert _identifiers(tmp_path) == ["A"]


def test_one_activity_and_the_list_of_a_dataset(tmp_path: Path) -> None:
    data = activities(
        "><iati-identifier>A</iati-identifier><title><narrative>Not valid</narrative></title>",
        Activity("B", "Second").xml(),
        Activity("A", "Third").xml(),
    )
    reader = build(tmp_path, [(dataset("one"), data), (dataset("two"), file_of(Activity("C")))])
    total, lines = service.activities_of_dataset(reader, dataset("one").id, 0, 2)
    assert total == 3
    assert [(line.number, line.identifier, line.title, line.status, line.admitted, line.schema_valid) for line in lines] == [
        (0, "A", "Not valid", "", False, False),
        (1, "B", "Second", "2", True, True),
    ]
    assert service.activities_of_dataset(reader, dataset("one").id, 2, 2)[1][0].title == "Third"
    found = service.activity(reader, "A")
    assert found is not None
    assert found.document()["title_narrative"] == ["Third"]
    assert service.activity(reader, "nobody") is None
    first = service.activity_of_dataset(reader, dataset("one").id, 0)
    assert first is not None
    assert first.document()["title_narrative"] == ["Not valid"]
    assert service.activity_of_dataset(reader, dataset("one").id, 3) is None


_WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from iati_platform.datastore.index import IndexWriter
    from tests.datastore.material import Activity, dataset, documents, file_of

    directory, commit = Path(sys.argv[1]), sys.argv[2] == "commit"
    writer = IndexWriter(directory, memory=0.1)
    section = documents(file_of(*(Activity(f"N-{n}", "new " * 40, transactions=(("3", "2020-05-01", "1", "t"),) * 3) for n in range(300))))
    print("ready", flush=True)
    for round in range(1000):
        writer.replace(dataset(f"new{round}"), section)
        writer.delete(dataset("one").id)
        if commit and round % 3 == 2:
            writer.commit()
            writer = IndexWriter(directory, memory=0.1)
        print("round", flush=True)
    """
)


@pytest.mark.parametrize(("rounds", "mode"), [(0, "open"), (1, "open"), (5, "open"), (2, "commit"), (3, "commit"), (7, "commit")])
def test_a_killed_writer_leaves_the_generation_before_untouched(tmp_path: Path, rounds: int, mode: str) -> None:
    old, new = tmp_path / "1", tmp_path / "2"
    build(old, [(dataset("one"), file_of(*(Activity(f"A-{n}", transactions=(PAYMENT,)) for n in range(50))))])
    before = fingerprint(old)
    clone(old, new)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(root / "src"), str(root)))}
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(new), mode], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(rounds):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert fingerprint(old) == before
    assert IndexReader(old).counts() == Counts(50, 0, 50, 0)
    # The work is done again on a new clone, as the pipeline does.
    again = tmp_path / "3"
    clone(old, again)
    with IndexWriter(again, memory=0.1) as writer:
        writer.replace(dataset("one"), documents(file_of(Activity("B"))))
    assert IndexReader(again).counts() == Counts(1, 0, 0, 0)
    assert fingerprint(old) == before
