"""Reading a registry folder: present, missing, unchanged, and never anything outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.exchange import FetchLimits, FetchRequest, FetchResult, Outcome
from iati_platform.bulk.folder import FolderFetcher


def check(folder: Path, path: str | None, etag: str | None = None, limits: FetchLimits | None = None) -> FetchResult:
    results: list[FetchResult] = []
    FolderFetcher(limits).run([FetchRequest("d", "https://x.example/a.xml", str(folder), path, etag)], results.append)
    return results[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "registry"
    (made / "data").mkdir(parents=True)
    (made / "data" / "a.xml").write_bytes(b"<iati-activities/>")
    (tmp_path / "secret.xml").write_bytes(b"<iati-activities>secret</iati-activities>")
    return made


def test_present_then_unchanged_then_changed(folder: Path) -> None:
    first = check(folder, "data/a.xml")
    assert (first.outcome, first.status, first.received) == (Outcome.CONTENT, 200, 18)
    assert first.body is not None
    assert first.body.read() == b"<iati-activities/>"
    again = check(folder, "data/a.xml", first.etag)
    assert (again.outcome, again.status, again.body) == (Outcome.UNCHANGED, 304, None)
    # The same size and the same modification time do not hide a new file.
    modified = (folder / "data/a.xml").stat().st_mtime_ns
    (folder / "data/new.xml").write_bytes(b"<iati-activitieS/>")
    (folder / "data/new.xml").replace(folder / "data/a.xml")
    os.utime(folder / "data/a.xml", ns=(modified, modified))
    assert check(folder, "data/a.xml", first.etag).outcome is Outcome.CONTENT


@pytest.mark.parametrize("path", [None, "", "data", "data/", "data/b.xml", "data/a.xml/b.xml", "nothing/a.xml", "data/a\0.xml"])
def test_missing(folder: Path, path: str | None) -> None:
    result = check(folder, path)
    assert (result.outcome, result.status) == (Outcome.FAILED, 404)
    assert result.failure is not None
    assert (result.failure.type, result.failure.cause) == (ErrorType.HTTP_NON_200, Cause.STATUS)


@pytest.mark.parametrize(
    "path",
    ["../secret.xml", "data/../../secret.xml", "/etc/passwd", "data/..", "..", "../registry-other/a.xml", "link/secret.xml", "direct.xml"],
)
def test_nothing_outside_is_opened(folder: Path, path: str) -> None:
    (folder / "link").symlink_to(folder.parent)
    (folder / "direct.xml").symlink_to(folder.parent / "secret.xml")
    (folder.parent / "registry-other").mkdir()
    (folder.parent / "registry-other" / "a.xml").write_bytes(b"<iati-activities/>")
    result = check(folder, path)
    assert result.outcome is Outcome.FAILED
    assert result.body is None
    assert result.failure is not None
    assert result.failure.cause is Cause.OUTSIDE_FOLDER


def test_links_inside_are_followed(folder: Path) -> None:
    (folder / "also.xml").symlink_to("data/a.xml")
    (folder / "too").symlink_to("data")
    for path in ("also.xml", "too/a.xml", "data/../data/a.xml"):
        result = check(folder, path)
        assert result.body is not None, path
        assert result.body.read() == b"<iati-activities/>"


def test_a_pipe_does_not_stop_the_cycle(folder: Path) -> None:
    os.mkfifo(folder / "pipe.xml")
    assert check(folder, "pipe.xml").status == 404


def test_a_file_that_is_too_large(folder: Path) -> None:
    result = check(folder, "data/a.xml", limits=FetchLimits(max_size=17))
    assert result.failure is not None
    assert (result.failure.type, result.failure.cause, result.failure.detail) == (ErrorType.OTHER_ERROR, Cause.TOO_LARGE, "18 bytes")
