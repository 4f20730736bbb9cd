"""How organisations are identified in a file (spec/dashboard.md section 3.9): participating by role, providers and receivers of money."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from iati_platform.dashboard.facts.activity import Activity
from iati_platform.dashboard.facts.vocabulary import ROLES
from iati_platform.standard import codelist, registration_agencies


class OrganisationCounts:
    """References are collected as they are; what they are worth is decided once per distinct reference."""

    def __init__(self) -> None:
        self._refs: Counter[tuple[str, str | None, bool]] = Counter()

    def add(self, activity: Activity) -> None:
        own = activity.reporting_ref
        found: list[tuple[str, str | None, bool]] = []
        for node in activity.groups.get("participating-org", ()):
            role = ROLES.get(node[1].get("role", ""))
            if role is not None:
                ref = node[1].get("ref")
                found.append((role, ref, ref == own))
        for _, attributes in activity.transactions.providers:
            ref = attributes.get("ref")
            found.append(("provider", ref, ref == own))
        for _, attributes in activity.transactions.receivers:
            ref = attributes.get("ref")
            found.append(("receiver", ref, ref == own))
        self._refs.update(found)

    def stats(self) -> dict[str, Any]:
        """`<type>_org_transaction_stats` and `<type>_org_valid_prefixes` (prefix "" for none)."""
        stats: dict[str, Counter[str]] = {}
        for (kind, ref, is_self), count in self._refs.items():
            counts = stats.setdefault(f"{kind}_org_transaction_stats", Counter())
            counts["total_orgs"] += count
            counts["total_refs"] += count if ref is not None else 0
            if not ref:
                continue
            counts["total_full_refs"] += count
            if is_self:
                continue
            counts["total_notself_refs"] += count
            prefix = valid_prefix(ref)
            stats.setdefault(f"{kind}_org_valid_prefixes", Counter())[prefix] += count
            if prefix:
                counts["total_valid_refs"] += count
        return {name: dict(counts) for name, counts in sorted(stats.items())}


def valid_prefix(ref: str) -> str:
    """The registration agency or channel code that a reference starts with; "" for none."""
    for length in _lengths():
        if ref[:length] in _prefixes():
            return ref[:length]
    return ""


@cache
def _prefixes() -> frozenset[str]:
    return registration_agencies() | frozenset(codelist("2.03", "CRSChannelCode").codes)


@cache
def _lengths() -> tuple[int, ...]:
    return tuple(sorted({len(prefix) for prefix in _prefixes()}, reverse=True))
