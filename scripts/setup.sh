#!/usr/bin/env bash
# Installs what this machine lacks, and says what and why: `scripts/setup.sh run` or `scripts/setup.sh test`.
#
# What is present is left alone. Only Debian's packages are installed (as root, or with sudo); a missing Rust
# toolchain is reported, not fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
missing=()

need() { # need PACKAGE REASON COMMAND...: the package is missing when the command fails
    local package=$1 reason=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        echo "setup: installing $package: $reason"
        missing+=("$package")
    fi
}

can_link() { # whether the C compiler finds a library's file to link with; it echoes the bare name when not
    [ "$(gcc -print-file-name="$1")" != "$1" ]
}

install_missing() {
    local sudo=()
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        echo "setup: this is not a Debian system; please install the equivalents of: ${missing[*]}" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo)
        if ! command -v sudo >/dev/null; then
            echo "setup: please run as root: apt-get install ${missing[*]}" >&2
            exit 1
        fi
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    # Tests start servers of their own; the services that Debian starts at install would hold their usual ports.
    for pair in nginx-light:nginx postgresql:postgresql redis-server:redis-server; do
        if [[ " ${missing[*]} " == *" ${pair%%:*} "* ]] && [ -d /run/systemd/system ]; then
            "${sudo[@]}" systemctl disable --now "${pair##*:}"
        fi
    done
}

check_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
    if [ "$(printf '%s\n' "$wanted" "${have:-0}" | sort -V | head -1)" != "$wanted" ]; then
        echo "setup: llmgw needs Rust $wanted or newer (found: ${have:-none}); see rustup's site, or run: rustup update" >&2
        exit 1
    fi
}

check_rust_component() { # check_rust_component COMPONENT REASON COMMAND...
    local component=$1 reason=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        echo "setup: installing the Rust component $component: $reason"
        rustup component add "$component"
    fi
}

need python3-venv "makes .venv, where llmgw's Python packages live" scripts/find-python.sh
need g++ "links the C++ runtime of the matching engine" can_link libstdc++.so
need pkg-config "tells the build where libraries are" pkg-config --version
if [ "$(uname -m)" = x86_64 ]; then # Hyperscan exists for no other
    need libhyperscan-dev "the matching engine of the guardrails" can_link libhs.a
fi
if [ "$purpose" = test ]; then
    need nginx-light "the upstream and the yardstick of the end-to-end tests" env PATH="$PATH:/usr/sbin" nginx -v
    need postgresql "a store that the tests share" compgen -G '/usr/lib/postgresql/*/bin/initdb'
    need redis-server "a cluster's counters in tests" redis-server --version
fi
install_missing

check_rust
if [ "$purpose" = test ]; then
    check_rust_component rustfmt "checks how Rust is laid out" cargo fmt --version
    check_rust_component clippy "checks Rust for faults" cargo clippy --version
fi
