#!/bin/sh
# Prints the first Python that can build and run llmgw: 3.11 or newer, able to make virtual environments.
#
# Each candidate is run, not only found: a version manager's shim exists even when no version stands behind it.
set -eu

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$candidate" -c 'import sys; print(sys.executable)'
    fi
done
echo "llmgw needs Python 3.11 or newer with the modules venv and ensurepip; none was found." >&2
exit 1
