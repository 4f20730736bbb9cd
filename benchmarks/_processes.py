"""CPU and memory of whole process trees, orphans included."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass

import psutil

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """One command: its output, wall seconds, CPU seconds of all its processes, largest sum of their memory (PSS, bytes)."""

    stdout: str
    wall: float
    cpu: float
    peak: int


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants (Linux), so that the CPU of fork servers and their workers is counted too."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(command: list[str], environment: dict[str, str]) -> Measured:
    """Run `command` to its end; raises CalledProcessError when it fails."""
    before, began = _children_cpu(), time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.5):
            peak = max(peak, tree_memory(os.getpid()) - own())

    def own() -> int:
        try:
            return int(psutil.Process().memory_full_info().pss)
        except psutil.Error:
            return 0

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    stdout, _ = process.communicate()
    wall = time.perf_counter() - began
    done.set()
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    _reap()
    return Measured(stdout, wall, _children_cpu() - before, peak)


def _reap() -> None:
    """Wait for adopted orphans (fork server, workers): they end when the command has."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.05)


def tree_memory(pid: int) -> int:
    """Proportional set size of a process and all its descendants."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total
