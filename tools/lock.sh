#!/usr/bin/env bash
# Writes the three lock files (requirements*.txt) with hashes of every published file of each release, so that the same lock serves
# Linux and macOS, and without any index address, so that each machine uses the index it is configured for.
# Without arguments known versions are kept; `tools/lock.sh --upgrade` (make lock ARGS=--upgrade) moves everything on.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"
export CUSTOM_COMPILE_COMMAND="make lock"
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL || true

lock() { # lock OUTPUT INPUT [OPTION...]
  echo "locking $1"
  "$python" -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host \
    --no-emit-find-links --output-file "$1" "$2" "${@:3}"
}

lock requirements.txt pyproject.toml "$@"
lock requirements-build.txt requirements-build.in "$@"
lock requirements-dev.txt requirements-dev.in "$@"
"$python" tools/check_locks.py
