"""The runner: every key gets exactly one outcome, whatever its task does to the worker."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Executor
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from iati_platform.pipeline.executor import Immediate, Outcome, process_pool, run


def work(key: str) -> str:
    """Keys say what happens: `kill…` ends the worker, `raise…` fails, anything else is echoed in capitals."""
    if key.startswith("kill"):
        os._exit(9)
    if key.startswith("raise"):
        raise ValueError(key)
    return key.upper()


def two_processes() -> Executor:
    return process_pool(2)


def by_key(outcomes: list[Outcome]) -> dict[str, Outcome]:
    assert len({o.key for o in outcomes}) == len(outcomes), "a key was answered twice"
    return {o.key: o for o in outcomes}


def test_a_file_that_kills_its_worker_is_isolated_and_all_others_are_processed() -> None:
    keys = [f"file{i}" for i in range(20)]
    keys.insert(7, "kill-1")
    keys.insert(15, "kill-2")
    keys.insert(3, "raise-1")
    outcomes = by_key(list(run(two_processes, work, keys, window=6)))
    assert {k: o.result for k, o in outcomes.items() if o.error is None} == {f"file{i}": f"FILE{i}" for i in range(20)}
    assert sorted(k for k, o in outcomes.items() if o.poison) == ["kill-1", "kill-2"]
    assert outcomes["raise-1"].error == "ValueError: raise-1"
    assert not outcomes["raise-1"].poison


def test_no_pool_is_started_when_there_is_nothing_to_do() -> None:
    def never() -> Executor:
        raise AssertionError("a pool was started")

    assert list(run(never, work, [], window=4)) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "raise-x", "raise-y", "d", "e"]), unique=True), st.integers(1, 5))
def test_inline_gives_every_key_one_outcome(keys: list[str], window: int) -> None:
    outcomes = by_key(list(run(Immediate, work, keys, window=window)))
    assert set(outcomes) == set(keys)
    assert {k for k, o in outcomes.items() if o.error} == {k for k in keys if k.startswith("raise")}


def test_results_come_from_other_processes() -> None:
    outcomes = list(run(two_processes, partial(pid_of), ["x", "y"], window=2))
    assert all(o.result != os.getpid() for o in outcomes)


def pid_of(_: str) -> int:
    return os.getpid()


def test_workers_leave_when_their_process_is_killed() -> None:
    program = (
        "import time\n"
        "from tests.pipeline.test_executor import pid_of, two_processes\n"
        "if __name__ == '__main__':\n"
        "    pool = two_processes()\n"
        "    print(*[pool.submit(pid_of, str(n)).result() for n in range(4)], flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    process.kill()
    # Workers share the pipe: it ends only when the last of them is gone.
    process.communicate(timeout=30)
    assert process.returncode == -9
