"""Commands on records: orgs, datasets, standard, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from iati_platform.cli.root import CommandError, DataDir, app, house_for, out, writing_house

orgs = typer.Typer(no_args_is_help=True, help="Reporting organisations.")
datasets = typer.Typer(no_args_is_help=True, help="Datasets.")
standard = typer.Typer(no_args_is_help=True, help="The IATI Standard's reference data.")
app.add_typer(orgs, name="orgs")
app.add_typer(datasets, name="datasets")
app.add_typer(standard, name="standard")


@orgs.command("list", epilog="Example: iati orgs list --search water")
def orgs_list(
    search: Annotated[str, typer.Option(help="Words in the name or identifier.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data_dir: DataDir = None,
) -> None:
    """List registered organisations."""
    from iati_platform.registry import service
    from iati_platform.storage.database import reading

    with reading(house_for(data_dir).engine) as session:
        page = service.list_organisations(session, search, limit=limit)
    table = Table("short name", "name", "identifier", "datasets", box=None, pad_edge=False)
    for organisation in page.items:
        table.add_row(
            organisation.short_name,
            organisation.human_readable_name,
            organisation.organisation_identifier or "",
            str(organisation.datasets),
        )
    out.print(table, markup=False)
    if page.total > len(page.items):
        out.print(f"{page.total:,} in all", highlight=False)


@datasets.command("list", epilog="Example: iati datasets list --org acme-foundation")
def datasets_list(
    search: Annotated[str, typer.Option(help="Words in the name, organisation or address.")] = "",
    org: Annotated[str | None, typer.Option(help="Only this organisation's (short name).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data_dir: DataDir = None,
) -> None:
    """List registered datasets."""
    from iati_platform.registry import service
    from iati_platform.storage.database import reading

    with reading(house_for(data_dir).engine) as session:
        page = service.list_datasets(session, search, org, limit=limit)
    table = Table("short name", "organisation", "type", "address", box=None, pad_edge=False)
    for dataset in page.items:
        table.add_row(dataset.short_name, dataset.reporting_org_short_name, dataset.file_type, dataset.url or "")
    out.print(table, markup=False)
    if page.total > len(page.items):
        out.print(f"{page.total:,} in all", highlight=False)


@datasets.command("purge", epilog="Example: iati datasets purge acme-activities --yes")
def datasets_purge(
    name: Annotated[str, typer.Argument(help="Short name of the dataset.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove one dataset with its content and history, also from everything that is served."""
    from iati_platform.pipeline.publish import publish
    from iati_platform.pipeline.retention import purge_dataset

    house = house_for(data_dir)
    if not yes:
        typer.confirm(f"Remove {name}, every version of its file and its history? This cannot be undone", abort=True)
    with writing_house(house):
        removed = purge_dataset(house, name, actor="operator")
        publish(house)
        house.generations.sweep(keep=1)
    out.print(f"{name} removed; {len(removed)} file version(s) deleted; generations that held it are gone", highlight=False)


@datasets.command("allow", epilog="Example: iati datasets allow 00000000-0000-4000-8000-000000000001")
def datasets_allow(
    dataset_id: Annotated[str, typer.Argument(help="Id of a dataset that was purged (its source still names it).", metavar="ID")],
    data_dir: DataDir = None,
) -> None:
    """Let the next import bring a purged dataset back."""
    from datetime import UTC, datetime

    from iati_platform.registry import service
    from iati_platform.storage.database import writing

    house = house_for(data_dir)
    with writing_house(house), writing(house.engine) as session:
        try:
            service.allow_dataset(session, dataset_id, actor="operator", at=datetime.now(UTC))
        except service.NotRegistered as error:
            raise CommandError(f"{dataset_id} was not purged: nothing to allow") from error
    out.print(f"{dataset_id} comes back with the next import that names it", highlight=False)


@standard.command("status", epilog="Example: iati standard status")
def standard_status() -> None:
    """Which reference data this platform carries."""
    from iati_platform import standard as reference

    out.print(f"reference data {reference.data_version()}", highlight=False)
    table = Table("version", "codelists", "mappings", "rule cases", box=None, pad_edge=False)
    for version in reference.VERSIONS:
        names = reference.codelist_names(version)
        table.add_row(version, str(len(names)), str(len(reference.mappings(version))), str(len(reference.rules(version))))
    out.print(table)


@app.command(epilog="Example: iati backup /srv/backups/2026-11-22")
def backup(
    directory: Annotated[Path, typer.Argument(help="A new or empty directory.", metavar="DIR")],
    data_dir: DataDir = None,
) -> None:
    """Write a consistent copy of the records (registry, history, snapshots); works while the platform runs."""
    from iati_platform.pipeline.backup import BackupError
    from iati_platform.pipeline.backup import backup as run

    try:
        written = run(house_for(data_dir), directory)
    except BackupError as error:
        raise CommandError(str(error)) from error
    out.print(f"{written} ({written.stat().st_size / 1e6:.1f} MB)", highlight=False, markup=False)


@app.command(epilog="Example: iati restore /srv/backups/2026-11-22 --data-dir /srv/iati")
def restore(
    directory: Annotated[Path, typer.Argument(help="A directory written by iati backup.", metavar="DIR", exists=True)],
    data_dir: DataDir = None,
) -> None:
    """Put the records of a backup into a data directory that has none; the next refresh fetches the files again."""
    from iati_platform.cli.root import settings_for
    from iati_platform.pipeline.backup import BackupError
    from iati_platform.pipeline.backup import restore as run

    try:
        run(settings_for(data_dir), directory)
    except BackupError as error:
        raise CommandError(str(error)) from error
    out.print("restored; run `iati refresh` (or `iati up`) to fetch the files again", highlight=False)
