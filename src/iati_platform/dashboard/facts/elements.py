"""Which elements, attributes and codes a file uses, and how often: one visit of every node.

A node is reduced to its *shape* (place in the tree and names of its attributes), a shape to a small number. Counting numbers is cheap;
paths are spelled out once per file, when all is counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from iati_platform.dashboard.facts.vocabulary import BOOLEANS, XML_LANG
from iati_platform.standard import EVERYWHERE, ElementSpec, FileKind, Mapping, mappings

if TYPE_CHECKING:
    from iati_platform.reading import Node

#: Distinct sets of shapes kept before they are folded into the counts: bounds memory where every activity is different.
_PATTERNS: Final = 1_000
#: Nodes kept before their values are counted.
_WAITING: Final = 4_096


#: What is to be looked at in an element, as bits: xml:lang, code attributes, text that is a code, children whose vocabulary it holds.
_LANGUAGES, _CODES, _TEXTS, _INNER = 1, 2, 4, 8
_SPEC, _ATTRIBUTES, _CHILDREN = itemgetter(0), itemgetter(1), itemgetter(3)
_VALUES = dict[str, str].values


class _Shapes(dict[Any, int]):
    """Numbers for shapes, (spec, attribute names), in order of appearance."""

    __slots__ = ()

    def __missing__(self, shape: Any) -> int:
        number = self[shape] = len(self)
        return number


class _Buckets(dict[ElementSpec, "list[Node] | None"]):
    """Nodes waiting to have their values counted, by spec; None for specs without values of interest. Decided when first met."""

    __slots__ = ("counts",)

    def __init__(self, counts: ElementCounts) -> None:
        super().__init__()
        self.counts = counts

    def __missing__(self, spec: ElementSpec) -> list[Node] | None:
        bucket: list[Node] | None = [] if self.counts.watch(spec) else None
        self[spec] = bucket
        return bucket


class ElementCounts:
    """`elements` (records that have a path) and `elements_total` (occurrences), by hierarchy; values of codes and of yes-no attributes."""

    def __init__(self, kind: FileKind | None, version: str) -> None:
        self._shapes = _Shapes()
        self._watched = _watched(kind, version) if kind else {}
        self._texts = _texts(kind, version) if kind else frozenset[str]()
        self._inner = _inner(kind, version) if kind else {}
        self._buckets = _Buckets(self)
        self._waiting = 0
        self._kind, self._version = kind, version
        self._totals: dict[str, Counter[int]] = {}
        self._patterns: dict[str, Counter[frozenset[int]]] = {}
        self._elements: dict[str, Counter[str]] = {}
        #: By path, or EVERYWHERE for xml:lang: occurrences of a value, or of a tuple of values where several attributes are watched.
        self._values: defaultdict[str, Counter[Any]] = defaultdict(Counter)
        self._text_values: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, node: Node, hierarchy: str) -> None:
        """Count a record and everything below it; empty attributes are not counted.

        Goes level by level with as much as possible inside C loops (map, zip, chain): half the time of a plain loop over the nodes.
        """
        shape, buckets = self._shapes.__getitem__, self._buckets
        numbers: list[int] = []
        level: list[Node] = [node]
        while level:
            attributes = [*map(_ATTRIBUTES, level)]
            if "" in chain.from_iterable(map(_VALUES, attributes)):
                attributes = [own if "" not in own.values() else _without_empty(own) for own in attributes]
            numbers += map(shape, zip(map(_SPEC, level), map(tuple, attributes), strict=True))
            for each in level:
                bucket = buckets[each[0]]
                if bucket is not None:
                    bucket.append(each)
            level = [*chain.from_iterable(map(_CHILDREN, level))]
        self._waiting += len(numbers)
        if self._waiting >= _WAITING:
            self._count_values()
        totals = self._totals.get(hierarchy)
        if totals is None:
            totals = self._totals[hierarchy] = Counter()
            self._patterns[hierarchy] = Counter()
            self._elements[hierarchy] = Counter()
        totals.update(numbers)
        patterns = self._patterns[hierarchy]
        patterns[frozenset(numbers)] += 1
        if len(patterns) >= _PATTERNS:
            self._fold(hierarchy)

    def watch(self, spec: ElementSpec) -> int:
        """What is looked at in elements of this spec, as bits."""
        path = spec.path
        return (
            (_LANGUAGES if XML_LANG in spec.attributes or spec.foreign else 0)
            | (_CODES if path in self._watched else 0)
            | (_TEXTS if path in self._texts else 0)
            | (_INNER if path in self._inner else 0)
        )

    def by_hierarchy(self) -> dict[str, dict[str, int | list[int]]]:
        """{hierarchy: {path: [records, occurrences]}}, or just the number where both are the same."""
        names = self._names()
        found: dict[str, dict[str, int | list[int]]] = {}
        for hierarchy, totals in self._totals.items():
            self._fold(hierarchy)
            total: defaultdict[str, int] = defaultdict(int)
            for number, count in totals.items():
                for name in names[number]:
                    total[name] += count
            elements = self._elements[hierarchy]
            found[hierarchy] = {name: count if elements[name] == count else [elements[name], count] for name, count in total.items()}
        return found

    def codelist_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/sector/@code Sector": {value: occurrences}}: every mapped place, its condition on the vocabulary applied."""
        if self._kind is None:
            return {}
        self._count_values()
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)

        def count(label: str, value: str | None, number: int) -> None:
            if value:
                values = found[label]
                values[value] = values.get(value, 0) + number

        by_path = _by_path(self._kind, self._version)
        for path, counts in self._values.items():
            if path == EVERYWHERE:
                for value, number in counts.items():
                    count(_LANGUAGE, value, number)
                continue
            for mapping, label in by_path.get(path, ()):
                if mapping.attribute is not None:
                    names = self._watched.get(path) or self._inner[path.rpartition("/")[0]]
                    at = names.index(mapping.attribute)
                    vocabulary = names.index(mapping.vocabulary_attribute or "vocabulary") if mapping.vocabulary is not None else None
                    for key, number in counts.items():
                        values = key if len(names) > 1 else (key,)
                        if vocabulary is None or _holds(mapping, values[vocabulary] or None):
                            count(label, values[at], number)
        for path, counts in self._text_values.items():
            for mapping, label in by_path.get(path, ()):
                if mapping.attribute is None:
                    for value, number in counts.items():
                        count(label, value.strip(), number)
        return dict(found)

    def boolean_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/@humanitarian": {value: occurrences}}."""
        self._count_values()
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for path, attribute in BOOLEANS.items():
            if path in self._values:
                names = self._watched[path]
                at = names.index(attribute)
                for key, number in self._values[path].items():
                    value = key[at] if len(names) > 1 else key
                    if value:
                        values = found[f"{path}/@{attribute}"]
                        values[value] = values.get(value, 0) + number
        return dict(found)

    def _count_values(self) -> None:
        """Empty the buckets into the counts, a spec at a time."""
        for spec, nodes in self._buckets.items():
            if not nodes:
                continue
            path, kind = spec.path, self.watch(spec)
            if kind & _LANGUAGES:
                self._values[EVERYWHERE].update([each[1][XML_LANG] for each in nodes if XML_LANG in each[1]])
            if kind & _CODES:
                names = self._watched[path]
                if len(names) == 1:
                    name = names[0]
                    self._values[path].update([each[1].get(name) for each in nodes])
                else:
                    self._values[path].update([tuple(map(each[1].get, names)) for each in nodes])
            if kind & _TEXTS:
                self._text_values[path].update([each[2] for each in nodes])
            if kind & _INNER:
                for each in nodes:
                    for inner, values in _inner_values(each[1], each[3], self._inner[path]):
                        self._values[inner][values] += 1
            nodes.clear()
        self._waiting = 0

    def _names(self) -> list[tuple[str, ...]]:
        return [_spell(shape) for shape in self._shapes]

    def _fold(self, hierarchy: str) -> None:
        names = self._names()
        elements = self._elements[hierarchy]
        for pattern, count in self._patterns[hierarchy].items():
            present = set().union(*[names[number] for number in pattern])
            if count == 1:
                elements.update(present)  # counted in C
            else:
                for name in present:
                    elements[name] += count
        self._patterns[hierarchy].clear()


