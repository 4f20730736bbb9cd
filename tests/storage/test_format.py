from pathlib import Path

import pytest

from iati_platform import __version__
from iati_platform.storage.format import FORMAT, DataDirectoryError, DataDirectoryTooNew, DataFormat, needs_steps, prepare, read_format


def test_an_empty_or_missing_directory_is_initialised(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "a" / "b"):
        assert read_format(directory) is None
        assert prepare(directory) == read_format(directory) == prepare(directory) == DataFormat(FORMAT, __version__)
        assert not needs_steps(directory)
    assert (tmp_path / "FORMAT").read_text() == f'{{"format":{FORMAT},"created_with":"{__version__}"}}\n'


def test_a_configuration_and_what_a_killed_start_left_do_not_count(tmp_path: Path) -> None:
    for name in ("iati.toml", "writer.lock", ".FORMAT-1234", ".gitkeep"):
        (tmp_path / name).touch()
    assert prepare(tmp_path).format == FORMAT


def test_a_newer_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "FORMAT").write_text('{"format": 99, "created_with": "9.0"}')
    with pytest.raises(DataDirectoryTooNew) as caught:
        prepare(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} has format 99, this version of iati-platform ({__version__}) knows up to {FORMAT}: "
        "install the newer version again, or restore a backup made before it"
    )
    assert read_format(tmp_path) == DataFormat(99, "9.0")


def test_an_older_directory_is_brought_forward_step_by_step_and_goes_on_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "FORMAT").write_text('{"format": 1, "created_with": "0.1"}')
    done: list[int] = []

    def second(directory: Path) -> None:
        done.append(2)
        if done.count(2) == 1:
            raise OSError("disk full")

    steps = {1: lambda directory: done.append(1), 2: second, 3: lambda directory: done.append(3)}
    with pytest.raises(OSError, match="disk full"):
        prepare(tmp_path, steps, current=4)
    assert read_format(tmp_path) == DataFormat(2, "0.1")
    assert prepare(tmp_path, steps, current=4) == DataFormat(4, "0.1")
    assert done == [1, 2, 2, 3]


def test_a_directory_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(DataDirectoryError) as caught:
        prepare(tmp_path)
    assert str(caught.value) == f"{tmp_path} is not a data directory of this platform (it holds thesis.doc): name an empty one or a new one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.doc"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "x", "created_with": "1"}', "\xff"])
def test_a_damaged_format_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "FORMAT").write_text(content, encoding="latin-1")
    with pytest.raises(DataDirectoryError, match="FORMAT is damaged"):
        prepare(tmp_path)


def test_a_file_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirectoryError):
            prepare(path)
