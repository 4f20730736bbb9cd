import os

import pytest

from iati_platform.storage.artefacts import ArtefactDamaged, ArtefactMissing, ArtefactStore
from iati_platform.storage.objects import ObjectStore

SHA256 = "ab" * 32
OTHER = "cd" * 32
SECTIONS = {
    "report": b'{"findings": []}' * 1000,
    "documents": os.urandom(50_000),
    "empty": b"",
    "arrow": b"\xff\xff\xff\xff" + os.urandom(100),
    "zstd": b"\x28\xb5\x2f\xfd" + os.urandom(100),
}


@pytest.fixture
def artefacts(objects: ObjectStore) -> ArtefactStore:
    return ArtefactStore(objects)


def test_an_artefact_comes_back_section_by_section_and_whole(artefacts: ArtefactStore) -> None:
    header = {"activities": 12, "valid": True, "names": ["ñ"]}
    artefacts.write(SHA256, "0.1+a1b2c3", SECTIONS, header)
    assert artefacts.exists(SHA256, "0.1+a1b2c3")
    assert artefacts.header(SHA256, "0.1+a1b2c3") == header
    assert artefacts.section_names(SHA256, "0.1+a1b2c3") == list(SECTIONS)
    assert {name: artefacts.read_section(SHA256, "0.1+a1b2c3", name) for name in SECTIONS} == SECTIONS
    assert artefacts.read_sections(SHA256, "0.1+a1b2c3") == SECTIONS
    assert artefacts.read_sections(SHA256, "0.1+a1b2c3", ["empty", "report"]) == {"empty": b"", "report": SECTIONS["report"]}


def test_a_large_header_is_read_whole(artefacts: ArtefactStore) -> None:
    header = {"identifiers": [f"XM-DAC-{number}" for number in range(5000)]}
    artefacts.write(SHA256, "v1", SECTIONS, header)
    assert artefacts.header(SHA256, "v1") == header
    assert artefacts.read_section(SHA256, "v1", "report") == SECTIONS["report"]


def test_what_is_compressed_already_is_not_compressed_again(objects: ObjectStore, artefacts: ArtefactStore) -> None:
    packed = b"\x28\xb5\x2f\xfd" + os.urandom(1000)
    artefacts.write(SHA256, "v1", {"tables": packed}, {})
    assert packed in objects.get(f"artefacts/v1/ab/{SHA256}")


def test_writing_again_replaces(artefacts: ArtefactStore) -> None:
    artefacts.write(SHA256, "v1", {"a": b"1", "b": b"2"}, {"n": 1})
    artefacts.write(SHA256, "v1", {"a": b"3"}, {"n": 2})
    assert artefacts.header(SHA256, "v1") == {"n": 2}
    assert artefacts.read_sections(SHA256, "v1") == {"a": b"3"}


def test_artefacts_of_code_versions_stand_side_by_side(artefacts: ArtefactStore) -> None:
    artefacts.write(SHA256, "v1", {"a": b"1"}, {})
    artefacts.write(SHA256, "v2", {"a": b"2"}, {})
    artefacts.write(OTHER, "v2", {"a": b"3"}, {})
    assert sorted(entry[:2] for entry in artefacts.list()) == [(SHA256, "v1"), (SHA256, "v2"), (OTHER, "v2")]
    assert sorted(entry[:2] for entry in artefacts.list("v2")) == [(SHA256, "v2"), (OTHER, "v2")]
    artefacts.delete(SHA256, "v2")
    artefacts.delete(SHA256, "v2")
    assert sorted(entry[:2] for entry in artefacts.list()) == [(SHA256, "v1"), (OTHER, "v2")]


def test_what_is_not_there_is_missing(artefacts: ArtefactStore) -> None:
    artefacts.write(SHA256, "v1", {"a": b"1"}, {})
    for operation in (
        lambda: artefacts.header(OTHER, "v1"),
        lambda: artefacts.read_section(SHA256, "v2", "a"),
        lambda: artefacts.read_section(SHA256, "v1", "b"),
        lambda: artefacts.read_sections(OTHER, "v1"),
        lambda: artefacts.read_sections(SHA256, "v1", ["a", "b"]),
    ):
        with pytest.raises(ArtefactMissing):
            operation()


@pytest.mark.parametrize("place", [0, 7, 9, 13, 40, -1])
def test_every_damaged_byte_is_noticed(objects: ObjectStore, artefacts: ArtefactStore, place: int) -> None:
    artefacts.write(SHA256, "v1", {"a": b"1" * 100}, {"n": 1})
    key = f"artefacts/v1/ab/{SHA256}"
    data = bytearray(objects.get(key))
    data[place] ^= 0x55
    objects.put(key, bytes(data))
    with pytest.raises(ArtefactDamaged):
        artefacts.read_section(SHA256, "v1", "a")
    with pytest.raises(ArtefactDamaged):
        artefacts.read_sections(SHA256, "v1")


@pytest.mark.parametrize("length", [0, 10, 30, -1])
def test_a_cut_file_is_noticed(objects: ObjectStore, artefacts: ArtefactStore, length: int) -> None:
    artefacts.write(SHA256, "v1", {"a": b"1" * 100}, {"n": 1})
    key = f"artefacts/v1/ab/{SHA256}"
    objects.put(key, objects.get(key)[:length])
    with pytest.raises(ArtefactDamaged):
        artefacts.read_section(SHA256, "v1", "a")


@pytest.mark.parametrize("name", ["", "..", "a/b", ".v", "a b"])
def test_code_versions_cannot_leave_the_store(artefacts: ArtefactStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a code version"):
        artefacts.exists(SHA256, name)
