"""What writer and reader of the index agree on: the format mark and how datasets are numbered."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Final

from iati_platform.datastore.schema import INDEX_FORMAT

FORMAT_FILE: Final = "format"


def dataset_key(dataset_id: str) -> int:
    """64 bits that stand for a dataset; activity n of its file has this key plus n."""
    return int.from_bytes(blake2b(dataset_id.encode(), digest_size=8).digest(), "big")


def is_current(directory: Path) -> bool:
    """Whether `directory` holds an index of the format this code writes and reads."""
    file = directory / FORMAT_FILE
    return file.is_file() and file.read_text() == str(INDEX_FORMAT)
