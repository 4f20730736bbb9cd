import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from iati_platform.storage.lock import Holder, WriterBusy, WriterLock, holder, is_held

ROOT = Path(__file__).parent.parent.parent


def start(data_dir: Path, after: str) -> subprocess.Popen[str]:
    """Another process that takes the lock, says so, and goes on with `after`."""
    program = f"""
import os, signal, sys, time
from pathlib import Path
from iati_platform.storage.lock import WriterLock
sys.argv = ["/usr/bin/iati", "refresh", "--secret"]
lock = WriterLock(Path({str(data_dir)!r})).acquire()
print("held", flush=True)
{after}
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT / "src")})
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    process = start(tmp_path, "time.sleep(60)")
    try:
        assert is_held(tmp_path)
        with pytest.raises(WriterBusy) as caught:
            WriterLock(tmp_path).acquire(wait_seconds=0.2)
        other = caught.value.holder
        assert other == holder(tmp_path)
        assert isinstance(other, Holder)
        assert (other.pid, other.command) == (process.pid, "iati refresh")
        assert str(caught.value) == (
            f"{tmp_path} is being written by process {process.pid} (iati refresh), since {other.since}: "
            "wait for it or stop it, then try again"
        )
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def test_a_killed_writer_lets_go_also_with_workers_that_live_on(tmp_path: Path) -> None:
    process = start(tmp_path, "if os.fork() == 0: time.sleep(60)\nos.kill(os.getpid(), signal.SIGKILL)")
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()  # type: ignore[union-attr]
    # A child forked in the very moment of the kill needs an instant to let go; one that kept the lock would keep it for a minute.
    with WriterLock(tmp_path).acquire(wait_seconds=30):
        other = holder(tmp_path)
        assert other is not None
        assert other.pid == os.getpid()


def test_a_writer_waits_for_the_other_to_finish(tmp_path: Path) -> None:
    first = WriterLock(tmp_path).acquire()
    threading.Timer(0.3, first.release).start()
    with WriterLock(tmp_path).acquire(wait_seconds=30):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_one_process_does_not_hold_it_twice(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path)
    with lock.acquire():
        with pytest.raises(WriterBusy):
            WriterLock(tmp_path).acquire()
        with pytest.raises(RuntimeError):
            lock.acquire()
    lock.release()
    with lock:
        assert is_held(tmp_path)
    assert holder(tmp_path) is None


def test_nobody_holds_a_directory_that_was_never_written(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert holder(tmp_path) is None
    (tmp_path / "writer.lock").write_text("half a li")
    assert holder(tmp_path) is None
