"""Names: what a short name may look like, how one is made from a title, and how names are folded for searching."""

from __future__ import annotations

import re
import unicodedata

SHORT_NAME_MAXIMUM = 100  # CKAN's limit, which the names in circulation were made under
SHORT_NAME_RULE = f"lower-case letters, digits, - and _, at most {SHORT_NAME_MAXIMUM}"
_SHORT_NAME = re.compile(rf"[a-z0-9_-]{{1,{SHORT_NAME_MAXIMUM}}}")


def is_short_name(text: str) -> bool:
    """Whether `text` may be the short name of an organisation or a dataset."""
    return _SHORT_NAME.fullmatch(text) is not None


def short_name_from(title: str) -> str:
    """A short name made from a title: `Fondo Ñandú (2026)` -> `fondo-nandu-2026`; empty when nothing is left."""
    return re.sub(r"[^a-z0-9_]+", "-", _plain(title)).strip("-")[:SHORT_NAME_MAXIMUM].rstrip("-")


def search_text(*names: str | None) -> str:
    """The names folded for substring search: lower case, no accents, single spaces."""
    return " ".join(" ".join(_plain(name).split()) for name in names if name)


def search_words(query: str) -> list[str]:
    """The words of a query, folded as `search_text` folds names; at most ten count."""
    return _plain(query).split()[:10]


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()
