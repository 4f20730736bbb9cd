"""Facts: what statistics are made of, per file and independent of the day (spec/dashboard.md sections 2, 3 and 8).

The third artefact of the process step. Whatever depends on today (is an activity current? is a transaction in the future?) is reduced to
facts from which it follows for any day: dates, sums by type, currency and month, and which tests an activity passes. See docs/dashboard.md
for the format.
"""

from iati_platform.dashboard.facts.builder import FORMAT, FactsBuilder

__all__ = ["FORMAT", "FactsBuilder"]
