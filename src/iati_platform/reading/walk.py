"""From lxml elements to light nodes: the hottest loop of the platform.

Measured on a 20 MB file (369,000 elements), as multiples of one plain lxml parse: recursion over `for child in element` 1.5,
`etree.iterwalk` 2.1, cutting the text at "<" and remembering start tags 2.0 to 3.4. Small batches matter more than the form: with
64 kB the tree stays in the second-level cache.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from iati_platform.reading.nodes import Node
from iati_platform.standard import ElementSpec

#: lxml's element; its type hints speak of bytes that no parsed document holds.
Element = Any
NO_ATTRIBUTES: Final[dict[str, str]] = {}

#: Every node below a record by its spec, each list in document order.
Groups = defaultdict[ElementSpec, list[Node]]

#: tag -> (spec, does it carry text, table of its children or None when it has none)
_Table = dict[str, tuple[ElementSpec, bool, "_Table | None"]]


class Walker:
    """Builds nodes for records of one kind. Foreign elements get specs of their own, the same for the same place."""

    def __init__(self, record: ElementSpec, namespaces: dict[str | None, str]) -> None:
        self.record = record
        self._table = _table(record)
        #: Whether `plain` may be used at all: a few elements of 1.03 to 1.05 mix text and children.
        self.has_plain = not any(spec.text is not None and spec.children for spec in record.walk())
        self._foreign: dict[tuple[ElementSpec, str], ElementSpec] = {}
        self._prefixes = {uri: prefix for prefix, uri in namespaces.items() if prefix}

    def plain(self, element: Element) -> tuple[Node, Groups]:
        """A record that the schema accepts in a text without namespaces: every element is known and only leaves carry text."""
        items = element.items()
        children: list[Node] = []
        groups: Groups = defaultdict(list)
        _walk(element, self._table, 1, children, groups)
        return (self.record, dict(items) if items else NO_ATTRIBUTES, "", children or (), 0), groups

    def any(self, element: Element) -> tuple[Node, Groups]:
        """Any record whatever it holds."""
        groups: Groups = defaultdict(list)
        return self._general(element, self.record, 0, groups)[0], groups

    def _general(self, element: Element, spec: ElementSpec, ordinal: int, groups: Groups) -> tuple[Node, int]:
        items = element.items()
        children: list[Node] = []
        text = "" if spec.text is None else element.text or ""
        following = ordinal + 1
        for child in element:
            tag = child.tag
            known = spec.children.get(tag)
            kind = known or self._stranger(spec, tag, child.prefix)
            node, following = self._general(child, kind, following, groups)
            groups[kind].append(node)  # no descendant is of the same kind, so this is document order
            children.append(node)
            if spec.text is not None and child.tail:
                text += child.tail
        return (spec, dict(items) if items else NO_ATTRIBUTES, text, children or (), ordinal), following

    def _stranger(self, parent: ElementSpec, tag: str, prefix: str | None) -> ElementSpec:
        spec = self._foreign.get((parent, tag))
        if spec is None:
            local = tag.rpartition("}")[2]
            uri = tag[1:].rpartition("}")[0]
            prefix = self._prefixes.get(uri, prefix) if uri else None
            label = f"{prefix}:{local}" if prefix else local
            path = f"{parent.path}/{label}" if parent.path else label
            spec = ElementSpec(tag, path, -1, parent, "xsd:string", 0, None, True, True, label)
            self._foreign[parent, tag] = spec
        return spec


def _table(spec: ElementSpec) -> _Table:
    return {tag: (child, child.text is not None, _table(child) if child.children else None) for tag, child in spec.children.items()}


def _walk(parent: Element, table: _Table, ordinal: int, into: list[Node], groups: Groups) -> int:
    """Append the nodes below `parent` to `into` and, by spec, to `groups`; returns the next free ordinal."""
    add = into.append
    for element in parent:
        spec, has_text, below = table[element.tag]
        items = element.items()
        attributes = dict(items) if items else NO_ATTRIBUTES
        if below is None:
            node: Node = (spec, attributes, (element.text or "") if has_text else "", (), ordinal)
            ordinal += 1
            add(node)
            groups[spec].append(node)
        else:
            children: list[Node] = []
            node = (spec, attributes, "", children, ordinal)
            add(node)
            groups[spec].append(node)
            ordinal = _walk(element, below, ordinal + 1, children, groups)
    return ordinal
