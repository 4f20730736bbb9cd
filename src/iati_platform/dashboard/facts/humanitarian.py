"""Humanitarian reporting of an activity (spec/dashboard.md section 3.6): independent of the day, so counted per file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from iati_platform.dashboard.facts.activity import Activity
from iati_platform.dashboard.facts.vocabulary import (
    DAC3,
    DAC5,
    FALSE,
    HUMANITARIAN_CATEGORIES,
    HUMANITARIAN_SECTORS,
    HUMANITARIAN_VERSIONS,
    TRUE,
)

_GLIDE: Final = "1-2"
_RESPONSE_PLAN: Final = "2-1"
_CLUSTERS: Final = "10"


def count(activity: Activity, counts: Counter[str]) -> bool:
    """Add the activity to `counts`; gives whether it is humanitarian."""
    own = activity.attributes.get("humanitarian", "")
    knows = activity.version in HUMANITARIAN_VERSIONS
    transactions = activity.transactions
    by_attribute = knows and (own in TRUE or (own not in FALSE and transactions.some_humanitarian()))
    sectors = activity.groups.get("sector", ())
    by_sector = _sectors((node[1].get("vocabulary", ""), node[1].get("code", "")) for node in sectors)
    if not by_sector and activity.second:
        by_sector = _sectors(transactions.humanitarian_sectors())
    humanitarian = own not in FALSE and (by_attribute or by_sector)
    counts["is_humanitarian"] += humanitarian
    counts["is_humanitarian_by_attrib"] += own not in FALSE and by_attribute
    counts["is_humanitarian_by_sector"] += own not in FALSE and by_sector
    suffix = "" if humanitarian else "_without_humanitarian"
    scopes = activity.groups.get("humanitarian-scope", ()) if knows else ()
    if scopes:
        counts["contains_humanitarian_scope" + suffix] += all(node[1].get("type") and node[1].get("code") for node in scopes)
        vocabularies = [node[1].get("vocabulary", "") for node in scopes]
        counts["uses_glide_codes" + suffix] += _GLIDE in vocabularies
        counts["uses_hrp_codes" + suffix] += _RESPONSE_PLAN in vocabularies
    if any(node[1].get("vocabulary") == _CLUSTERS for node in sectors):
        counts["uses_humanitarian_clusters_vocab" + suffix] += 1
    return humanitarian


def _sectors(sectors: Iterable[tuple[str, str]]) -> bool:
    return any(
        (vocabulary in DAC5 and code in HUMANITARIAN_SECTORS) or (vocabulary in DAC3 and code in HUMANITARIAN_CATEGORIES)
        for vocabulary, code in sectors
    )
