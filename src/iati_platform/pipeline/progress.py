"""How a cycle tells where it is: progress bars for people, nothing for pipes and tests. Steps report; they never print."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Step(Protocol):
    """One running step of known or growing length."""

    def advance(self, amount: int = 1) -> None: ...
    def total(self, total: int) -> None: ...


class Reporter(Protocol):
    """Makes steps. Use as a context manager around a whole cycle."""

    def step(self, name: str, total: int | None = None) -> Step: ...


class _SilentStep:
    def advance(self, amount: int = 1) -> None:
        """Nothing to show."""

    def total(self, total: int) -> None:
        """Nothing to show."""


class Silent:
    """Reports to nobody."""

    def step(self, name: str, total: int | None = None) -> Step:
        """A step that shows nothing."""
        return _SilentStep()


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(self._task, amount)

    def total(self, total: int) -> None:
        self._progress.update(self._task, total=total)


class Bars(AbstractContextManager["Bars"]):
    """A bar per step on a terminal; on anything else rich prints the bars once, at their end."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def step(self, name: str, total: int | None = None) -> Step:
        """A new bar."""
        return _Bar(self._progress, self._progress.add_task(name, total=total))
