"""Original XML of activities: cut out of the stored file by the byte offsets the index keeps, never serialised again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iati_platform.datastore.select import Result
from iati_platform.reading.intake import take_in

if TYPE_CHECKING:
    from iati_platform.storage.content import ContentStore


def add_originals(contents: ContentStore, result: Result) -> None:
    """Put `iati_xml` into the documents of a page of activities; each file is read once. A file that is gone gives no `iati_xml`."""
    texts: dict[str, bytes | None] = {}
    for found in result.found:
        sha256 = str(found.activity.dataset["content"])
        if sha256 not in texts:
            texts[sha256] = _text(contents, sha256)
        text = texts[sha256]
        if text is not None:
            found.document["iati_xml"] = text[found.activity.start : found.activity.end].decode("utf-8", "replace")


def _text(contents: ContentStore, sha256: str) -> bytes | None:
    """The file as the UTF-8 text that the offsets count in."""
    try:
        data = contents.read(sha256)
    except KeyError:
        return None
    return take_in(data).data
