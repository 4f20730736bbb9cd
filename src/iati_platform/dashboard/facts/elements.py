"""Which elements, attributes and codes a file uses, and how often: one visit of every node.

A node is reduced to its *shape* (path and names of its attributes), a shape to a small number. Counting numbers is cheap; paths are
spelled out once per file, when all is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from iati_platform.dashboard.facts.vocabulary import BOOLEANS, XML_LANG
from iati_platform.standard import EVERYWHERE, FileKind, Mapping, mappings

if TYPE_CHECKING:
    from iati_platform.reading import Node

#: Distinct sets of shapes kept before they are folded into the counts: bounds memory where every activity is different.
_PATTERNS: Final = 1_000


class _Shapes(dict[Any, int]):
    """Numbers for shapes in order of appearance. A shape is a path, or a tuple of path and attribute names."""

    __slots__ = ()

    def __missing__(self, shape: Any) -> int:
        number = self[shape] = len(self)
        return number


class ElementCounts:
    """`elements` (records that have a path) and `elements_total` (occurrences), by hierarchy; values of codes and of yes-no attributes."""

    def __init__(self, kind: FileKind | None, version: str) -> None:
        self._shapes = _Shapes()
        self._watched = _watched(kind, version) if kind else {}
        self._inner = {path: names for (path, names) in _inner(kind, version).items()} if kind else {}
        self._kind, self._version = kind, version
        self._totals: dict[str, Counter[int]] = {}
        self._patterns: dict[str, Counter[frozenset[int]]] = {}
        self._elements: dict[str, Counter[str]] = {}
        self._values: Counter[tuple[Any, ...]] = Counter()

    def add(self, node: Node, hierarchy: str) -> None:
        """Count a record and everything below it."""
        shapes, watched, inner = self._shapes, self._watched, self._inner
        numbers: list[int] = []
        values: list[tuple[Any, ...]] = []
        queue = [node]
        for spec, attributes, text, children, _ in queue:
            path = spec.path
            if attributes:
                if "" in attributes.values():
                    attributes = {name: value for name, value in attributes.items() if value}
                numbers.append(shapes[(path, *attributes)])
                if path in watched:
                    values.append((path, text, *map(attributes.get, watched[path])))
                elif XML_LANG in attributes:
                    values.append((EVERYWHERE, attributes[XML_LANG]))
            else:
                numbers.append(shapes[path])
                if text and path in watched:
                    values.append((path, text, *map(attributes.get, watched[path])))
            if children:
                queue += children
                if path in inner:
                    values += _inner_values(path, attributes, children, inner[path])
        self._values.update(values)
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

    def by_hierarchy(self) -> dict[str, dict[str, dict[str, int]]]:
        """{hierarchy: {"elements": {path: records}, "elements_total": {path: occurrences}}}."""
        names = self._names()
        found = {}
        for hierarchy, totals in self._totals.items():
            self._fold(hierarchy)
            total: Counter[str] = Counter()
            for number, count in totals.items():
                for name in names[number]:
                    total[name] += count
            found[hierarchy] = {"elements": dict(self._elements[hierarchy]), "elements_total": dict(total)}
        return found

    def codelist_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/sector/@code (Sector)": {value: occurrences}}: every mapped place, its condition on the vocabulary applied."""
        if self._kind is None:
            return {}
        found: dict[str, Counter[str]] = {}
        by_path: dict[str, list[Mapping]] = {}
        for mapping in _mappings(self._kind, self._version):
            by_path.setdefault(mapping.path, []).append(mapping)
        for key, count in self._values.items():
            path = key[0]
            if path == EVERYWHERE:
                found.setdefault("@xml:lang (Language)", Counter())[key[1]] += count
                continue
            names = self._watched.get(path) or self._inner.get(path.rpartition("/")[0], ())
            attributes = dict(zip(names, key[2:], strict=False))
            if attributes.get(XML_LANG):
                found.setdefault("@xml:lang (Language)", Counter())[attributes[XML_LANG]] += count
            for mapping in by_path.get(path, ()):
                value = key[1].strip() if mapping.attribute is None else attributes.get(mapping.attribute)
                if value and _holds(mapping, attributes):
                    found.setdefault(f"{path}/{mapping.label} ({mapping.codelist})", Counter())[value] += count
        return {name: dict(values) for name, values in sorted(found.items())}

    def boolean_values(self) -> dict[str, dict[str, int]]:
        """{"iati-activity/@humanitarian": {value: occurrences}}."""
        found: dict[str, Counter[str]] = {}
        for key, count in self._values.items():
            attribute = BOOLEANS.get(key[0])
            if attribute is not None:
                value = dict(zip(self._watched[key[0]], key[2:], strict=False)).get(attribute)
                if value:
                    found.setdefault(f"{key[0]}/@{attribute}", Counter())[value] += count
        return {name: dict(values) for name, values in sorted(found.items())}

    def _names(self) -> list[tuple[str, ...]]:
        return [_spell(shape) for shape in self._shapes]

    def _fold(self, hierarchy: str) -> None:
        names = self._names()
        elements = self._elements[hierarchy]
        for pattern, count in self._patterns[hierarchy].items():
            for name in {name for number in pattern for name in names[number]}:
                elements[name] += count
        self._patterns[hierarchy].clear()