@lru_cache(maxsize=20_000)
def _spell(shape: tuple[ElementSpec, tuple[str, ...]]) -> tuple[str, ...]:
    """The element's path and its attributes' paths."""
    path = shape[0].path
    return (path, *(f"{path}/@{name}" for name in shape[1]))


def _without_empty(attributes: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value}


def _holds(mapping: Mapping, vocabulary: str | None) -> bool:
    return vocabulary == mapping.vocabulary or (vocabulary is None and mapping.vocabulary_default)


def _inner_values(attributes: dict[str, str], children: Iterable[Node], wanted: Sequence[str]) -> list[tuple[str, tuple[Any, ...]]]:
    """Values of children whose vocabulary stands on the parent (country-budget-items)."""
    outer = {f"../{name}": value for name, value in attributes.items()}
    return [(node[0].path, tuple(map((node[1] | outer).get, wanted))) for node in children if node[0].path in _INNER_PATHS]


@cache
def _mappings(kind: FileKind, version: str) -> tuple[Mapping, ...]:
    return tuple(mapping for mapping in mappings(version) if mapping.path and mapping.path != EVERYWHERE and mapping.kind in (kind, None))


@cache
def _by_path(kind: FileKind, version: str) -> dict[str, tuple[tuple[Mapping, str], ...]]:
    """Mappings by element path, each with the label its values are counted under."""
    found: defaultdict[str, list[tuple[Mapping, str]]] = defaultdict(list)
    for mapping in _mappings(kind, version):
        found[mapping.path].append((mapping, f"{mapping.path}/{mapping.label} {mapping.codelist}"))
    return {path: tuple(each) for path, each in found.items()}


