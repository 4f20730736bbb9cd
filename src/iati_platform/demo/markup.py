"""XML of the demonstration: elements are built once in the shape of version 2.03 and fitted to the version of their file.

What a version does not know is dropped and children come in the order it prescribes, both read from the standard's element tree; only the
step from 2.x back to 1.05, where texts and codes differ, is spelled out here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from iati_platform.standard import ElementSpec

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SPECIAL = re.compile(r"[&<>]")


@dataclass(slots=True)
class Element:
    """attributes: lxml names to values. text and children exclude each other, as they do in the standard."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, tag: str) -> Element:
        """The first child of that name; KeyError when there is none."""
        for element in self.children:
            if element.tag == tag:
                return element
        raise KeyError(tag)

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.children if element.tag == tag]

    def remove(self, tag: str) -> None:
        self.children = [element for element in self.children if element.tag != tag]


def element(tag: str, /, *children: Element, text: str = "", **attributes: str | None) -> Element:
    """Attribute names are written with underscores (iso_date for iso-date); None leaves an attribute out."""
    named = {name.replace("_", "-"): value for name, value in attributes.items() if value is not None}
    return Element(tag, named, text, list(children))


def narratives(tag: str, texts: dict[str, str], main_language: str, **attributes: str | None) -> Element:
    """An element with one narrative for each language; the main language needs no xml:lang, it is the activity's."""
    lines = [Element("narrative", {} if language == main_language else {XML_LANG: language}, text) for language, text in texts.items()]
    return element(tag, *lines, text="", **attributes)


def fit(source: Element, spec: ElementSpec) -> Element:
    """The element as its version knows it: unknown attributes and children gone, children in order."""
    attributes = {name: value for name, value in source.attributes.items() if name in spec.attributes}
    order = {tag: position for position, tag in enumerate(spec.children)}
    known = sorted((child for child in source.children if child.tag in order), key=lambda child: order[child.tag])
    return Element(source.tag, attributes, source.text, [fit(child, spec.children[child.tag]) for child in known])


def serialise(source: Element, depth: int = 0) -> str:
    """Two blanks for each level, one element a line."""
    lines: list[str] = []
    _write(source, "  " * depth, lines)
    return "\n".join(lines) + "\n"


def _write(source: Element, indent: str, lines: list[str]) -> None:
    tag = source.tag
    attributes = "".join([f' {"xml:lang" if name == XML_LANG else name}="{escape(value)}"' for name, value in source.attributes.items()])
    if source.children:
        lines.append(f"{indent}<{tag}{attributes}>")
        for child in source.children:
            _write(child, indent + "  ", lines)
        lines.append(f"{indent}</{tag}>")
    elif source.text:
        lines.append(f"{indent}<{tag}{attributes}>{escape(source.text)}</{tag}>")
    else:
        lines.append(f"{indent}<{tag}{attributes}/>")


def escape(text: str) -> str:
    if not _SPECIAL.search(text) and '"' not in text:
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


# --- back to version 1.05 ----------------------------------------------------------------------------------------------------------

# Codes that were words or letters before 2.01, by element and attribute.
_EARLIER_CODES: dict[tuple[str, str], dict[str, str]] = {
    ("activity-date", "type"): {"1": "start-planned", "2": "start-actual", "3": "end-planned", "4": "end-actual"},
    ("participating-org", "role"): {"1": "Funding", "2": "Accountable", "3": "Extending", "4": "Implementing"},
    ("transaction-type", "code"): {"1": "IF", "2": "C", "3": "D", "4": "E", "11": "IF"},
    ("sector", "vocabulary"): {"1": "DAC"},
    ("policy-marker", "vocabulary"): {"1": "DAC"},
}


def earlier(source: Element) -> Element:
    """The same element as version 1.05 writes it: texts stand in the element itself, some codes are words."""
    attributes = dict(source.attributes)
    for name, value in source.attributes.items():
        attributes[name] = _EARLIER_CODES.get((source.tag, name), {}).get(value, value)
    texts = [child for child in source.children if child.tag == "narrative"]
    if texts and len(texts) == len(source.children):
        return Element(source.tag, attributes, texts[0].text)
    children = [earlier(child) for child in source.children if child.tag != "narrative"]
    text = texts[0].text if texts else source.text
    if source.tag in {"recipient-country", "provider-org", "receiver-org", "participating-org"}:
        return Element(source.tag, attributes, text)
    return Element(source.tag, attributes, "" if children else text, children)
