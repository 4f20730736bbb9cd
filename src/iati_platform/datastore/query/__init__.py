"""The query language: text -> syntax tree (`parser`), tree -> engine query (`plan`). The grammar is that of spec/datastore.md §3.2."""

from __future__ import annotations

from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.query.parser import parse

__all__ = ["QueryError", "parse"]
