"""Query text to syntax tree: the classic Lucene grammar as spec/datastore.md §3.2 describes it, written as one scanner and descent.

AND, OR, NOT are modifiers of the clauses around them, not operators with precedence. More lenient than the peer where a meaning is plain:
unescaped instants (`2021-01-01T00:00:00Z`) are words. Bounds: length, nesting, clauses; wildcards and fuzzy words count for many.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.syntax import (
    Boost,
    Clause,
    Everything,
    Exists,
    Fuzzy,
    Group,
    Node,
    Occur,
    Phrase,
    Range,
    Sign,
    Term,
    Wildcard,
)

MAX_LENGTH: Final = 65_536
MAX_DEPTH: Final = 60
MAX_CLAUSES: Final = 1_024
#: A wildcard or fuzzy word walks through a field's words, so it counts for this many clauses.
COSTLY: Final = 8
MAX_BOOST: Final = 1e6

Operator = Literal["OR", "AND"]

_BLANK: Final = " \t\n\r\u3000\u00a0"
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?(?:[+\-/][0-9A-Z+\-/]*)?(?=[\s)^]|$)")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_TERM_END: Final = frozenset(_BLANK + '()[]{}"^~:!')
_NOT_FIRST: Final = frozenset("+-")
_Word = list[str | Sign]


def parse(text: str, operator: Operator = "OR", default_field: str | None = None) -> Node | None:
    """The tree of `text`; None when it is blank. QueryError when it cannot be understood. `operator`: what joins bare neighbours."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"The query is too long: {len(text)} characters, at most {MAX_LENGTH} are allowed.")
    parser = _Parser(text, operator, default_field)
    node = parser.group(default_field, 0)
    if parser.position < len(text):
        raise parser.error("There is a closing bracket without an opening one")
    return node


