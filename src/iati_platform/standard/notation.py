"""The compact notation in which the structure of the Standard's files is kept: one line per thing, indentation is containment.

    element other-identifier          a global element with the type described below it
      :sequence                       content model: `:sequence`, `:choice`; `:mixed` allows text between the children
        owner-org?                    a local element; ? * + {2,5} say how often, nothing means once
          :sequence
            &narrative*               a reference to a global element
            ~*                        any element of another namespace (validated only if a declaration is known: "lax")
          @ref xsd:string             an attribute with its type; `!` after the name: required
          @~                          any attribute of another namespace, likewise lax
        ~*
      @&xml:lang                      a reference to a global attribute
      @+texts                         a reference to a group of attributes
    type $currency                    a named type, used as `value $currency`
      :text xsd:decimal               text of that simple type and no children
    type $link-2                      `:extends $link`: all of that type, then what follows
    attributes texts                  a named group of attributes
    attribute code xsd:string         a global attribute
    element note                      an element with neither a type nor lines below it: anything goes

Written by `tools/build_standard.py`, read by `elements` (the tree) and `schemas` (XML Schema). See docs/decisions on the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a line of the notation stands for."""

    ELEMENT = "element"
    ELEMENT_REFERENCE = "&"
    OTHER_ELEMENTS = "~"
    SEQUENCE = ":sequence"
    CHOICE = ":choice"
    MIXED = ":mixed"
    EMPTY = ":empty"
    TEXT = ":text"
    EXTENDS = ":extends"
    TYPE = "type"
    ATTRIBUTE = "@"
    ATTRIBUTE_REFERENCE = "@&"
    ATTRIBUTE_GROUP = "attributes"
    ATTRIBUTE_GROUP_REFERENCE = "@+"
    OTHER_ATTRIBUTES = "@~"


@dataclass(frozen=True, slots=True)
class Part:
    """One line with the lines below it. `type`: "xsd:…" built in, "$…" a named type, "" none. `most` None: without bound."""

    kind: Kind
    name: str = ""
    type: str = ""
    least: int = 1
    most: int | None = 1
    required: bool = False
    parts: tuple[Part, ...] = ()


_OCCURRENCE = {"": (1, 1), "?": (0, 1), "*": (0, None), "+": (1, None)}
_OCCURRENCE_SIGN: dict[tuple[int, int | None], str] = {v: k for k, v in _OCCURRENCE.items()}
_OCCURS = re.compile(r"(.*?)(\?|\*|\+|\{(\d+),(\d*)\})?")
_WORDS = {kind.value: kind for kind in (Kind.SEQUENCE, Kind.CHOICE)}
_TYPED_WORDS = {kind.value: kind for kind in (Kind.MIXED, Kind.EMPTY, Kind.TEXT, Kind.EXTENDS)}
_GLOBAL_WORDS = {"element": Kind.ELEMENT, "type": Kind.TYPE, "attributes": Kind.ATTRIBUTE_GROUP, "attribute": Kind.ATTRIBUTE}


class NotationError(ValueError):
    """A table that does not follow the notation; names the line."""


def parse(text: str) -> tuple[Part, ...]:
    """The global parts of one table, in order. Lines that are empty or start with # are skipped."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    parts, rest = _block(lines, 0, 0)
    if rest != len(lines):
        raise NotationError(f"line {lines[rest][0]}: indentation")
    return tuple(parts)


def _block(lines: list[tuple[int, str]], at: int, depth: int) -> tuple[list[Part], int]:
    parts: list[Part] = []
    while at < len(lines):
        number, line = lines[at]
        body = line.lstrip(" ")
        if len(line) - len(body) != 2 * depth:
            break
        children, after = _block(lines, at + 1, depth + 1)
        try:
            parts.append(_part(body.split(" "), depth == 0, tuple(children)))
        except (ValueError, LookupError) as error:
            raise NotationError(f"line {number}: {error}") from error
        at = after
    return parts, at


def _part(words: list[str], is_global: bool, parts: tuple[Part, ...]) -> Part:
    head, tail = words[0], (words[1] if len(words) > 1 else "")
    if is_global:
        return Part(_GLOBAL_WORDS[head], tail, words[2] if len(words) > 2 else "", parts=parts)
    if head in _TYPED_WORDS:
        return Part(_TYPED_WORDS[head], type=tail)
    if head == "@~":
        return Part(Kind.OTHER_ATTRIBUTES)
    if head.startswith("@+"):
        return Part(Kind.ATTRIBUTE_GROUP_REFERENCE, head[2:])
    if head.startswith("@"):
        name, required = (head[1:-1], True) if head.endswith("!") else (head[1:], False)
        if name.startswith("&"):
            return Part(Kind.ATTRIBUTE_REFERENCE, name[1:], required=required)
        return Part(Kind.ATTRIBUTE, name, tail, required=required)
    name, least, most = _occurs(head)
    if name in _WORDS:
        return Part(_WORDS[name], least=least, most=most, parts=parts)
    if name == "~":
        return Part(Kind.OTHER_ELEMENTS, least=least, most=most)
    if name.startswith("&"):
        return Part(Kind.ELEMENT_REFERENCE, name[1:], least=least, most=most)
    return Part(Kind.ELEMENT, name, tail, least, most, parts=parts)


def _occurs(word: str) -> tuple[str, int, int | None]:
    match = _OCCURS.fullmatch(word)
    if match is None:
        raise ValueError(f"cannot be read: {word}")
    name, sign, low, high = match.groups()
    if low is not None:
        return name, int(low), int(high) if high else None
    least, most = _OCCURRENCE[sign or ""]
    return name, least, most


def render(parts: Iterable[Part]) -> str:
    """The table of these global parts; `parse` gives them back."""
    return "".join(f"{line}\n" for part in parts for line in _lines(part, 0))


def _lines(part: Part, depth: int) -> Iterator[str]:
    yield "  " * depth + (_global_line(part) if depth == 0 else _line(part))
    for child in part.parts:
        yield from _lines(child, depth + 1)


def _global_line(part: Part) -> str:
    word = next(word for word, kind in _GLOBAL_WORDS.items() if kind is part.kind)
    return f"{word} {part.name} {part.type}".rstrip()


def _line(part: Part) -> str:
    often = _OCCURRENCE_SIGN.get((part.least, part.most), f"{{{part.least},{'' if part.most is None else part.most}}}")
    need = "!" if part.required else ""
    match part.kind:
        case Kind.ELEMENT:
            return f"{part.name}{often} {part.type}".rstrip()
        case Kind.ELEMENT_REFERENCE:
            return f"&{part.name}{often}"
        case Kind.OTHER_ELEMENTS | Kind.SEQUENCE | Kind.CHOICE:
            return f"{part.kind.value}{often}"
        case Kind.ATTRIBUTE:
            return f"@{part.name}{need} {part.type}".rstrip()
        case Kind.ATTRIBUTE_REFERENCE:
            return f"@&{part.name}{need}"
        case Kind.ATTRIBUTE_GROUP_REFERENCE:
            return f"@+{part.name}"
        case _:
            return f"{part.kind.value} {part.type}".rstrip()
