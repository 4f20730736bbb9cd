"""From lxml elements to light nodes: the hottest loop of the platform.

Measured on a 20 MB file (369,000 elements), as multiples of one plain lxml parse: recursion over `for child in element` 1.5,
`etree.iterwalk` 2.1, cutting the text at "<" and remembering start tags 2.0 to 3.4. Small batches matter more than the form: with
64 kB the tree stays in the second-level cache.
"""

from __future__ import annotations

from typing import Any, Final

from iati_platform.reading.nodes import Node
from iati_platform.standard import ElementSpec

#: lxml's element; its type hints speak of bytes that no parsed document holds.
Element = Any
NO_ATTRIBUTES: Final[dict[str, str]] = {}

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

    def plain(self, element: Element) -> Node:
        """A record that the schema accepts in a text without namespaces: every element is known and only leaves carry text."""
        items = element.items()
        children: list[Node] = []
        _walk(element, self._table, 1, children)
        return (self.record, dict(items) if items else NO_ATTRIBUTES, "", children or (), 0)

    def any(self, element: Element) -> Node:
        """Any record whatever it holds."""
        return self._general(element, self.record, 0)[0]

    def _general(self, element: Element, spec: ElementSpec, ordinal: int) -> tuple[Node, int]:
        items = element.items()
        children: list[Node] = []
        text = "" if spec.text is None else element.text or ""
        following = ordinal + 1
        for child in element:
            tag = child.tag
            known = spec.children.get(tag)
            node, following = self._general(child, known or self._stranger(spec, tag, child.prefix), following)
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


def _walk(parent: Element, table: _Table, ordinal: int, into: list[Node]) -> int:
    """Append the nodes below `parent` to `into`; returns the next free ordinal."""
    add = into.append
    for element in parent:
        spec, has_text, below = table[element.tag]
        items = element.items()
        attributes = dict(items) if items else NO_ATTRIBUTES
        if below is None:
            add((spec, attributes, (element.text or "") if has_text else "", (), ordinal))
            ordinal += 1
        else:
            children: list[Node] = []
            add((spec, attributes, "", children, ordinal))
            ordinal = _walk(element, below, ordinal + 1, children)
    return ordinal
