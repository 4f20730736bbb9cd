"""A whole platform started the way a user starts it, for tests that talk to it from outside."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

# Generous: the demonstration is processed on whatever machine this is, with other tests beside it.
START_SECONDS = 300


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without settings of ours and without anything that would let the checkout shine through."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IATI_", "PYTHON", "MAKE", "MFLAGS", "VIRTUAL_ENV"))}
    return {**kept, **extra}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A platform that answers. log: what it printed so far."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path


@contextlib.contextmanager
def platform(iati: Sequence[str], folder: Path, *options: str, **environment: str) -> Iterator[Running]:
    """`iati up OPTIONS` in the folder (its data directory is folder/data) until it has something to show; stopped at the end."""
    port = free_port()
    log = folder / "platform.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*iati, "up", *options, "--port", str(port)],
            cwd=folder,
            env=clean_environment(NO_COLOR="1", **environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(f"http://127.0.0.1:{port}", port, process, log)
    try:
        _wait(running)
        yield running
    finally:
        stop(process)


def _wait(running: Running) -> None:
    """Until /ready answers 200 and the first generation is searchable; the log is in the failure when it never comes."""
    deadline = time.monotonic() + START_SECONDS
    seen = "no answer"
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            raise AssertionError(f"iati up ended with {running.process.returncode}:\n{running.log.read_text(errors='replace')}")
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
            ready = httpx.get(f"{running.url}/ready", timeout=10)
            seen = f"/ready answered {ready.status_code}"
            if ready.status_code == httpx.codes.OK and found(running.url) > 0:
                return
        time.sleep(0.3)
    raise AssertionError(f"nothing to show after {START_SECONDS} s ({seen}):\n{running.log.read_text(errors='replace')}")


def found(url: str, query: str = "*:*") -> int:
    """How many activities the Datastore finds."""
    answer = httpx.get(f"{url}/datastore/activity/select", params={"q": query, "rows": 0}, timeout=30)
    return int(answer.raise_for_status().json()["response"]["numFound"])


def stop(process: subprocess.Popen[bytes]) -> int:
    """Asks it to stop as a terminal does (Ctrl-C); returns its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
