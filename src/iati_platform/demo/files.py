"""The files of the demonstration: records put into documents, flaws and faults planted, and what was planted noted."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle

from iati_platform.demo.activities import activity
from iati_platform.demo.defects import DUPLICATE_IDENTIFIER, DUPLICATE_RULE, FAULTS, FLAWS, LATE_FLAWS, Fault, Flaw
from iati_platform.demo.markup import Element, earlier, fit, serialise
from iati_platform.demo.organisation_files import organisation_record
from iati_platform.demo.organisations import Organisation
from iati_platform.demo.projects import Project
from iati_platform.standard import FileKind, element_tree

# Share of activities with a flaw. Who is not named has DEFAULT_FLAWED; a careful publisher and a careless one are worth comparing.
DEFAULT_FLAWED = 0.03
FLAWED: dict[str, float] = {
    "valmora-development": 0.005,
    "meridian-bank": 0.0,
    "almond-foundation": 0.0,
    "lanterns": 0.0,
    "samberie-cooperation": 0.08,
    "humanitarian-logistics": 0.06,
    "manos-del-valle": 0.25,
    "kestrel-advisory": 0.3,
    "sahel-herders": 0.3,
    "jordan-valley-aid": 0.2,
    "open-ledger": 0.5,
}
# Versions in which every flaw means what its row says.
_FLAWED_VERSIONS = {"2.02", "2.03"}


@dataclass(frozen=True, slots=True)
class Planted:
    """One defect as expectations.json tells it. activity: its identifier as published, "" for a whole file."""

    defect: str
    activity: str
    rule: str | None
    schema_valid: bool


@dataclass(slots=True)
class Document:
    """One dataset. data is None when the publisher's server has nothing (or nothing is registered: registered False).

    activities: how many can be read from it, none when it is not readable.
    """

    short_name: str
    organisation: Organisation
    kind: FileKind
    version: str
    data: bytes | None
    activities: int
    readable: bool = True
    schema_valid: bool = True
    registered: bool = True
    planted: list[Planted] = field(default_factory=list)


class Writer:
    """Makes the documents of one demonstration; keeps the round of flaws going over all of them, so that each flaw appears."""

    def __init__(self, seed: int, base: date) -> None:
        self.seed, self.base = seed, base
        self._flaws: Iterator[Flaw] = cycle((*FLAWS, *LATE_FLAWS))

    def activities(self, short_name: str, organisation: Organisation, projects: list[Project], fault: str | None = None) -> Document:
        """A file of activities. With a fault the file has no flaws of its own, so that each file shows one thing."""
        rng = random.Random(f"{self.seed}/{short_name}")
        version = organisation.version
        spec = element_tree(version, FileKind.ACTIVITIES).children["iati-activity"]
        document = Document(short_name, organisation, FileKind.ACTIVITIES, version, None, len(projects))
        share = FLAWED.get(organisation.short_name, DEFAULT_FLAWED) if version in _FLAWED_VERSIONS and fault is None else 0.0
        texts = []
        for project in projects:
            made = activity(project, rng, self.base)
            flaw = self._plant(made, FLAWS) if rng.random() < share else None
            fitted = fit(earlier(made) if version.startswith("1.") else made, spec)
            if flaw in LATE_FLAWS:
                flaw.plant(fitted, self.base)
            if flaw is not None:
                identifier = fitted.child("iati-identifier").text
                document.planted.append(Planted(flaw.name, identifier, flaw.rule, flaw.schema_valid))
                document.schema_valid &= flaw.schema_valid
            texts.append(serialise(fitted, 1))
            if flaw is None and share >= 0.2 and rng.random() < 0.04:
                document.planted.append(Planted(DUPLICATE_IDENTIFIER, project.identifier, DUPLICATE_RULE, True))
                texts.append(serialise(copy.deepcopy(fitted), 1))
                document.activities += 1
        self._finish(document, "".join(texts), FAULTS[fault] if fault else None, rng)
        return document

    def organisation(self, short_name: str, organisation: Organisation) -> Document:
        version = organisation.version
        spec = element_tree(version, FileKind.ORGANISATIONS).children["iati-organisation"]
        document = Document(short_name, organisation, FileKind.ORGANISATIONS, version, None, 0)
        record = fit(organisation_record(organisation, self.base), spec)
        self._finish(document, serialise(record, 1), None, random.Random(f"{self.seed}/{short_name}"))
        return document

    def _plant(self, made: Element, early: tuple[Flaw, ...]) -> Flaw:
        """The next flaw of the round that this activity can have. Late ones fit every activity and are planted by the caller."""
        for flaw in self._flaws:
            if flaw not in early or flaw.plant(made, self.base):
                return flaw
        raise AssertionError("the round of flaws has no end")

    def _finish(self, document: Document, records: str, fault: Fault | None, rng: random.Random) -> None:
        generated = self.base - timedelta(days=rng.randint(0, 30))
        root = document.kind.value
        root_tag = f'<{root} version="{document.version}" generated-datetime="{generated.isoformat()}T03:15:00Z">'
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n{root_tag}\n{records}</{root}>\n'
        if fault is None:
            document.data = text.encode()
            return
        document.data = fault.spoil(text)
        document.readable, document.schema_valid = fault.readable, fault.schema_valid
        if not fault.readable:
            document.activities = 0
        document.planted.append(Planted(fault.name, "", fault.rule, fault.schema_valid))