def _spell(shape: str | tuple[str, ...]) -> tuple[str, ...]:
    """The element's path and its attributes' paths."""
    if isinstance(shape, str):
        return (shape,)
    return (shape[0], *(f"{shape[0]}/@{name}" for name in shape[1:]))


def _holds(mapping: Mapping, attributes: dict[str, str | None]) -> bool:
    if mapping.vocabulary is None:
        return True
    given = attributes.get(mapping.vocabulary_attribute or "vocabulary")
    return given == mapping.vocabulary or (given is None and mapping.vocabulary_default)


def _inner_values(
    path: str, attributes: dict[str, str], children: Iterable[Node], wanted: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Values of children whose vocabulary stands on the parent (country-budget-items)."""
    found = []
    for spec, own, text, _, _ in children:
        if spec.path in _INNER_PATHS:
            both = own | {f"../{name}": value for name, value in attributes.items()}
            found.append((spec.path, text, *(both.get(name) for name in wanted)))
    return found


@cache
def _mappings(kind: FileKind, version: str) -> tuple[Mapping, ...]:
    return tuple(mapping for mapping in mappings(version) if mapping.path and mapping.path != EVERYWHERE and mapping.kind in (kind, None))


def _is_inner(mapping: Mapping) -> bool:
    return bool(mapping.vocabulary_attribute and mapping.vocabulary_attribute.startswith("../"))


@cache
def _watched(kind: FileKind, version: str) -> dict[str, tuple[str, ...]]:
    """Element path -> attributes whose values are counted together (code with vocabulary, so that conditions can be applied later)."""
    found: dict[str, dict[str, None]] = {path: {name: None} for path, name in BOOLEANS.items() if path.startswith(_RECORDS[kind])}
    for mapping in _mappings(kind, version):
        if not _is_inner(mapping):
            names = found.setdefault(mapping.path, {})
            if mapping.attribute is not None:
                names[mapping.attribute] = None
            if mapping.vocabulary is not None:
                names[mapping.vocabulary_attribute or "vocabulary"] = None
    return {path: (*names, XML_LANG) for path, names in found.items()}


@cache
def _inner(kind: FileKind | None, version: str) -> dict[str, tuple[str, ...]]:
    """Path of the parent -> attributes of the children whose mappings depend on it."""
    found: dict[str, dict[str, None]] = {}
    for mapping in _mappings(kind, version) if kind else ():
        if _is_inner(mapping):
            names = found.setdefault(mapping.path.rpartition("/")[0], {})
            names[mapping.attribute or ""] = None
            names[mapping.vocabulary_attribute or ""] = None
            _INNER_PATHS.add(mapping.path)
    return {path: tuple(names) for path, names in found.items()}


_INNER_PATHS: Final[set[str]] = set()
_RECORDS: Final = {FileKind.ACTIVITIES: "iati-activity", FileKind.ORGANISATIONS: "iati-organisation"}
