import gzip
import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.storage.content import Content, ContentDamaged, ContentMissing, ContentStore
from iati_platform.storage.objects import ObjectStore

XML = b'<?xml version="1.0"?>\n<iati-activities version="2.03">' + b"<iati-activity/>" * 5000 + b"</iati-activities>"
SHA256 = hashlib.sha256(XML).hexdigest()


def test_a_content_is_kept_once_under_its_hash(objects: ObjectStore, contents: ContentStore) -> None:
    content = contents.put(XML)
    assert content == Content(SHA256, len(XML), zlib.crc32(XML), content.deflated_size)
    assert contents.put(XML) == contents.info(SHA256) == content
    assert list(objects.list()) == [(f"content/{SHA256[:2]}/{SHA256}.gz", content.deflated_size + 18)]
    assert list(contents.list()) == [(SHA256, content.deflated_size + 18)]
    assert contents.exists(SHA256)
    assert contents.read(SHA256) == XML


def test_the_stored_file_is_gzip_and_equal_bytes_give_an_equal_file(tmp_path: Path, contents: ContentStore) -> None:
    contents.put(XML)
    other = ContentStore(ObjectStore(tmp_path / "other"))
    other.put(XML)
    assert gzip.decompress(contents.gzip_bytes(SHA256)) == XML
    assert contents.gzip_bytes(SHA256) == other.gzip_bytes(SHA256)
    path = contents.gzip_path(SHA256)
    assert path is not None
    assert path.read_bytes() == contents.gzip_bytes(SHA256)


def test_the_member_is_what_a_zip_file_holds(contents: ContentStore) -> None:
    content = contents.put(XML)
    member = contents.member(SHA256)
    assert len(member) == content.deflated_size
    assert zlib.decompress(member, wbits=-15) == XML
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x", b"")
    assert member != b""


@given(st.binary(max_size=5000))
def test_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    contents = ContentStore(ObjectStore(tmp_path_factory.getbasetemp() / "any"))
    content = contents.put(data)
    assert contents.put(data) == content
    assert contents.read(content.sha256) == data


def test_what_is_not_there_is_missing(contents: ContentStore) -> None:
    for operation in (contents.read, contents.member, contents.gzip_bytes, contents.info):
        with pytest.raises(ContentMissing):
            operation(SHA256)
    assert not contents.exists(SHA256)
    assert contents.gzip_path(SHA256) is None
    contents.delete(SHA256)


def test_a_deleted_content_is_gone(contents: ContentStore) -> None:
    contents.put(XML)
    contents.delete(SHA256)
    assert not contents.exists(SHA256)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:100], lambda b: b"", lambda b: b[:50] + b"\0" + b[51:], lambda b: b"x" * 40]
)
def test_damage_is_noticed_and_the_next_put_repairs_it(objects: ObjectStore, contents: ContentStore, damage: object) -> None:
    contents.put(XML)
    key = f"content/{SHA256[:2]}/{SHA256}.gz"
    objects.put(key, damage(objects.get(key)))  # type: ignore[operator]
    with pytest.raises(ContentDamaged):
        contents.read(SHA256)
    contents.delete(SHA256)
    contents.put(XML)
    assert contents.read(SHA256) == XML


def test_a_truncated_file_does_not_pass_for_the_content(objects: ObjectStore, contents: ContentStore) -> None:
    contents.put(XML)
    key = f"content/{SHA256[:2]}/{SHA256}.gz"
    objects.put(key, objects.get(key)[:-30])
    contents.put(XML)
    assert contents.read(SHA256) == XML


@pytest.mark.parametrize("name", ["", "abc", SHA256.upper(), "../" + SHA256[3:], SHA256 + "0"])
def test_only_hashes_are_names(contents: ContentStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        contents.exists(name)
