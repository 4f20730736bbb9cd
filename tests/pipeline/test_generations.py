"""Generations: readers see the old one or the new one, never half of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from iati_platform.pipeline.generations import GenerationError, Generations, link_tree


def publish(generations: Generations, text: str) -> int:
    with generations.build() as building:
        (building.path / "search").mkdir()
        (building.path / "search" / "segment").write_text(text)
        return generations.switch(building, {"datasets": {}, "note": text}).number


def test_an_empty_platform_has_no_generation(tmp_path: Path) -> None:
    assert Generations(tmp_path / "generations").current() is None


def test_readers_follow_the_switch_and_keep_what_they_hold_open(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    publish(generations, "first")
    first = generations.current()
    assert first is not None and first.number == 1
    with (first.path / "search" / "segment").open() as held:
        publish(generations, "second")
        publish(generations, "third")
        assert generations.sweep(keep=1) == [1, 2]
        assert held.read() == "first"
    current = generations.current()
    assert current is not None and (current.number, current.manifest["note"]) == (3, "third")


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    publish(generations, "good")
    with pytest.raises(RuntimeError, match="disk"), generations.build() as building:
        (building.path / "half").write_text("x")
        raise RuntimeError("disk")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000001", "CURRENT"]


def test_a_generation_finished_but_never_switched_to_is_swept(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    publish(generations, "good")
    link_tree(tmp_path / "00000001", tmp_path / "00000002")
    (tmp_path / "00000003.building").mkdir()
    (tmp_path / "00000003.building" / "x").write_text("half")
    assert generations.sweep() == [2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000001", "CURRENT"]


def test_hard_links_share_bytes_and_leave_names_out(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "file").write_text("x")
    (tmp_path / "a" / ".lock").write_text("")
    link_tree(tmp_path / "a", tmp_path / "b", without=frozenset({".lock"}))
    assert (tmp_path / "b" / "deep" / "file").samefile(tmp_path / "a" / "deep" / "file")
    assert not (tmp_path / "b" / ".lock").exists()


def test_a_manifest_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    number = publish(generations, "x")
    manifest = tmp_path / f"{number:08d}" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format":1', '"format":99'))
    with pytest.raises(GenerationError, match="newer version"):
        Generations(tmp_path).current()