def _is_inner(mapping: Mapping) -> bool:
    return bool(mapping.vocabulary_attribute and mapping.vocabulary_attribute.startswith("../"))


@cache
def _texts(kind: FileKind, version: str) -> frozenset[str]:
    """Paths of elements whose text is a code."""
    return frozenset(mapping.path for mapping in _mappings(kind, version) if mapping.attribute is None)


@cache
def _watched(kind: FileKind, version: str) -> dict[str, tuple[str, ...]]:
    """Element path -> attributes whose values are counted together (code with vocabulary, so that conditions can be applied later)."""
    found: dict[str, dict[str, None]] = {path: {name: None} for path, name in BOOLEANS.items() if path.startswith(_RECORDS[kind])}
    for mapping in _mappings(kind, version):
        if mapping.attribute is not None and not _is_inner(mapping):
            names = found.setdefault(mapping.path, {})
            names[mapping.attribute] = None
            if mapping.vocabulary is not None:
                names[mapping.vocabulary_attribute or "vocabulary"] = None
    return {path: tuple(names) for path, names in found.items()}


@cache
def _inner(kind: FileKind, version: str) -> dict[str, tuple[str, ...]]:
    """Path of the parent -> attributes of the children whose mappings depend on it."""
    found: dict[str, dict[str, None]] = {}
    for mapping in _mappings(kind, version):
        if _is_inner(mapping):
            names = found.setdefault(mapping.path.rpartition("/")[0], {})
            names[mapping.attribute or ""] = None
            names[mapping.vocabulary_attribute or ""] = None
            _INNER_PATHS.add(mapping.path)
    return {path: tuple(names) for path, names in found.items()}


_LANGUAGE: Final = "@xml:lang Language"
_INNER_PATHS: Final[set[str]] = set()
_RECORDS: Final = {FileKind.ACTIVITIES: "iati-activity", FileKind.ORGANISATIONS: "iati-organisation"}
