"""Pages about the platform itself: licences and sources, its state, its interfaces."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, distribution, distributions

from iati_platform import __version__, standard
from iati_platform.bulk.events import SessionSummary
from iati_platform.registry.records import Source
from iati_platform.web.cells import Cell, Code, Link, OutLink, Size, State, Tone
from iati_platform.web.parts import Fact, Notice
from iati_platform.web.platform import Platform
from iati_platform.web.tables import Column

DISTRIBUTION = "iati-platform"
REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Section:
    """One headed part of a page of text."""

    title: str
    paragraphs: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Cell]] = ()
    notice: Notice | None = None
    empty: str = ""
    anchor: str = ""


# -- licences --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """A third-party library in use, from its installed metadata."""

    name: str
    version: str
    licence: str
    home: str


def licence_of(metadata: PackageMetadata) -> str:
    """The licence a package states: its SPDX expression, else its classifiers, else the short form of its licence field."""
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    classified = [text.split("::")[-1].strip() for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    named = [text for text in classified if text != "OSI Approved"]
    if named:
        return ", ".join(named)
    stated = str(metadata["License"]).strip() if "License" in metadata else ""
    return stated if stated and len(stated) < 60 and "\n" not in stated else "see its licence file"


def home_of(metadata: PackageMetadata) -> str:
    for entry in metadata.get_all("Project-URL") or []:
        label, _, url = entry.partition(",")
        if label.strip().lower() in ("homepage", "home", "source", "repository", "source code", "code", "github"):
            return str(url.strip())
    return str(metadata["Home-page"]) if "Home-page" in metadata else ""


def libraries() -> list[Library]:
    """What this platform needs to run, with everything that in turn needs; found by following installed requirements."""
    wanted, seen = [DISTRIBUTION], set[str]()
    found: list[Library] = []
    while wanted:
        name = wanted.pop()
        key = name.lower().replace("_", "-")
        if key in seen:
            continue
        seen.add(key)
        try:
            package = distribution(name)
        except ModuleNotFoundError:
            continue
        if key != DISTRIBUTION:
            found.append(Library(package.metadata["Name"], package.version, licence_of(package.metadata), home_of(package.metadata)))
        for text in package.requires or ():
            needed = REQUIREMENT.match(text)
            if needed and "extra ==" not in text:  # what is needed on other systems only is not installed and falls out above
                wanted.append(needed.group())
    if not found:  # running from a checkout without an installed distribution: everything that is importable
        found = [
            Library(package.metadata["Name"], package.version, licence_of(package.metadata), home_of(package.metadata))
            for package in distributions()
        ]
    return sorted(found, key=lambda library: library.name.lower())


def licences() -> list[Section]:
    columns = [Column("name", "Library"), Column("version", "Version"), Column("licence", "Licence"), Column("home", "Home")]
    rows: list[list[Cell]] = [
        [one.name, one.version, one.licence, OutLink(one.home, "project") if one.home else None] for one in libraries()
    ]
    return [
        Section(
            "The data",
            (
                "Every dataset belongs to the organisation that published it and stands under the licence that organisation chose. "
                "The page of each dataset names it, and so does every export, together with the address the data came from. "
                "Where no licence is given, ask the organisation before you use the data for anything but reading.",
            ),
            anchor="data",
        ),
        Section(
            "The IATI Standard",
            (
                "Names, types and order of elements, the codelists, the mappings between both and the rules shipped here derive from "
                "the IATI Standard, published by the International Aid Transparency Initiative.",
                "Changes made: the schemas, codelists and mappings of all versions were brought into compact tables of our own; "
                "explanatory texts were left out; schemas are built again from the tables. Messages, explanations and everything else "
                "you read here were written for this platform. "
                "The platform is not endorsed by IATI.",
            ),
            [
                Fact(
                    "Schemas, codelists, mappings",
                    OutLink("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0"),
                    "© IATI",
                ),
                Fact("Rulesets", "MIT licence", "© IATI"),
                Fact("Source", OutLink("https://iatistandard.org/", "iatistandard.org")),
                Fact("Edition in use", Code(standard.data_version())),
            ],
            anchor="standard",
        ),
        Section(
            "Exchange rates",
            (
                "Conversions use the yearly averages published by the International Monetary Fund in its "
                "International Financial Statistics. "
                "Changes made: the rates were reduced to one value per currency and year, in units per US dollar.",
            ),
            [Fact("Source", OutLink("https://data.imf.org/", "International Monetary Fund"))],
            anchor="rates",
        ),
        Section(
            "This platform",
            ("The platform's own code is free software under the MIT licence.",),
            [Fact("Version", __version__)],
            anchor="platform",
        ),
        Section(
            "Libraries",
            ("It stands on the work of many. These libraries are in use, each under its own licence:",),
            columns=columns,
            rows=rows,
            anchor="libraries",
        ),
    ]


# -- status ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Engine:
    """One engine the platform stands on and whether it answers."""

    name: str
    kind: str
    state: State


SESSION_COLUMNS = (
    Column("started", "Started"),
    Column("took", "Took"),
    Column("checked", "Checked", numeric=True),
    Column("changed", "Changed", numeric=True),
    Column("unchanged", "Unchanged", numeric=True),
    Column("failed", "Failed", numeric=True),
    Column("bytes", "Received", numeric=True),
)


def status(platform: Platform, engines: Sequence[Engine], sessions: Sequence[SessionSummary], sources: Sequence[Source]) -> list[Section]:
    """Generation, engines, latest sessions, sources."""
    generation = platform.generation()
    ill = [engine.name for engine in engines if engine.state.tone is not Tone.GOOD]
    first = (
        Notice(Tone.BAD, "Not everything answers", f"Trouble with: {', '.join(ill)}.")
        if ill
        else Notice(Tone.GOOD, "Everything answers")
        if generation
        else Notice(Tone.INFO, "Everything answers, nothing is published yet", "Data appears after the first refresh.")
    )
    facts = [
        Fact("Version", __version__),
        Fact("Processing code", Code(platform.code_version)),
        Fact("Standard's tables", Code(standard.data_version())),
    ]
    if generation:
        facts = [Fact("Generation", generation.number), Fact("Published", generation.created), *facts]
    rows: list[list[Cell]] = [[engine.name, engine.kind, engine.state] for engine in engines]
    return [
        Section("", notice=first),
        Section("What is published", facts=facts),
        Section("Engines", columns=[Column("name", "Engine"), Column("kind", "Kind"), Column("state", "State")], rows=rows),
        Section("Latest fetch sessions", columns=SESSION_COLUMNS, rows=[session_row(one) for one in sessions], empty="No session yet."),
        Section(
            "Sources of the registry",
            columns=[Column("kind", "Source"), Column("last", "Last import"), Column("state", "State")],
            rows=[_source_row(source) for source in sources],
            empty="No registry has been imported yet.",
        ),
    ]


def session_row(one: SessionSummary) -> list[Cell]:
    if one.ended is None:
        took: Cell = State(Tone.BUSY, "running or interrupted", code="open")
    else:
        seconds = round((one.ended - one.started).total_seconds())
        took = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    return [one.started, took, one.checked, one.changed, one.unchanged, one.failed, Size(one.bytes)]


def _source_row(source: Source) -> list[Cell]:
    # a folder's path is the operator's business: visitors see only that it is one
    spec: Cell = (
        "folder" if source.spec.startswith("/") else OutLink(source.spec) if source.spec.startswith("http") else source.spec.split(":")[0]
    )
    state = (
        State(Tone.WARN, "Refused", source.last_refusal, "refused")
        if source.last_refusal
        else State(Tone.GOOD, "Imported", code="imported")
    )
    return [spec, source.last_import_at, state]


# -- interfaces ------------------------------------------------------------------------------------------------------------------

METHODS = ("get", "post", "put", "patch", "delete")
SYSTEM_TITLES = {"portal": "Portal", "bulk-data": "Bulk Data Service", "validator": "Validator", "datastore": "Datastore"}


def interfaces(systems: frozenset[str], documents: Collection[str]) -> list[Section]:
    """The page `/docs`: OpenAPI documents and what else machines can read; `documents` are the systems that can be read here too."""
    rows: list[list[Cell]] = [
        [
            SYSTEM_TITLES.get(name, name),
            Link("Read", f"/docs/{name}") if name in documents else None,
            Link("OpenAPI document", f"/openapi/{name}.json"),
        ]
        for name in sorted(systems - {"portal"})
    ]
    lists_of: list[list[Cell]] = [
        ["Organisations", Link("/organisations.json", "/organisations.json"), Link("/organisations.csv", "/organisations.csv")],
        ["Datasets", Link("/datasets.json", "/datasets.json"), Link("/datasets.csv", "/datasets.csv")],
    ]
    sections = [
        Section(
            "Interfaces",
            (
                "All interfaces are open: no key, no registration. Times are UTC, texts UTF-8. "
                "Answers carry an ETag; ask again with If-None-Match.",
            ),
            columns=[Column("system", "System"), Column("read", "Description"), Column("file", "For tools")],
            rows=rows,
            empty="No interface is served by this process.",
        ),
        Section(
            "Every list, three ways",
            (
                "Each list and record of these pages is also given as JSON, and each table as CSV: add the ending, "
                "or send an Accept header.",
            ),
            columns=[Column("list", "List"), Column("json", "JSON"), Column("csv", "CSV")],
            rows=lists_of,
        ),
    ]
    if "bulk-data" in systems:
        sections.append(
            Section(
                "Everything at once",
                ("The Bulk Data Service has one ZIP file with all datasets and three indices.",),
                [Fact("Start here", Link("/bulk-data/", "/bulk-data/"))],
            )
        )
    sections.append(
        Section(
            "For operators",
            (),
            [
                Fact("Health", Link("/health", "/health")),
                Fact("Readiness", Link("/ready", "/ready")),
                Fact("Metrics", Link("/metrics", "/metrics")),
            ],
        )
    )
    sections.append(Section("Building pages", (), [Fact("Pattern library", Link("/patterns", "/patterns/"))]))
    return sections


def interface(document: Mapping[str, object]) -> list[Section]:
    """An OpenAPI document as a page: one section per path and method with its parameters."""
    sections: list[Section] = []
    paths = document.get("paths")
    for path, methods in paths.items() if isinstance(paths, Mapping) else ():
        for method in METHODS:
            operation = methods.get(method) if isinstance(methods, Mapping) else None
            if not isinstance(operation, Mapping):
                continue
            parameters = [one for one in operation.get("parameters", ()) if isinstance(one, Mapping)]
            rows: list[list[Cell]] = [
                [Code(str(one.get("name"))), str(one.get("in", "")), "required" if one.get("required") else "optional", _described(one)]
                for one in parameters
            ]
            sections.append(
                Section(
                    f"{method.upper()} {path}",
                    tuple(text for text in (str(operation.get("summary") or ""), str(operation.get("description") or "")) if text),
                    columns=[
                        Column("name", "Parameter"),
                        Column("in", "In"),
                        Column("required", "Needed"),
                        Column("text", "Meaning", wide=True),
                    ],
                    rows=rows,
                )
            )
    return sections


def _described(parameter: Mapping[str, object]) -> str:
    schema = parameter.get("schema")
    kind = str(schema.get("type", "")) if isinstance(schema, Mapping) else ""
    return " ".join(text for text in (str(parameter.get("description") or ""), f"({kind})" if kind else "") if text)
