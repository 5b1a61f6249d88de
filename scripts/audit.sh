#!/usr/bin/env bash
# Looks for known weaknesses, licences and sources that deny.toml does not allow, in crates and Python packages.
#
# Apart from `make test`, because its answer changes without a change of ours, and because it asks the network.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
cargo deny --locked check

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$(scripts/find-python.sh)" -m venv "$tools"
"$tools/bin/pip" install --quiet pip-audit==2.10.1
for lock in requirements/{run,build,dev,model}.txt; do
    "$tools/bin/pip-audit" --strict --disable-pip --require-hashes --requirement "$lock"
done
