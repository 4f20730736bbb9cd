"""What an import did, for the command line, the log and the event."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of one kind were added, changed, gone and unchanged; `elsewhere` belong to another source."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    elsewhere: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything in the registry is different now."""
        return bool(self.added or self.changed or self.gone)


@dataclass(frozen=True, slots=True)
class Remark:
    """A record that was skipped, or a value of it that was: which one and why."""

    kind: str
    """`organisation` or `dataset`."""
    name: str
    """Short name or id as far as it has one, else its place in the document (`number 17`)."""
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """One import. With `refused` set nothing in the registry was changed."""

    source: str
    organisations: Tally = field(default_factory=Tally)
    datasets: Tally = field(default_factory=Tally)
    rejected: tuple[Remark, ...] = ()
    """Records that were skipped; what the registry knew of them before is kept."""
    warnings: tuple[Remark, ...] = ()
    """Values that were left empty because they are on no list."""
    held: tuple[str, ...] = ()
    """Organisations whose datasets had all left at once: they are kept, somebody has to look."""
    refused: str | None = None

    @property
    def differs(self) -> bool:
        """Whether anything in the registry is different now."""
        return self.organisations.differs or self.datasets.differs
