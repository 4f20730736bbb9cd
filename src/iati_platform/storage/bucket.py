"""The object store in a bucket: S3, Google Cloud Storage or Azure Blob Storage through obstore.

Credentials come from where each cloud's own tools take them (environment, instance profile); options such as an
`endpoint` of an S3-compatible service stand in the query of the URL: `s3://bucket/prefix?endpoint=http://…&region=…`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from iati_platform.storage.objects import ObjectMissing, ObjectStoreError

_Answer = TypeVar("_Answer")


class BucketBackend:
    """Objects below the prefix the URL names. The services' own puts are atomic and durable."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        bare = parts._replace(query="", fragment="").geturl()
        options = dict(parse_qsl(parts.query))
        plain = options.get("endpoint", "").startswith("http://")
        try:
            # The options' names are obstore's own; it refuses the ones it does not know.
            store = from_url(bare, config=options, client_options={"allow_http": plain})  # type: ignore[call-overload]
        except Exception as error:
            raise ObjectStoreError(f"{bare} cannot be opened: {_first_line(error)}") from error
        if not isinstance(store, AzureStore | GCSStore | S3Store):
            raise ObjectStoreError(f"{bare}: not a bucket")
        self._store = store
        self._name = bare

    def put(self, key: str, data: bytes) -> None:
        self._call(key, lambda: obstore.put(self._store, key, data))

    def get(self, key: str) -> bytes:
        return self._call(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if length == 0:
            self._call(key, lambda: obstore.head(self._store, key))
            return b""
        size = self.size(key)
        if size is None:
            raise ObjectMissing(key)
        if start >= size:
            return b""
        return self._call(key, lambda: bytes(obstore.get_range(self._store, key, start=start, length=min(length, size - start))))

    def size(self, key: str) -> int | None:
        try:
            return self._call(key, lambda: int(obstore.head(self._store, key)["size"]))
        except ObjectMissing:
            return None

    def delete(self, key: str) -> None:
        with suppress(ObjectMissing):
            self._call(key, lambda: obstore.delete(self._store, key))

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        for batch in self._call(prefix, lambda: obstore.list(self._store, f"{prefix}/" if prefix else None)):
            for entry in batch:
                yield entry["path"], int(entry["size"])

    def local_path(self, key: str) -> Path | None:
        return None

    def flush(self) -> None:
        return None

    def sweep(self) -> int:
        return 0

    def _call(self, key: str, operation: Callable[[], _Answer]) -> _Answer:
        try:
            return operation()
        except FileNotFoundError:
            raise ObjectMissing(key) from None
        except Exception as error:
            raise ObjectStoreError(f"{self._name}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
