"""When to check a dataset again, and how long a copy outlives its source. Pure rules over one state; all times are given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from iati_platform.bulk.catalogue import Cause


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """Names after the peer's settings where it has them (§9)."""

    force_redownload: timedelta = timedelta(hours=24)
    """A copy older than this is fetched in full, whatever its validators say ..."""
    force_spread: timedelta = timedelta(hours=7)
    """... less a share of this per dataset, so that not all of them fall due at once."""
    remove_last_good: timedelta = timedelta(hours=72)
    """A good copy expires this long after its last full download."""
    grace: timedelta = timedelta(hours=24)
    """Content of a dataset that left the registry is kept this long."""
    keep_versions: timedelta = timedelta(days=30)
    """Superseded contents are kept this long for the history."""
    longest_pause: timedelta = timedelta(hours=6)

    def forced(self, dataset_id: str, downloaded: datetime | None, now: datetime) -> bool:
        """Whether the next check must ask for the whole file."""
        if downloaded is None:
            return True
        draw = hashlib.blake2b(f"{dataset_id} {downloaded.isoformat()}".encode(), digest_size=2).digest()
        share = int.from_bytes(draw, "big") / 65536
        return now - downloaded >= self.force_redownload - self.force_spread * share

    def expires(self, downloaded: datetime) -> datetime:
        return downloaded + self.remove_last_good

    def after_failure(self, now: datetime, failures: int, cause: Cause, retry_after: datetime | None) -> datetime | None:
        """When to try again; None: at the next run. `failures` counts this one; the first two pause nobody."""
        if retry_after is not None:
            return min(retry_after, now + timedelta(days=1))
        if cause in (Cause.NO_URL, Cause.BAD_URL, Cause.OUTSIDE_FOLDER):
            return None  # costs nothing to look at, and mends with the registration
        if failures <= 2:
            return None
        return now + min(timedelta(minutes=20 << min(failures - 3, 10)), self.longest_pause)
