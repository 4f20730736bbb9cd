"""Commands that run the platform: up, import, refresh, serve, demo, doctor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.table import Table

from iati_platform.cli.root import EXIT_FAILED, EXIT_USAGE, CommandError, DataDir, app, err, house_for, out, writing_house

if TYPE_CHECKING:
    from iati_platform.pipeline.house import House
    from iati_platform.pipeline.refresh import Cycle
    from iati_platform.registry.importers import ImportResult

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


@app.command(epilog="Example: iati up --demo    |    iati up --source https://registry.example.org/registry.json --data-dir /srv/iati")
def up(
    source: Annotated[str | None, typer.Option(help="SOURCE to import first: a folder or a URL of a registry.json.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Use the demonstration registry.")] = False,
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    no_refresh: Annotated[bool, typer.Option("--no-refresh", help="Serve only; do not refresh now or later.")] = False,
) -> None:
    """Start the whole platform: import, refresh once, serve everything, keep refreshing."""
    from iati_platform.cli.serving import require_free

    require_free(host, port)
    os.environ.setdefault("IATI_PUBLIC_URL", f"http://{host}:{port}")
    house = house_for(data_dir)
    with writing_house(house):
        if demo:
            from iati_platform import demo as demonstration

            folder = house.folder / "demo"
            demonstration.write(folder)
            source = str(folder)
        if source is not None:
            _print_import(_import(house, source))
        fresh = house.generations.current() is None
        if fresh and not no_refresh:
            # A first start shows its progress; later ones serve the generation there is at once and refresh behind it.
            cycle = _cycle(house)
            _print_cycle(cycle)
    stop = threading.Event()
    if not no_refresh:
        threading.Thread(target=_keep_refreshing, args=(house, stop, not fresh), daemon=True).start()
    err.print(f"[bold]http://{host}:{port}[/bold]  (stop with Ctrl-C)", highlight=False)
    try:
        _serve(house, host, port, only=[], workers=1)
    finally:
        stop.set()


@app.command(name="import", epilog="Example: iati import ../registry-folder")
def import_(
    source: Annotated[str, typer.Argument(help="A folder with registry.json, or its http(s) URL.", metavar="SOURCE")],
    accept_shrinkage: Annotated[
        bool, typer.Option("--accept-shrinkage", help="Import although half or more of what is registered would go.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring reporting organisations and datasets into the registry. Repeatable; the source is remembered."""
    house = house_for(data_dir)
    with writing_house(house):
        result = _import(house, source, accept_shrinkage=accept_shrinkage)
    _print_import(result)
    if result.refused:
        raise typer.Exit(EXIT_FAILED)


