"""The one error a query can end with; every front door answers it with 400."""

from __future__ import annotations


class QueryError(ValueError):
    """The query cannot be understood or is too large. The text is for the caller and says what to do."""
