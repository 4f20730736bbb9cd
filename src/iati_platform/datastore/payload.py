"""The returned side of a document: from the payload JSON of an activity to the fields of an activity, transaction or budget.

Transactions and budgets keep no copy of anything: they are the n-th entry of their activity's payload, and what they inherit is composed
here, when it is read (spec/datastore.md §5.5, §12.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from typing import Any, Final

import orjson

from iati_platform.datastore.fields import Collection, field_model
from iati_platform.datastore.fragments import names_by_key

Document = dict[str, Any]
_PARTS: Final = {Collection.TRANSACTION: "t", Collection.BUDGET: "b"}


@dataclass(frozen=True, slots=True)
class StoredActivity:
    """What the index keeps of an activity: whose it is (`dataset`, as spliced by the index writer) and its payload."""

    id: str
    dataset: Mapping[str, Any]
    indexed: str
    admitted: bool
    payload: Mapping[str, Any]

    @property
    def start(self) -> int:
        """Byte offset of the element in the file's UTF-8 text."""
        return int(self.payload["s"])

    @property
    def end(self) -> int:
        return int(self.payload["e"])

    @property
    def schema_valid(self) -> bool:
        return bool(self.payload["v"])

    def document(self) -> Document:
        """All returned fields of the activity, `iati_xml` and `iati_json` left out."""
        values: dict[str, list[Any]] = {}
        _add(values, self.payload["a"])
        for part in _PARTS.values():
            for one in self.payload.get(part, ()):
                _add(values, one)
        return self._platform(self.id) | _shaped(values)

    def part(self, collection: Collection, ordinal: int) -> Document:
        """All returned fields of one transaction or budget: the activity's without those of its kind, and its own."""
        values: dict[str, list[Any]] = {}
        _add(values, self.payload["a"])
        for kind, part in _PARTS.items():
            if kind is not collection:
                for one in self.payload.get(part, ()):
                    _add(values, one)
        _add(values, self.payload[_PARTS[collection]][ordinal])
        return self._platform(self.part_id(collection, ordinal)) | _shaped(values)

    def part_id(self, collection: Collection, ordinal: int) -> str:
        return part_id(self.dataset["id"], self.dataset["hash"], self.id, collection, ordinal)

    def own(self, names: Iterable[str]) -> Document:
        """A few of the activity's own fields (not those of transactions and budgets), without composing the rest."""
        wanted = {key: name for key, name in names_by_key().items() if name in set(names)}
        values: dict[str, list[Any]] = {}
        _add(values, {key: value for key, value in self.payload["a"].items() if key in wanted})
        return _shaped(values)

    def _platform(self, identity: str) -> Document:
        fields: Document = {"id": identity, "indexed_datetime": self.indexed, "iati_activities_document_id": self.dataset["id"]}
        if self.dataset["hash"]:
            fields["iati_activities_document_hash"] = self.dataset["hash"]
        identifier = self.payload["a"].get(_identifier_key())
        if identifier:
            fields["iati_identifier_exact"] = identifier if isinstance(identifier, str) else identifier[0]
        return fields


def part_id(dataset_id: str, content_hash: str, activity_id: str, collection: Collection, ordinal: int) -> str:
    """The id of a transaction or budget: 40 hex digits that change with the dataset's content."""
    text = f"{dataset_id}|{content_hash}|{activity_id}|{collection.value}|{ordinal}"
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def parse_payload(text: str) -> dict[str, Any]:
    """The JSON under `_doc`."""
    payload: dict[str, Any] = orjson.loads(text)
    return payload


@cache
def _identifier_key() -> str:
    return f"f{field_model()['iati_identifier'].number}"


def _add(values: dict[str, list[Any]], more: Mapping[str, Any]) -> None:
    names = names_by_key()
    for key, value in more.items():
        name = names.get(key) or key.removeprefix("+")
        if isinstance(value, list):
            values.setdefault(name, []).extend(value)
        else:
            values.setdefault(name, []).append(value)


def _shaped(values: Mapping[str, list[Any]]) -> Document:
    """Lists for multi-valued fields, scalars for single ones, no lone empty text (spec §5.4 rule 5)."""
    model = field_model()
    document: Document = {}
    for name, many in values.items():
        if many == [""]:
            continue
        field = model.get(name)
        document[name] = many[0] if field is not None and not field.multi and len(many) == 1 else many
    return document