class _Parser:
    def __init__(self, text: str, operator: Operator, default_field: str | None) -> None:
        self.text = text
        self.operator = operator
        self.default_field = default_field
        self.position = 0
        self.clauses = 0

    def error(self, message: str) -> QueryError:
        return QueryError(f"Cannot read the query: {message} (character {self.position + 1}).")

    def peek(self, ahead: int = 0) -> str:
        return self.text[self.position + ahead : self.position + ahead + 1]

    def blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position] in _BLANK:
            self.position += 1

    def count(self, cost: int = 1) -> None:
        self.clauses += cost
        if self.clauses > MAX_CLAUSES:
            raise QueryError(
                f"The query has too many clauses: at most {MAX_CLAUSES} are allowed, a wildcard or fuzzy word counts for {COSTLY}."
            )

    # -- clauses ------------------------------------------------------------------------------------------------

    def group(self, field: str | None, depth: int) -> Node | None:
        """Clauses up to the end or a closing parenthesis (left unread)."""
        if depth > MAX_DEPTH:
            raise QueryError(f"The query is nested too deeply: at most {MAX_DEPTH} brackets within each other are allowed.")
        found: list[tuple[Occur, Node]] = []
        alone: Node | None = None
        while True:
            self.blanks()
            if self.position >= len(self.text) or self.peek() == ")":
                break
            conjunction = self.conjunction()
            if conjunction and not found:
                raise self.error(f"{conjunction} has nothing before it")
            modifier = self.modifier()
            self.blanks()
            if self.position >= len(self.text) or self.peek() == ")":
                raise self.error("something is missing after an operator")
            node = self.clause(field, depth)
            if not found and modifier == "":
                alone = node
            self.join(found, conjunction, modifier, node)
        if not found:
            return None
        if len(found) == 1 and alone is not None:
            return alone
        return Group(tuple(Clause(occur, node) for occur, node in found))

    def join(self, found: list[tuple[Occur, Node]], conjunction: str, modifier: str, node: Node) -> None:
        """Add a clause; AND and OR also say something about the clause before (spec §3.2)."""
        if found and found[-1][0] is not Occur.MUST_NOT:
            if conjunction == "AND":
                found[-1] = (Occur.MUST, found[-1][1])
            elif conjunction == "OR" and self.operator == "AND":
                found[-1] = (Occur.SHOULD, found[-1][1])
        if modifier == "-":
            occur = Occur.MUST_NOT
        elif modifier == "+" or conjunction == "AND" or (self.operator == "AND" and conjunction != "OR"):
            occur = Occur.MUST
        else:
            occur = Occur.SHOULD
        found.append((occur, node))

    def conjunction(self) -> str:
        for word, name in (("AND", "AND"), ("&&", "AND"), ("OR", "OR"), ("||", "OR")):
            if self.keyword(word):
                return name
        return ""

    def keyword(self, word: str) -> bool:
        if not self.text.startswith(word, self.position):
            return False
        after = self.peek(len(word))
        if word.isalpha() and after and after not in _BLANK and after not in '()"':
            return False
        self.position += len(word)
        self.blanks()
        return True

    def modifier(self) -> str:
        found = ""
        if self.keyword("NOT"):
            found = "-"
        sign = self.peek()
        if sign and sign in "+-!":
            if found:
                raise self.error("two operators follow each other")
            self.position += 1
            found = "+" if sign == "+" else "-"
        return found

    def clause(self, field: str | None, depth: int) -> Node:
        name = self.field_name()
        if name is not None:
            field = name
            self.blanks()
        sign = self.peek()
        if sign == "(":
            self.position += 1
            inner = self.group(field, depth + 1)
            if self.peek() != ")":
                raise self.error("a closing bracket ) is missing")
            self.position += 1
            if inner is None:
                raise self.error("there is nothing between the brackets")
            return self.boosted(inner)
        self.count()
        if sign in ("[", "{") and sign:
            return self.boosted(self.range(field))
        if sign == '"':
            return self.boosted(self.phrase(field))
        return self.boosted(self.word(field))

    def boosted(self, node: Node) -> Node:
        self_position = self.position
        self.blanks()
        if self.peek() != "^":
            self.position = self_position
            return node
        self.position += 1
        if self.peek() == "=":
            self.position += 1
        self.blanks()
        match = _NUMBER.match(self.text, self.position)
        if match is None:
            raise self.error("a number must follow ^")
        self.position = match.end()
        factor = float(match[0])
        if factor > MAX_BOOST:
            raise self.error(f"the number after ^ is too large, at most {MAX_BOOST:g} is allowed")
        return Boost(node, factor)

    # -- fields and words ---------------------------------------------------------------------------------------

    def field_name(self) -> str | None:
        """`name:` if it stands here, else None with nothing read. `*:` is the field of `*:*`."""
        start = self.position
        if self.peek() == "*" and re.compile(rf"\*[{_BLANK}]*:").match(self.text, start):
            self.position = self.text.index(":", start) + 1
            return "*"
        if self.peek() in ("", '"', "[", "{", "(", "/"):
            return None
        word = self.scan()
        self.blanks()
        if word and self.peek() == ":" and not any(isinstance(part, Sign) for part in word):
            self.position += 1
            return "".join(part for part in word if isinstance(part, str))
        self.position = start
        return None

    def scan(self) -> _Word:
        """The pieces of an unquoted word; empty when none stands here."""
        parts: _Word = []
        literal: list[str] = []
        first = True
        while self.position < len(self.text):
            sign = self.text[self.position]
            if sign == "\\":
                if self.position + 1 >= len(self.text):
                    raise self.error("a backslash must be followed by the character it protects")
                literal.append(self.text[self.position + 1])
                self.position += 2
            elif sign in "*?":
                if literal:
                    parts.append("".join(literal))
                    literal = []
                parts.append(Sign(sign))
                self.position += 1
            elif sign in _TERM_END or (first and sign in _NOT_FIRST):
                break
            else:
                literal.append(sign)
                self.position += 1
            first = False
        if literal:
            parts.append("".join(literal))
        return parts

    def word(self, field: str | None) -> Node:
        if self.peek() == "/":
            raise self.error("regular expressions are not supported; write \\/ for a slash")
        instant = _INSTANT.match(self.text, self.position)
        if instant:
            self.position = instant.end()
            return Term(self.needed(field), instant[0])
        parts = self.scan()
        if not parts:
            raise self.error(
                f"{self.peek()!r} is not expected here; write \\ before it if it is part of a word" if self.peek() else "a word is missing"
            )
        if self.peek() == ":":
            raise self.error("a second : follows; write \\: or use quotes if it is part of the value")
        if any(isinstance(part, Sign) for part in parts):
            self.count(COSTLY)
            if parts == [Sign.ANY]:
                if field in (None, "*"):
                    return Everything()
                return Exists(str(field))
            if field == "*":
                raise self.error("the field * can only be searched with *:*")
            return Wildcard(self.needed(field), _merged(parts))
        text = "".join(part for part in parts if isinstance(part, str))
        after = self.position
        self.blanks()
        if self.peek() == "~":
            self.position += 1
            match = _NUMBER.match(self.text, self.position)
            self.count(COSTLY)
            distance = 2
            if match:
                self.position = match.end()
                value = float(match[0])
                # A fraction is the old notation of a similarity; what is asked for then is about one edit.
                distance = min(2, int(value)) if value >= 1 or value == 0 else 1
            return Fuzzy(self.needed(field), text, distance)
        self.position = after
        return Term(self.needed(field), text)

    def needed(self, field: str | None) -> str | None:
        if field == "*":
            raise self.error("the field * can only be searched with *:*")
        if field is None and self.default_field is None:
            raise QueryError("A word stands without a field and there is no default field: write field:word, or name one with df.")
        return field

    def phrase(self, field: str | None) -> Node:
        text = self.quoted()
        after = self.position
        self.blanks()
        slop = 0
        if self.peek() == "~":
            self.position += 1
            match = _NUMBER.match(self.text, self.position)
            if match:
                self.position = match.end()
                slop = min(int(float(match[0])), 10_000)
        else:
            self.position = after
        return Phrase(self.needed(field), text, slop)

    def quoted(self) -> str:
        """The text between double quotes, escapes resolved."""
        self.position += 1
        found: list[str] = []
        while True:
            sign = self.peek()
            if sign == "":
                raise self.error('a closing " is missing')
            self.position += 1
            if sign == '"':
                return "".join(found)
            if sign == "\\":
                sign = self.peek()
                if sign == "":
                    raise self.error('a closing " is missing')
                self.position += 1
            found.append(sign)

    def range(self, field: str | None) -> Node:
        with_low = self.peek() == "["
        self.position += 1
        low = self.range_end()
        self.blanks()
        if not (self.text.startswith("TO", self.position) and self.peek(2) in (*_BLANK, "*", '"')):
            raise self.error("a range is written [from TO to]")
        self.position += 2
        high = self.range_end()
        self.blanks()
        if self.peek() not in ("]", "}") or not self.peek():
            raise self.error("a range must end with ] or }")
        with_high = self.peek() == "]"
        self.position += 1
        if low is None and high is None:
            if field in (None, "*"):
                return Everything()
            return Exists(str(field))
        return Range(self.needed(field), low, high, with_low or low is None, with_high or high is None)

    def range_end(self) -> str | None:
        self.blanks()
        if self.peek() == '"':
            return self.quoted()
        start = self.position
        found: list[str] = []
        while self.position < len(self.text) and self.text[self.position] not in _BLANK + "]}":
            sign = self.text[self.position]
            if sign == "\\" and self.position + 1 < len(self.text):
                self.position += 1
                sign = self.text[self.position]
            found.append(sign)
            self.position += 1
        if self.position == start:
            raise self.error("a range is written [from TO to]")
        if self.text[start : self.position] == "*":
            return None
        return "".join(found)


def _merged(parts: _Word) -> tuple[str | Sign, ...]:
    """Without stars next to each other, which mean no more than one."""
    merged: list[str | Sign] = []
    for part in parts:
        if part is Sign.ANY and merged and merged[-1] is Sign.ANY:
            continue
        merged.append(part)
    return tuple(merged)
