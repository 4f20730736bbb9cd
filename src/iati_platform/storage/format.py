"""The data directory's own format: a number in `DATA_DIR/FORMAT`, so that every version knows what it opens.

Records and artefacts carry their own versions (migrations, artefact format); this one covers where things lie.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from iati_platform import __version__

FORMAT = 1
FILE_NAME = "FORMAT"
_OURS_BEFORE = {"iati.toml", "writer.lock", "lost+found"}
"""What may lie in a directory that counts as empty: the configuration, the lock, a fresh volume's own folder."""

Step = Callable[[Path], None]
STEPS: Mapping[int, Step] = {}
"""Steps that bring a directory from format n (the key) to n + 1. Each may be repeated after a kill in its middle."""


class DataDirectoryError(Exception):
    """The directory cannot be used; the message says why and what to do."""


class DataDirectoryTooNew(DataDirectoryError):
    """A newer version of the platform wrote the directory."""


@dataclass(frozen=True, slots=True)
class DataFormat:
    """The format of a data directory and the version of the platform that made it."""

    format: int
    created_with: str


def read_format(data_dir: Path) -> DataFormat | None:
    """What `FORMAT` says; None for a directory that is missing or empty. Raises `DataDirectoryError` for a foreign one."""
    try:
        content = orjson.loads((data_dir / FILE_NAME).read_bytes())
        return DataFormat(int(content["format"]), str(content["created_with"]))
    except FileNotFoundError:
        foreign = sorted(entry.name for entry in data_dir.iterdir() if _foreign(entry)) if data_dir.is_dir() else []
        if foreign:
            raise DataDirectoryError(
                f"{data_dir} is not a data directory of this platform (it holds {foreign[0]}): name an empty one or a new one"
            ) from None
        return None
    except NotADirectoryError:
        raise DataDirectoryError(f"{data_dir} is not a directory") from None
    except OSError as error:
        raise DataDirectoryError(f"{data_dir} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataDirectoryError(f"{data_dir / FILE_NAME} is damaged: restore it from a backup") from error


def prepare(data_dir: Path, steps: Mapping[int, Step] = STEPS, current: int = FORMAT) -> DataFormat:
    """Make the directory one of the current format: initialise an empty one, bring an older one forward.

    Raises `DataDirectoryTooNew` for a newer one, `DataDirectoryError` for a foreign one. Hold the writer lock when a
    directory may have to be brought forward (`needs_steps`).
    """
    found = read_format(data_dir)
    if found is None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise DataDirectoryError(f"{data_dir} is not a directory") from None
        except OSError as error:
            raise DataDirectoryError(f"{data_dir} cannot be made ({error.strerror})") from error
        found = DataFormat(current, __version__)
        _write(data_dir, found)
        return found
    if found.format > current:
        raise DataDirectoryTooNew(
            f"{data_dir} has format {found.format}, this version of iati-platform ({__version__}) knows up to {current}: "
            "install the newer version again, or restore a backup made before it"
        )
    while found.format < current:
        steps[found.format](data_dir)
        found = DataFormat(found.format + 1, found.created_with)
        _write(data_dir, found)
    return found


def needs_steps(data_dir: Path) -> bool:
    """Whether `prepare` would have to bring the directory forward."""
    found = read_format(data_dir)
    return found is not None and found.format < FORMAT


def _foreign(entry: Path) -> bool:
    return entry.name not in _OURS_BEFORE and not entry.name.startswith(".")


def _write(data_dir: Path, value: DataFormat) -> None:
    aside = data_dir / f".{FILE_NAME}-{os.getpid()}"
    with aside.open("wb") as file:
        file.write(orjson.dumps({"format": value.format, "created_with": value.created_with}) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(data_dir / FILE_NAME)
