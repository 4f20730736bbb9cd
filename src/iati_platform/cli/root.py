"""The command's frame: options every command shares, and errors as one line that says what to do."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

if TYPE_CHECKING:
    from iati_platform.pipeline.house import House
    from iati_platform.settings import Settings

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_BUSY: Final = 3

app = typer.Typer(name="iati", no_args_is_help=True, add_completion=True, rich_markup_mode="rich", pretty_exceptions_enable=False)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Data directory (IATI_DATA_DIR; default ./data).", show_default=False, file_okay=False)
]


class CommandError(Exception):
    """Something the person at the keyboard can mend; printed as one line on stderr. `code` is the exit status."""

    def __init__(self, message: str, code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.code = code


def settings_for(data_dir: Path | None) -> Settings:
    """The checked configuration for this command."""
    from iati_platform.settings import SettingsError, load_settings

    try:
        return load_settings(data_dir=data_dir)
    except SettingsError as error:
        raise CommandError(str(error), EXIT_USAGE) from error


def house_for(data_dir: Path | None) -> House:
    """The data directory, opened and migrated."""
    from iati_platform.pipeline.house import open_house

    return open_house(settings_for(data_dir))


@contextmanager
def writing_house(house: House) -> Iterator[None]:
    """Hold the writer's lock or end with status 3, naming who holds it."""
    from iati_platform.storage.lock import WriterBusy

    try:
        with house.writer():
            yield
    except WriterBusy as error:
        raise CommandError(str(error), EXIT_BUSY) from error


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Register, fetch, validate, search and explain IATI data: a whole platform in one command.

    Start with: iati up --demo
    """
    if version:
        from iati_platform import __version__

        out.print(f"iati-platform {__version__}", highlight=False)
        raise typer.Exit
    if context.invoked_subcommand is None:
        out.print(context.get_help())
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    from iati_platform.cli import data, operate, publisher, records  # noqa: F401  (they register their commands)

    try:
        app()
    except CommandError as error:
        err.print(f"iati: {one_line(error)}", style="red", highlight=False, markup=False)
        sys.exit(error.code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        expected = FULL if is_disk_full(error) else _expected(error)
        if expected is None:
            raise
        err.print(f"iati: {one_line(expected)}", style="red", highlight=False, markup=False)
        sys.exit(EXIT_FAILED)


def one_line(message: object) -> str:
    """Engines like to explain themselves over several lines; a terminal and a log want one."""
    return " ".join(str(message).split())


FULL: Final = "the disk is full: nothing was lost and readers keep the last generation; free some space and run it again"


def is_disk_full(error: BaseException) -> bool:
    """Whether an engine ran out of space: each says it in its own way (errno, SQLite's and tantivy's words)."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
    return any(words in str(error) for words in ("No space left on device", "disk is full", "os error 28"))


def _expected(error: Exception) -> str | None:
    """One line for errors whose message was written for people; None for defects, which keep their trace."""
    from sqlalchemy.exc import OperationalError

    from iati_platform.pipeline.generations import GenerationError
    from iati_platform.registry.importers import SourceError
    from iati_platform.registry.service import NotRegistered
    from iati_platform.storage.database import DatabaseTooNew
    from iati_platform.storage.format import DataDirectoryError
    from iati_platform.storage.objects import ObjectStoreError

    if isinstance(error, NotRegistered):
        return f"{error.args[0]} is not registered: see `iati datasets list`"
    if isinstance(error, SourceError | DatabaseTooNew | DataDirectoryError | GenerationError | ObjectStoreError):
        return str(error)
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, OperationalError):
        return f"the records cannot be used: {str(error.orig).strip()}; check IATI_DATABASE_URL and the disk"
    return None
