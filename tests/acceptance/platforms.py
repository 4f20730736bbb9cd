"""Small real platforms for acceptance tests: a demonstration registry in a folder, the real command in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx

from iati_platform import demo
from iati_platform.app import create_app
from iati_platform.pipeline.house import House, open_house
from iati_platform.settings import load_settings

#: Organisations of the demonstration that together show whole, broken and unusual files.
FEW = ("teralund-partnership", "tumaini-health", "samberie-cooperation", "hartwell-trust")


def environment(**settings: str) -> dict[str, str]:
    """The environment of a command: ours without IATI_ settings of the outside, a fixed day, a small pool."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IATI_")}
    return {**kept, "IATI_TODAY": "2026-11-01", "IATI_WORKERS": "2", **settings}


def iati(
    *arguments: str, data_dir: Path | None, check: bool = True, timeout: float = 300, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run `iati ARGUMENTS --data-dir DIR` for real."""
    command = [sys.executable, "-m", "iati_platform.cli", *arguments, *(["--data-dir", str(data_dir)] if data_dir else [])]
    done = subprocess.run(command, env=environment(**settings), text=True, capture_output=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def refresh(data_dir: Path, *arguments: str, **settings: str) -> dict[str, Any]:
    """One cycle; its summary."""
    summary: dict[str, Any] = json.loads(iati("refresh", "--json", *arguments, data_dir=data_dir, **settings).stdout)
    return summary


def house_of(data_dir: Path, **settings: str) -> House:
    """The data directory opened in this process."""
    return open_house(load_settings({"IATI_TODAY": "2026-11-01", "IATI_WORKERS": "2", **settings}, data_dir))


@contextmanager
def client(house: House) -> Iterator[Callable[..., httpx.Response]]:
    """The whole platform as its users reach it, in this process: call with a path and httpx's options."""
    transport = httpx.ASGITransport(create_app(house))

    async def ask(path: str, options: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as session:
            return await session.get(path, **options)

    yield lambda path, **options: anyio.run(ask, path, options)


def write_registry(folder: Path, *, scale: float = 0.2, only: tuple[str, ...] | None = FEW) -> Path:
    """A small demonstration registry."""
    demo.write(folder, scale=scale, only=only)
    return folder


def change_registry(folder: Path) -> dict[str, int]:
    """The next day: a tenth of the files changed, one broken, one gone, one new. Deterministic."""
    document = json.loads((folder / "registry.json").read_text())
    datasets = [d for d in document["datasets"] if d["path"] and (folder / d["path"]).is_file()]
    good = [
        d for d in datasets if (folder / d["path"]).read_bytes()[:60].find(b"<?xml") == 0 and (folder / d["path"]).stat().st_size > 4000
    ]
    for dataset in good[: max(2, len(good) // 10)]:
        file = folder / dataset["path"]
        file.write_bytes(file.read_bytes().replace(b"</title>", b"<!-- edited --></title>", 1))
    broken = folder / good[-1]["path"]
    broken.write_bytes(broken.read_bytes()[:-40])
    gone = good[-2]
    document["datasets"] = [d for d in document["datasets"] if d["id"] != gone["id"]]
    copy = dict(good[0], id="00000000-0000-4000-8000-000000000001", short_name=good[0]["short_name"] + "-again", path="data/again.xml")
    shutil.copyfile(folder / good[0]["path"], folder / "data" / "again.xml")
    document["datasets"].append(copy)
    (folder / "registry.json").write_text(json.dumps(document))
    return {"datasets": len(document["datasets"])}
