"""Days as publishers write them."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

_DAY: Final = re.compile(r"\s*(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?\s*\Z", re.ASCII)


@lru_cache(maxsize=65_536)
def day(text: str) -> date | None:
    """The calendar day of a date or date-time as written (no conversion between time zones); None if it is neither."""
    match = _DAY.match(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
