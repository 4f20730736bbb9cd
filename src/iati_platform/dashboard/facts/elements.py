"""Which elements, attributes and codes a file uses, and how often: in columns, one look at every kind of element of a record.

A record has some 150 nodes of 45 kinds, and most kinds occur once. Nothing of the nodes is kept but attribute values, so that the nodes
can be freed while the processor still has them at hand: measured, looking at 120 kB of records at a time makes the facts a quarter dearer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Lookup
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from iati_platform.dashboard.facts.vocabulary import BOOLEANS, XML_LANG
from iati_platform.standard import EVERYWHERE, ElementSpec, FileKind, Mapping, mappings

if TYPE_CHECKING:
    from iati_platform.reading import Node, Record

#: Bytes of records whose values wait to be counted: bounds memory.
_WAITING: Final = 500_000

#: Path of an element and name of an attribute.
_Place = tuple[str, str]
#: (path, records that have it, occurrences)
_Counted = tuple[str, int, int]
_Joint = tuple[str | None, ...]


class _Places:
    """The mappings of one kind of file of one version, by where they look. Labels are what values are counted under.

    `labels`: of (element path, attribute) without a condition; `conditional`: (mapping, label, position of the code and position of the
    vocabulary in `joint`) by element path; `joint`: attributes counted together, by path; `inner`: the same where the vocabulary stands on
    the parent, by path of the parent and path; `texts`: of elements whose text is a code.
    """

    def __init__(self, kind: FileKind, version: str) -> None:
        self.labels: defaultdict[_Place, list[str]] = defaultdict(list)
        self.texts: defaultdict[str, list[str]] = defaultdict(list)
        self.joint: dict[str, tuple[str, ...]] = {}
        self.inner: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        self.conditional: defaultdict[str, list[tuple[Mapping, str, int, int]]] = defaultdict(list)
        self.plans: dict[ElementSpec, _Plan] = {}
        attributes: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.labels[_LANGUAGE] = ["@xml:lang Language"]
        for mapping in mappings(version):
            path, attribute = mapping.path, mapping.attribute
            if not path or path == EVERYWHERE or mapping.kind not in (kind, None):
                continue
            label = f"{path}/{mapping.label} {mapping.codelist}"
            if attribute is None:
                self.texts[path].append(label)
            elif mapping.vocabulary is None:
                self.labels[path, attribute].append(label)
            else:
                together, vocabulary = attributes[path], mapping.vocabulary_attribute or "vocabulary"
                together |= {attribute: None, vocabulary: None}
                names = list(together)
                self.conditional[path].append((mapping, label, names.index(attribute), names.index(vocabulary)))
        for path, together in attributes.items():
            if any(name.startswith("../") for name in together):
                self.inner[path.rpartition("/")[0]][path] = tuple(together)
            else:
                self.joint[path] = tuple(together)

    def plan(self, spec: ElementSpec) -> _Plan:
        """Kept for elements of the Standard; foreign ones belong to one file."""
        plan = self.plans.get(spec)
        if plan is None:
            plan = _Plan(spec, self)
            if not spec.foreign:
                self.plans[spec] = plan
        return plan


class _Plan:
    """What is looked at in elements of one kind besides their number: `places` counts values, by attribute; `language`: xml:lang too;
    `joint`, `inner` and `text` as in `_Places`, `special`: any of these."""

    __slots__ = ("inner", "joint", "language", "path", "places", "special", "text")

    def __init__(self, spec: ElementSpec, places: _Places) -> None:
        path = self.path = spec.path
        self.places = {name: (at, name) for at, name in (*places.labels, *BOOLEANS.items()) if at == path}
        self.language = XML_LANG in spec.attributes or spec.foreign
        self.joint = places.joint.get(path, ())
        self.inner = places.inner.get(path)
        self.text = path in places.texts
        self.special = bool(self.joint or self.inner or self.text)


class _Column:
    """Elements of one kind in the records of one hierarchy: `total` elements in `records` records. `found`: values by attribute, waiting
    to be counted; `counted`: how many were, `more`: how many of these were not the first of their record."""

    __slots__ = ("counted", "found", "more", "plan", "records", "special", "total")

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.special = plan.special
        self.records = self.total = 0
        self.found: defaultdict[str, list[str]] = defaultdict(list)
        self.counted: dict[str, int] = {}
        self.more: dict[str, int] = {}

    def add(self, nodes: Sequence[Node]) -> None:
        """Several elements of one record. Nearly always they all have the same attributes, none of them empty."""
        number = len(nodes)
        self.total += number
        attributes = [each[1] for each in nodes]
        first = attributes[0]
        if sum(map(len, attributes)) != len(first) * number:
            self._add_different(attributes)
        elif first:
            found, more = self.found, self.more
            name = ""
            try:
                for name in first:
                    values = [own[name] for own in attributes]
                    if "" in values:
                        raise KeyError
                    found[name] += values
                    more[name] = more.get(name, 0) + number - 1
            except KeyError:
                done = list(first)
                self._add_different(attributes, done[: done.index(name)])

    def _add_different(self, attributes: Sequence[dict[str, str]], done: Sequence[str] = ()) -> None:
        for name in set().union(*attributes).difference(done):
            values = [value for own in attributes if (value := own.get(name))]
            if values:
                self.found[name] += values
                self.more[name] = self.more.get(name, 0) + len(values) - 1

    def counts(self) -> list[_Counted]:
        path, more = self.plan.path, self.more
        found = [(path, self.records, self.total)]
        found += [(f"{path}/@{name}", total - more.get(name, 0), total) for name, total in self.counted.items()]
        return found


class ElementCounts:
    """`elements` (records that have a path) and `elements_total` (occurrences), by hierarchy; values of codes and of yes-no attributes."""

    def __init__(self, kind: FileKind | None, version: str) -> None:
        self._places = _places(kind or FileKind.ACTIVITIES, version)
        self._columns: dict[str, dict[ElementSpec, _Column]] = {}
        self._known: set[ElementSpec] = set()
        self._below: defaultdict[str, dict[str, ElementSpec]] = defaultdict(dict)
        #: Elements of several namespaces may be spelled alike: then, how many times a record held more than one spelled so.
        self._alike = False
        self._twice: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._waiting = 0
        self._values: defaultdict[_Place, Counter[str]] = defaultdict(Counter)
        self._joint: defaultdict[str, Counter[_Joint]] = defaultdict(Counter)
        self._texts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, record: Record, hierarchy: str) -> None:
        """Count a record and everything below it; empty attributes are not counted."""
        node, by_spec = record.node, record.by_spec
        if not self._known.issuperset(by_spec):
            self._meet(by_spec)
            self._alike = len({spec.path for spec in self._known}) < len(self._known)
        if self._alike:
            self._twice[hierarchy].update(_spelled_alike(by_spec))
        columns = self._columns.get(hierarchy)
        if columns is None:
            columns = self._columns[hierarchy] = {}
        for spec, nodes in chain(((node[0], (node,)),), by_spec.items()):
            column = columns.get(spec)
            if column is None:
                column = columns[spec] = _Column(self._places.plan(spec))
            column.records += 1
            if len(nodes) == 1:
                column.total += 1
                own = nodes[0][1]
                if own:
                    found = column.found
                    for name, value in own.items():
                        if value:
                            found[name].append(value)
            else:
                column.add(nodes)
            if column.special:
                self._count_special(column.plan, nodes)
        self._waiting += record.end - record.start
        if self._waiting >= _WAITING:
            self._count_values()

    def below(self, path: str) -> Lookup[str, ElementSpec]:
        """The kinds of children met in elements with this path, by name; foreign ones too."""
        return self._below[path]

    def _meet(self, specs: Iterable[ElementSpec]) -> None:
        for spec in specs:
            self._known.add(spec)
            if spec.parent is not None:
                self._below[spec.parent.path][spec.name] = spec

    def by_hierarchy(self) -> dict[str, dict[str, int | list[int]]]:
        """{hierarchy: {path: [records, occurrences]}}, or just the number where both are the same."""
        self._count_values()
        result: dict[str, dict[str, int | list[int]]] = {}
        for hierarchy, columns in self._columns.items():
            found = [counted for column in columns.values() for counted in column.counts()]
            if self._alike:
                found = _together(found, self._twice[hierarchy])
            result[hierarchy] = {path: total if records == total else [records, total] for path, records, total in found}
        return result

    def codelist_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/sector/@code Sector": {value: occurrences}}: every mapped place, its condition on the vocabulary applied."""
        self._count_values()
        places = self._places
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for place, counts in self._values.items():
            for label in places.labels.get(place, ()):
                found[label] |= counts
        for path, joint in self._joint.items():
            for mapping, label, at, vocabulary_at in places.conditional[path]:
                for values, number in joint.items():
                    value = values[at]
                    if value and _holds(mapping, values[vocabulary_at] or None):
                        found[label][value] = found[label].get(value, 0) + number
        for path, counts in self._texts.items():
            for label in places.texts[path]:
                for value, number in counts.items():
                    if trimmed := value.strip():
                        found[label][trimmed] = found[label].get(trimmed, 0) + number
        return dict(found)

    def boolean_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/@humanitarian": {value: occurrences}}."""
        self._count_values()
        found = [(f"{path}/@{name}", self._values.get((path, name))) for path, name in BOOLEANS.items()]
        return {label: dict(counts) for label, counts in found if counts}

    def _count_special(self, plan: _Plan, nodes: Sequence[Node]) -> None:
        """Values that only mean something together, and texts."""
        if plan.joint:
            joint = self._joint[plan.path]
            for each in nodes:
                joint[tuple(map(each[1].get, plan.joint))] += 1
        if plan.text:
            self._texts[plan.path].update([each[2] for each in nodes])
        if plan.inner:
            for each in nodes:
                outer = {f"../{name}": value for name, value in each[1].items()}
                for child in each[3]:
                    if child[0].path in plan.inner:
                        self._joint[child[0].path][tuple(map((child[1] | outer).get, plan.inner[child[0].path]))] += 1

    def _count_values(self) -> None:
        """Count the values that wait."""
        languages: list[str] = []
        for columns in self._columns.values():
            for column in columns.values():
                counted, places = column.counted, column.plan.places
                for name, values in column.found.items():
                    counted[name] = counted.get(name, 0) + len(values)
                    if name in places:
                        self._values[places[name]].update(values)
                    if name == XML_LANG and column.plan.language:
                        languages += values
                column.found.clear()
        if languages:
            self._values[_LANGUAGE].update(languages)
        self._waiting = 0


_places = cache(_Places)
_LANGUAGE: Final = (EVERYWHERE, XML_LANG)


def _holds(mapping: Mapping, vocabulary: str | None) -> bool:
    return vocabulary == mapping.vocabulary or (vocabulary is None and mapping.vocabulary_default)


def _spelled_alike(by_spec: Lookup[ElementSpec, Sequence[Node]]) -> list[str]:
    """Paths of elements and attributes that a record has under more than one spec, once for each spec after the first."""
    seen: set[str] = set()
    again: list[str] = []
    for spec, nodes in by_spec.items():
        names = {spec.path, *(f"{spec.path}/@{name}" for node in nodes for name, value in node[1].items() if value)}
        again += names & seen
        seen |= names
    return again


def _together(counts: Sequence[_Counted], twice: Counter[str]) -> list[_Counted]:
    """Counts of elements that are spelled alike, as one."""
    records, totals = Counter[str](), Counter[str]()
    for path, number, total in counts:
        records[path] += number
        totals[path] += total
    return [(path, records[path] - twice[path], total) for path, total in totals.items()]
