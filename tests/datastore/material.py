"""Small files for Datastore tests, and a really built index over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

from iati_platform import reading
from iati_platform.datastore.documents import DocumentsBuilder
from iati_platform.datastore.index import IndexWriter
from iati_platform.datastore.reader import IndexReader
from iati_platform.registry.refs import DatasetRef
from iati_platform.standard import FileKind

INDEXED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NAMESPACE = UUID("6a5f2e4c-0f7b-4a54-9f1c-6f6e4a9b1c11")


def dataset(name: str, content: str = "c") -> DatasetRef:
    """A dataset whose id and hashes follow from its name and `content`."""
    return DatasetRef(
        id=str(uuid5(NAMESPACE, name)),
        short_name=name,
        reporting_org_id=str(uuid5(NAMESPACE, "org")),
        reporting_org_short_name="org",
        content_sha256=content * 64,
        hash_excluding=content * 40,
        licence_id="cc-by",
        source_url=f"https://data.example/{name}.xml",
    )


def documents(data: bytes) -> bytes:
    """The documents section of a file, admission as in the process step."""
    source = reading.read(data)
    builder = DocumentsBuilder(source)
    admissible = source.kind is FileKind.ACTIVITIES and source.version.startswith("2.") and source.version == source.tree_version
    for record in source.records():
        builder.add(record, admissible and record.schema_valid and bool(record.identifier.strip()))
    return builder.finish()


def activities(*bodies: str, version: str = "2.03", attributes: str = "") -> bytes:
    """A file of activities, each given as its inner XML."""
    inner = "\n".join(f"<iati-activity{body if body.startswith(' ') else '>' + body}</iati-activity>" for body in bodies)
    return f'<iati-activities version="{version}" {attributes}>\n{inner}\n</iati-activities>'.encode()


@dataclass
class Activity:
    """A schema-valid activity in a few words."""

    identifier: str
    title: str = "A title"
    titles: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    sectors: tuple[tuple[str, str], ...] = ()
    updated: str = ""
    hierarchy: str = ""
    humanitarian: str = ""
    ref: str = "XX-ORG-1"
    transactions: tuple[tuple[str, str, str, str], ...] = ()
    budgets: tuple[tuple[str, str, str], ...] = ()
    points: tuple[str, ...] = ()
    currency: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def xml(self) -> str:
        """Inner XML with the start tag's attributes in front, as `activities` wants it."""
        names = {
            "last-updated-datetime": self.updated,
            "hierarchy": self.hierarchy,
            "humanitarian": self.humanitarian,
            "default-currency": self.currency,
        }
        attributes = "".join(f' {name}="{value}"' for name, value in names.items() if value)
        titles = "".join(f"<narrative>{escape(text)}</narrative>" for text in (self.title, *self.titles) if text)
        parts = [
            f" {attributes.lstrip()}>",
            f"<iati-identifier>{escape(self.identifier)}</iati-identifier>",
            f'<reporting-org ref="{self.ref}" type="21"><narrative>The organisation</narrative></reporting-org>',
            f"<title>{titles}</title>",
            "<description><narrative>What it does</narrative></description>",
            '<participating-org role="1" ref="XX-ORG-2"/>',
            '<activity-status code="2"/>',
            '<activity-date type="1" iso-date="2020-01-01"/>',
            *(f'<recipient-country code="{code}"/>' for code in self.countries),
            *(f"<location><point><pos>{pos}</pos></point></location>" for pos in self.points),
            *(f'<sector code="{code}" percentage="{percentage}"/>' for code, percentage in self.sectors),
            *(
                f'<budget><period-start iso-date="{start}"/><period-end iso-date="{end}"/>'
                f'<value value-date="{start}">{value}</value></budget>'
                for start, end, value in self.budgets
            ),
            *(
                f'<transaction><transaction-type code="{kind}"/><transaction-date iso-date="{day}"/>'
                f'<value value-date="{day}">{value}</value><description><narrative>{escape(text)}</narrative></description></transaction>'
                for kind, day, value, text in self.transactions
            ),
        ]
        return "".join(parts)


def file_of(*given: Activity, version: str = "2.03") -> bytes:
    return activities(*(one.xml() for one in given), version=version, attributes='generated-datetime="2026-02-01T00:00:00Z"')


def build(directory: Path, files: Iterable[tuple[DatasetRef, bytes]]) -> IndexReader:
    """An index over these datasets, opened."""
    with IndexWriter(directory, memory=0.1, now=INDEXED) as writer:
        for ref, data in files:
            writer.replace(ref, documents(data))
    return IndexReader(directory)