@app.command(epilog="Example: iati refresh --org acme-foundation --json")
def refresh(
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset (repeatable).", metavar="NAME")] = None,
    org: Annotated[list[str] | None, typer.Option(help="Only this reporting organisation's datasets (repeatable).", metavar="NAME")] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch in full even what looks unchanged.")] = False,
    no_import: Annotated[bool, typer.Option("--no-import", help="Do not read the remembered sources again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """One cycle: fetch what is due, process what is new, publish. Exit 0 even if some publishers fail, 1 if the cycle failed."""
    house = house_for(data_dir)
    with writing_house(house):
        cycle = _cycle(house, names=dataset or [], organisations=org or [], force=force, import_sources=not no_import, quiet=as_json)
    if as_json:
        sys.stdout.write(orjson.dumps(cycle.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _print_cycle(cycle)


@app.command(epilog="Example: iati serve --only datastore --only bulk-data --port 8080 --workers 2")
def serve(
    only: Annotated[list[str] | None, typer.Option(help="Serve only this system (repeatable).", metavar="SYSTEM")] = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, max=64)] = 1,
    data_dir: DataDir = None,
) -> None:
    """Serve without refreshing; an empty platform, too."""
    from iati_platform.app import SYSTEMS
    from iati_platform.cli.serving import require_free

    unknown = sorted(set(only or []) - set(SYSTEMS))
    if unknown:
        raise CommandError(f"unknown system {unknown[0]}: choose from {', '.join(SYSTEMS)}", EXIT_USAGE)
    require_free(host, port)
    os.environ.setdefault("IATI_PUBLIC_URL", f"http://{host}:{port}")
    _serve(house_for(data_dir), host, port, only=only or [], workers=workers)


@app.command(epilog="Example: iati demo ./demo-registry && iati up --source ./demo-registry")
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write it (made when missing).", metavar="DIR")],
    seed: Annotated[int, typer.Option(help="Another seed gives another registry.")] = 1,
) -> None:
    """Write the demonstration registry: realistic, invented, with the mistakes people meet."""
    from iati_platform import demo as demonstration

    written = demonstration.write(folder, seed)
    out.print(
        f"{written.organisations} organisations, {written.datasets} datasets, {written.activities:,} activities, "
        f"{written.size / 1e6:.1f} MB in {folder}",
        highlight=False,
    )


@app.command(epilog="Example: iati doctor")
def doctor(data_dir: DataDir = None) -> None:
    """Check configuration, engines, disk, reference data and the current generation; say what to do."""
    from iati_platform.pipeline.check import examine

    house = house_for(data_dir)
    findings = examine(house)
    table = Table("", "check", "result", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(
            {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "bad": "[red]✗[/red]"}[finding.state], finding.name, finding.text
        )
    out.print(table)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


# -- the parts they share -------------------------------------------------------------------------------------------------


def _import(house: House, source: str, *, accept_shrinkage: bool = False) -> ImportResult:
    from iati_platform.registry.importers import import_source

    return import_source(house.engine, source, allow_private=house.settings.fetch_allow_private, accept_shrinkage=accept_shrinkage)


def _print_import(result: ImportResult) -> None:
    if result.refused:
        err.print(f"iati: import refused: {result.refused}", style="red", highlight=False, markup=False)
        return
    for name, tally in (("organisations", result.organisations), ("datasets", result.datasets)):
        out.print(f"{name}: {tally.added} added, {tally.changed} changed, {tally.gone} gone, {tally.unchanged} unchanged", highlight=False)
    for remark in result.rejected[:20]:
        err.print(f"skipped {remark.kind} {remark.name}: {remark.reason}", highlight=False, markup=False)
    if len(result.rejected) > 20:
        err.print(f"… and {len(result.rejected) - 20} more records skipped", highlight=False)
    for name in result.held:
        err.print(f"kept: every dataset of {name} left the source at once; look, then import with --accept-shrinkage", highlight=False)


def _cycle(
    house: House,
    *,
    names: list[str] | None = None,
    organisations: list[str] | None = None,
    force: bool = False,
    import_sources: bool = True,
    quiet: bool = False,
) -> Cycle:
    from iati_platform.pipeline.progress import Bars, Silent
    from iati_platform.pipeline.refresh import refresh as run

    if quiet or not err.is_terminal:
        return run(house, names=names or [], organisations=organisations or [], force=force, import_sources=import_sources, report=Silent())
    with Bars(err) as bars:
        return run(house, names=names or [], organisations=organisations or [], force=force, import_sources=import_sources, report=bars)


def _print_cycle(cycle: Cycle) -> None:
    for result in cycle.imports:
        if result.refused:
            err.print(f"source left as it was: {result.refused}", style="yellow", highlight=False, markup=False)
    summary = cycle.as_json()
    totals = summary["totals"]
    out.print(
        f"checked {summary['checked']:,}: {summary['changed']:,} changed, {summary['unchanged']:,} unchanged, "
        f"{summary['failed_downloads']:,} failed",
        highlight=False,
    )
    for cause, number in sorted(summary["errors"].items(), key=lambda item: -item[1]):
        out.print(f"  {number:>6,}  {cause}", highlight=False)
    out.print(f"processed {summary['processed']:,} files ({summary['bytes_processed'] / 1e6:,.1f} MB)", highlight=False)
    for name, keys in (("could not be processed", cycle.failed), ("ended their worker and were set aside", cycle.poison)):
        if keys:
            out.print(f"  {len(keys)} {name}: {', '.join(key[:12] for key in keys[:5])}", highlight=False)
    if totals:
        out.print(
            f"generation {summary['generation']}: {totals['datasets_with_copy']:,} of {totals['datasets']:,} datasets, "
            f"{totals['activities']:,} activities ({totals['admitted']:,} searchable in the collections), "
            f"{totals['transactions']:,} transactions",
            highlight=False,
        )


def _serve(house: House, host: str, port: int, *, only: list[str], workers: int) -> None:
    import uvicorn

    from iati_platform.app import create_app
    from iati_platform.cli.serving import configure_logging

    configure_logging(house.settings)
    options = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
    }
    if workers == 1:
        uvicorn.run(create_app(house, only=only), **options)  # type: ignore[arg-type]
        return
    os.environ["_IATI_SERVE_ONLY"] = ",".join(only)
    os.environ["IATI_DATA_DIR"] = str(house.folder)
    uvicorn.run("iati_platform.app:from_environment", factory=True, workers=workers, **options)  # type: ignore[arg-type]


def _keep_refreshing(house: House, stop: threading.Event, at_once: bool) -> None:
    """Cycles in a process of their own, so that readers never wait for one."""
    interval = house.settings.refresh_interval
    while at_once or not stop.wait(interval):
        at_once = False
        if stop.is_set():
            return
        command = [sys.executable, "-m", "iati_platform.cli", "refresh", "--data-dir", str(house.folder)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 (our own command)
        if done.returncode:
            err.print(
                f"refresh ended with status {done.returncode}: {done.stderr.strip().splitlines()[-1:] or ''}", highlight=False, markup=False
            )


def disk_free(folder: Path) -> int:
    """Free bytes where `folder` lies."""
    return shutil.disk_usage(folder).free
