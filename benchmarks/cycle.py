"""The whole cycle over a generated registry: from nothing to served, then with nothing changed, then with 1 % changed under readers.

    python -m benchmarks.cycle [--corpus DIR] [--datasets 9000] [--bytes 2.5e9]

Without --corpus a registry is made with ../shared/tools/gen_corpus.py (seed 1). The yardstick is one plain lxml parse of the same bytes in
the same run. CPU is that of all processes; memory the largest sum of all processes' proportional set sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._processes import Measured, adopt_orphans, measure, tree_memory

ROOT = Path(__file__).parent.parent
GENERATOR = ROOT.parent / "shared" / "tools" / "gen_corpus.py"
PLAIN_PARSE = """
import sys
from pathlib import Path
from lxml import etree
size = 0
for path in sorted(Path(sys.argv[1]).rglob("*.xml")):
    data = path.read_bytes()
    size += len(data)
    try:
        etree.fromstring(data, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError:
        pass
print(size)
"""


def iati(*arguments: str, data: Path) -> list[str]:
    return [sys.executable, "-m", "iati_platform.cli", *arguments, "--data-dir", str(data)]


def change(corpus: Path, share: float) -> int:
    """Edit a share of the files, chosen by a fixed seed: one more comment in the first title."""
    files = sorted(corpus.rglob("*.xml"))
    chosen = random.Random(5).sample(files, max(1, int(len(files) * share)))
    for file in chosen:
        data = file.read_bytes()
        target = file.with_suffix(".new")
        target.write_bytes(
            data.replace(b"</title>", b" (edited)</title>" if b"<narrative" not in data[:3000] else b"<!-- edited --></title>", 1)
        )
        target.replace(file)
    return len(chosen)


def readers(base: str, stop: threading.Event, times: list[float], errors: list[str]) -> None:
    """Ask as people do, one request after the other, until told to stop."""
    questions = [
        "/datastore/activity/select?q=title_narrative:water&rows=10",
        "/datastore/transaction/select?q=recipient_country_code:KE&rows=10",
        "/datastore/activity/select?q=*:*&facet=false&rows=0",
        "/bulk-data/indices-meta",
        "/",
    ]
    number = 0
    while not stop.is_set():
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(base + questions[number % len(questions)], timeout=30) as answer:
                answer.read()
        except OSError as error:
            errors.append(f"{questions[number % len(questions)]}: {error}")
        times.append(time.perf_counter() - began)
        number += 1
        time.sleep(0.02)


def served(data: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    port = 18000 + os.getpid() % 1000
    process = subprocess.Popen([*iati("serve", "--port", str(port), data=data)], env=environment, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            with urllib.request.urlopen(base + "/ready", timeout=5):
                return process, base
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the platform did not start serving")


def line(name: str, measured: Measured, floor: float, size: int) -> str:
    return (
        f"{name:<22} wall {measured.wall:8.1f} s   CPU {measured.cpu:8.1f} s   {measured.cpu / floor:6.2f} x parse   "
        f"{size / 1e6 / measured.cpu:6.1f} MB/s of CPU   peak {measured.peak / 1e6:7.0f} MB"
    )


def shares(summary: dict[str, Any], total: float, floor: float, size: int) -> list[str]:
    """Seconds of each step. Worker steps are wall seconds inside the workers, the rest CPU of the main process."""
    steps = {f"process: {name}": value for name, value in summary["worker_seconds"].items()}
    steps.update({name: value for name, value in summary["cpu_seconds"].items() if name not in ("publish",)})
    return [
        f"    {name:<24} {value:8.1f} s  {value / total:6.1%}  {value / floor:6.2f} x parse  {size / 1e6 / value if value else 0:9.1f} MB/s"
        for name, value in sorted(steps.items(), key=lambda item: -item[1])
        if value >= 0.005 * total
    ]


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)] * 1000 if times else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--datasets", type=int, default=int(os.environ.get("BENCH_DATASETS", "9000")))
    parser.add_argument("--bytes", type=float, default=float(os.environ.get("BENCH_BYTES", "2.5e9")))
    options = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="iati-cycle-") as folder:
        base = Path(folder)
        corpus = base / "corpus"
        if options.corpus:
            shutil.copytree(options.corpus, corpus)
        elif GENERATOR.exists():
            print(f"making {options.datasets} datasets, {options.bytes / 1e9:.1f} GB, seed 1 …", flush=True)
            arguments = ["--bytes", str(options.bytes), "--orgs", str(max(10, options.datasets // 6)), "--datasets", str(options.datasets)]
            subprocess.run(
                [sys.executable, str(GENERATOR), "--out", str(corpus), *arguments, "--seed", "1", "--jobs", "2"],
                check=True,
                capture_output=True,
            )
        else:
            print("needs --corpus DIR, or the generator next to the checkout", file=sys.stderr)
            return 2
        return report(base, corpus)


def report(base: Path, corpus: Path) -> int:
    data = base / "data"
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("IATI_")}, "IATI_TODAY": "2026-11-01"}
    parse = measure([sys.executable, "-c", PLAIN_PARSE, str(corpus)], environment)
    size = int(parse.stdout)
    floor = parse.cpu
    datasets = len(json.loads((corpus / "registry.json").read_bytes())["datasets"])
    print(f"{today()}: {datasets} datasets, {size / 1e6:.0f} MB, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}")
    print(f"{'plain lxml parse':<22} wall {parse.wall:8.1f} s   CPU {parse.cpu:8.1f} s   (reading included)", flush=True)
    imported = measure(iati("import", str(corpus), data=data), environment)
    print(line("import", imported, floor, size))
    cold = measure(iati("refresh", "--no-import", "--json", data=data), environment)
    summary = json.loads(cold.stdout)
    print(line("cold cycle", cold, floor, size))
    print("\n".join(shares(summary, cold.cpu, floor, size)))
    total = imported.cpu + cold.cpu
    print(f"    from nothing to served: CPU {total:.1f} s = {total / floor:.2f} x parse (target 25, stretch 20)", flush=True)
    same = measure(iati("refresh", "--json", data=data), environment)
    print(line("nothing changed", same, floor, size))
    print(f"    {same.cpu / total:.2%} of the first (target below 2 %)")
    process, address = served(data, environment)
    try:
        quiet, busy, errors = [], [], []
        run_readers(address, quiet, errors, lambda: time.sleep(8))
        changed = change(corpus, 0.01)
        results: list[Measured] = []
        run_readers(address, busy, errors, lambda: results.append(measure(iati("refresh", "--json", data=data), environment)))
        print(line(f"{changed} files changed", results[0], floor, size))
        print(f"    {results[0].cpu / total:.2%} of the first for {changed / datasets:.2%} of the files")
        print(
            f"    readers: {len(quiet)} requests before "
            f"(median {statistics.median(quiet) * 1000:.1f} ms, p95 {percentile(quiet, 0.95):.1f} ms), "
            f"{len(busy)} during "
            f"(median {statistics.median(busy) * 1000:.1f} ms, p95 {percentile(busy, 0.95):.1f} ms), {len(errors)} errors"
        )
        print(f"    serving process: {tree_memory(process.pid) / 1e6:.0f} MB")
    finally:
        process.terminate()
        process.wait()
    disk = sum(path.stat().st_size for path in data.rglob("*") if path.is_file() and path.stat().st_nlink == 1)
    print(f"    data directory: {disk / 1e6:.0f} MB (files of one generation only)")
    return 1 if errors else 0


def run_readers(address: str, times: list[float], errors: list[str], meanwhile: Any) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=readers, args=(address, stop, times, errors))
    thread.start()
    meanwhile()
    stop.set()
    thread.join()


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


if __name__ == "__main__":
    sys.exit(main())
