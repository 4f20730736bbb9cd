"""Fifty kills with -9 over a whole cycle, each followed by a restart and a comparison of counts, hashes, index and ZIPs.

The rounds are those of tests/acceptance/test_killed.py (the suite runs a few); the seed is printed and can be set with IATI_TEST_KILL_SEED.
"""

import os
import subprocess
import sys


def main() -> int:
    rounds, seed = os.environ.get("IATI_TEST_KILLS", "50"), os.environ.get("IATI_TEST_KILL_SEED", "20261122")
    print(f"{rounds} rounds, seed {seed}")
    environment = {**os.environ, "IATI_TEST_KILLS": rounds, "IATI_TEST_KILL_SEED": seed}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/acceptance/test_killed.py"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
