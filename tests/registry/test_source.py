from pathlib import Path

import pytest

from iati_platform.registry.importers import SourceError, SourceForm, SourceSpec, parse_source
from iati_platform.registry.importers.source import folder_of


def test_a_folder_is_remembered_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "registry.json").touch()
    monkeypatch.chdir(tmp_path)
    expected = SourceSpec(SourceForm.FOLDER, str(tmp_path / "corpus"))
    assert [parse_source(text) for text in ("corpus", "./corpus/", " corpus ", str(tmp_path / "corpus"), "corpus/registry.json")] == [
        expected
    ] * 5
    assert folder_of(expected.text) == tmp_path / "corpus"


def test_a_folder_may_have_a_colon_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a:b").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_source("a:b").text == str(tmp_path / "a:b")


@pytest.mark.parametrize("url", ["https://registry.example.org/registry.json", "http://127.0.0.1:8080/registry.json", "https://h/any?x=1"])
def test_a_url_is_a_document(url: str) -> None:
    assert parse_source(url) == SourceSpec(SourceForm.DOCUMENT, url)
    assert folder_of(url) is None
    assert folder_of(None) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "bulk:https://bulk.example.org",
            "bulk:https://bulk.example.org: a Bulk Data Service cannot be read yet, this arrives with mirroring; "
            "use a folder that holds registry.json or http(s)://…/registry.json",
        ),
        (
            "ckan:https://r/api/3/action",
            "ckan:https://r/api/3/action: a CKAN registry cannot be read yet, this arrives with mirroring; "
            "use a folder that holds registry.json or http(s)://…/registry.json",
        ),
        (
            "dashboard:https://d",
            "dashboard:https://d: a Dashboard cannot be read yet, this arrives with mirroring; "
            "use a folder that holds registry.json or http(s)://…/registry.json",
        ),
        (
            "csv:file.csv",
            "csv:file.csv: a registry CSV cannot be read yet, this arrives with mirroring; "
            "use a folder that holds registry.json or http(s)://…/registry.json",
        ),
        ("ftp://h/x", "ftp://h/x: not a source; use a folder that holds registry.json or http(s)://…/registry.json"),
        ("file:///tmp", "file:///tmp: write a folder as a plain path, such as ./corpus"),
        ("", "an empty source: name a folder or a URL"),
        ("x" * 2001, f"{'x' * 60}…: a source is at most 2000 characters long"),
        ("https://", "https://: not a URL such as https://registry.example.org/registry.json"),
        ("https://user:pw@h/registry.json", "https://…@h: a source is remembered and shown, so it cannot hold a password"),
    ],
)
def test_what_is_not_understood_is_said_clearly(text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert str(caught.value) == message
