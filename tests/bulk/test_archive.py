"""The ZIP writer: other implementations read what it joins, also beyond the limits of the old format."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iati_platform.bulk import archive as archives
from iati_platform.bulk.archive import ArchiveError, ArchiveWriter, single_member_zip

MOMENT = datetime(2026, 3, 1, 12, 30, 44, tzinfo=UTC)


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def write(path: Path, files: dict[str, bytes]) -> None:
    with ArchiveWriter(path, MOMENT) as writer:
        for name, data in files.items():
            if name.endswith("/"):
                writer.add_directory(name)
            elif len(data) % 2:
                writer.add_bytes(name, data)
            else:
                writer.add_deflated(name, deflate(data), zlib.crc32(data), len(data), MOMENT)


def unzip(path: Path) -> None:
    """Info-ZIP's own test of the archive, where it is installed."""
    program = shutil.which("unzip")
    if program is not None:
        result = subprocess.run([program, "-tqq", path], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, "")


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    files = {"top/": b"", "top/größe.xml": b"<a/>" * 1000, "top/empty.xml": b"", "top/odd.json": b"{}x", "top/once.bin": bytes(range(255))}
    write(tmp_path / "a.zip", files)
    unzip(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert read.testzip() is None
        assert {entry.filename: read.read(entry) for entry in read.infolist()} == files
        assert [entry.is_dir() for entry in read.infolist()] == [True, False, False, False, False]
        assert {entry.date_time for entry in read.infolist()} == {(2026, 3, 1, 12, 30, 44)}
        assert [entry.external_attr >> 16 for entry in read.infolist()] == [0o40755] + [0o100644] * 4
        assert [entry.compress_type for entry in read.infolist()] == [0, 8, 8, 0, 0]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zip"]


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write(tmp_path / name, {"x/": b"", "x/a.xml": b"<a/>" * 10, "x/b.xml": b"odd"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    files=st.dictionaries(NAMES, st.binary(max_size=3000), max_size=12),
    size_limit=st.sampled_from([10, 500, 0xFFFFFFFF]),
    count_limit=st.sampled_from([1, 5, 0xFFFF]),
)
def test_any_names_and_sizes_in_either_format(tmp_path: Path, files: dict[str, bytes], size_limit: int, count_limit: int) -> None:
    """Limits are lowered so that ZIP64 records are written at every place where a large archive needs them."""
    before = archives.SIZE_LIMIT, archives.COUNT_LIMIT
    archives.SIZE_LIMIT, archives.COUNT_LIMIT = size_limit, count_limit
    try:
        write(tmp_path / "a.zip", files)
    finally:
        archives.SIZE_LIMIT, archives.COUNT_LIMIT = before
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert read.testzip() is None
        assert {entry.filename: read.read(entry) for entry in read.infolist()} == files


def test_info_zip_reads_our_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SIZE_LIMIT", 100)
    monkeypatch.setattr(archives, "COUNT_LIMIT", 2)
    write(tmp_path / "a.zip", {"x/": b"", "x/a.xml": bytes(1000), "x/b.xml": b"<b/>" * 400, "x/c.xml": b"c"})
    unzip(tmp_path / "a.zip")


def test_more_than_65535_entries(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "a.zip") as writer:
        for number in range(65_540):
            writer.add_bytes(f"{number}", b"")
    assert writer.summary.entries == 65_540
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert len(read.namelist()) == 65_540
    unzip(tmp_path / "a.zip")


def test_a_file_beyond_four_gigabytes(tmp_path: Path) -> None:
    """Offsets and sizes above 4 GiB, written into a sparse file: nothing of that size is really stored."""
    size = (1 << 32) + 10
    with ArchiveWriter(tmp_path / "a.zip") as writer:
        writer.add_bytes("first.xml", b"<a/>")
        hole = archives.Member("hole.bin", 0, 0, size, size, writer._offset, 0, 33, 0o100644 << 16)
        header = archives._LOCAL.pack(b"PK\x03\x04", 45, 0x800, 0, 0, 33, 0, 0xFFFFFFFF, 0xFFFFFFFF, 8, 20)
        extra = b"\x01\x00\x10\x00" + size.to_bytes(8, "little") * 2
        writer._file.write(header + b"hole.bin" + extra)
        writer._file.seek(size, io.SEEK_CUR)
        writer._members.append(hole)
        writer._offset += len(header) + 8 + len(extra) + size
        writer.add_bytes("last.xml", b"<z/>")
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert [(entry.filename, entry.file_size) for entry in read.infolist()] == [("first.xml", 4), ("hole.bin", size), ("last.xml", 4)]
        assert read.getinfo("last.xml").header_offset > 1 << 32
        assert read.read("last.xml") == b"<z/>"


def test_what_goes_wrong_leaves_the_old_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write(path, {"old.xml": b"<old/>"})
    old = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"two entries with the name a\.xml"), ArchiveWriter(path) as writer:
        writer.add_bytes("a.xml", b"1")
        writer.add_bytes("a.xml", b"2")
    with pytest.raises(OSError, match="No space left"), ArchiveWriter(path) as writer:
        writer.add_bytes("a.xml", b"1")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_is_not_what_was_meant_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="shorter"), ArchiveWriter(tmp_path / "a.zip") as writer:
        writer.add_bytes("a.xml", b"<a/>")
        writer._offset += 7
    with pytest.raises(ArchiveError, match="differs"), ArchiveWriter(tmp_path / "a.zip") as writer:
        writer.add_bytes("a\0b.xml", b"<a/>")  # read back, the name ends at the NUL
    assert list(tmp_path.iterdir()) == []


@given(data=st.binary(max_size=2000), name=NAMES)
def test_a_zip_of_one_file(data: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(single_member_zip(name, deflate(data), zlib.crc32(data), len(data), MOMENT))) as read:
        assert read.testzip() is None
        assert [(entry.filename, read.read(entry)) for entry in read.infolist()] == [(name, data)]
