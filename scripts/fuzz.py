"""Fuzz what promises to survive any bytes, and keep the inputs that reach the most.

Run with `python scripts/fuzz.py --seconds 600`. Each target of `rust/fuzz` starts from the fixtures and
from the corpus that was kept (`tests/fixtures/corpus/TARGET.jsonl`). Needs cargo-fuzz. The compiler
has to instrument the code, which a stable one does as well if told that it may. Exits with 1 when an input
breaks a promise: it lies in the folder of its run then, and `--replay` shows what it breaks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
CORPUS = FIXTURES / "corpus"
TRANSLATED = ROOT / "rust" / "formats" / "tests" / "golden" / "requests"
TOKENS = ROOT / "rust" / "core" / "src" / "jwt" / "tests" / "vectors.json"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "fuzz"

FORMATS = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini_generate",
    "bedrock_converse",
    "cohere_chat",
)
TARGETS = (
    *("value", "object", "frames", "messages", "relay", "journal", "jwt"),
    *(f"{what}_{name}" for what in ("requests", "replies", "streams", "errors") for name in FORMATS),
)
JOURNAL_FAULTS = (b"\0\0\0\0\0", b"\1\0\x50\0\x01", b"\2\0\x50\0\0", b"\3\0\x34\0\x17", b"\4\0\x34\0\x17")
"""One of each kind (`rust/core/tests/fuzzed/journal.rs`)."""
LONGEST = 8192
"""Bytes of an input."""
MOST_KEPT = 48 * 1024
"""Bytes that are kept of a target: all of them together stay below 2 MB."""
LIMITS = ("-timeout=10", "-rss_limit_mb=512", f"-max_len={LONGEST}")


@dataclass(frozen=True)
class Run:
    """One target and where its files are."""

    name: str

    @property
    def folder(self) -> Path:
        """Everything of it."""
        return TARGET / "runs" / self.name

    def start(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """The program at this target."""
        command = ["nice", "-n", "19", program(), f"-artifact_prefix={self.folder}/", *LIMITS, *arguments]
        environment = {**os.environ, "LLMGW_FUZZ_TARGET": self.name}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", check=False
        )


@cache
def program() -> Path:
    """What `build` builds."""
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host: str = re.findall(r"^host: (.*)$", told, re.MULTILINE)[0]
    return TARGET / host / "release" / "llmgw-fuzz"


def main() -> int:
    """Build, fuzz, and keep; returns 1 when something broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--targets", default="*", help="a pattern, as 'streams_*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--keep", action="store_true", help="write the corpus anew, as small as it can be")
    parser.add_argument("--replay", type=Path, help="an input that broke something, with one target")
    options = parser.parse_args()
    chosen = [Run(name) for name in TARGETS if fnmatch(name, options.targets)]
    build()
    if options.replay:
        done = chosen[0].start(options.replay)
        print(done.stderr)
        return done.returncode
    with ThreadPoolExecutor(options.jobs) as pool:
        broken = list(pool.map(lambda run: fuzz(run, options.seconds), chosen))
        if options.keep:
            CORPUS.mkdir(exist_ok=True)
            list(pool.map(keep, chosen))
    return 1 if any(broken) else 0


def build() -> None:
    """Build the one program that has all targets."""
    command = ["cargo", "fuzz", "build", "--fuzz-dir", "rust/fuzz", "--sanitizer", "none"]
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(TARGET)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def fuzz(run: Run, seconds: int) -> bool:
    """Fuzz one target; whether something broke."""
    seeds = run.folder / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    seeds.mkdir(parents=True)
    found = run.folder / "found"
    found.mkdir(exist_ok=True)
    for data in (*fixtures(run.name), *kept(run.name)):
        if len(data) <= LONGEST:
            (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    done = run.start(f"-max_total_time={seconds}", "-print_final_stats=1", found, seeds)
    (run.folder / "log").write_text(done.stderr)
    told = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    print(
        f"{run.name:28} {told.get('number_of_executed_units', '?'):>10} runs,"
        f" {told.get('peak_rss_mb', '?'):>4} MB at most{'' if done.returncode == 0 else '  BROKEN'}",
        flush=True,
    )
    if done.returncode != 0:
        print(done.stderr[-4000:], file=sys.stderr)
    return done.returncode != 0


def keep(run: Run) -> None:
    """Write the smallest inputs that reach what all of them reach, as many as have room."""
    least = run.folder / "least"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    run.start("-merge=1", least, run.folder / "seeds", run.folder / "found")
    inputs = sorted((path.read_bytes() for path in least.iterdir()), key=lambda data: (len(data), data))
    room = MOST_KEPT
    lines = []
    for line in map(as_line, inputs):
        room -= len(line.encode()) + 1
        if room < 0:
            break
        lines.append(line)
    (CORPUS / f"{run.name}.jsonl").write_text("".join(line + "\n" for line in sorted(lines)))


def as_line(data: bytes) -> str:
    """An input as a line of the corpus."""
    try:
        return json.dumps(data.decode())
    except UnicodeDecodeError:
        return json.dumps({"hex": data.hex()})


def kept(target: str) -> Iterator[bytes]:
    """The inputs that were kept."""
    path = CORPUS / f"{target}.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            told = json.loads(line)
            yield told.encode() if isinstance(told, str) else bytes.fromhex(told["hex"])


def fixtures(target: str) -> Iterator[bytes]:
    """What clients and providers say to each other, as far as it concerns a target."""
    what, _, name = target.partition("_")
    match what:
        case "value" | "object":
            for one in FORMATS:
                yield from (*requests(one), *replies(one), *errors(one))
        case "frames" | "relay":
            yield from (path.read_bytes() for path in sorted(FIXTURES.glob("streams/*/*.sse")))
        case "journal":
            # Records, then what happens to their bytes.
            yield from (b"\x03\x01one\x03\x02two\x00\x03\x05three" + fault for fault in JOURNAL_FAULTS)
        case "messages":
            yield from (path.read_bytes() for path in sorted(FIXTURES.glob("streams/*/*.bin")))
        case "jwt":
            yield from tokens()
        case "requests":
            yield from requests(name)
        case "replies":
            yield from replies(name)
        case "streams" if name == "bedrock_converse":
            yield from (as_events(loaded(path)) for path in sorted(FIXTURES.glob(f"streams/{name}/*.json")))
        case "streams":
            yield from (path.read_bytes() for path in sorted(FIXTURES.glob(f"streams/{name}/*.sse")))
        case "errors":
            for path, body in zip(error_files(name), errors(name), strict=True):
                yield path.stem[:3].encode() + b"\n" + body


def tokens() -> Iterator[bytes]:
    """Genuine tokens and forged ones, short enough to be changed."""
    told = loaded(TOKENS)
    forged = (case["token"] for case in told["forged"].values())
    yield from (token.encode() for token in (*told["genuine"].values(), *forged) if len(token) < LONGEST)


def loaded(path: Path) -> Any:
    """What a JSON file says."""
    return json.loads(path.read_text())


def compact(value: Any) -> bytes:
    """JSON as clients send it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def requests(name: str) -> Iterator[bytes]:
    """Conversations, in a dialect of clients or as they are translated for an upstream."""
    for path in sorted(FIXTURES.glob("conversations/*.json")):
        if body := loaded(path).get(name):
            yield compact(body)
    if name in {"bedrock_converse", "cohere_chat"}:
        for path in sorted(TRANSLATED.glob("*.json")):
            found = (upstreams.get(name, {}).get("body") for upstreams in loaded(path).values())
            yield from (compact(body) for body in found if body)


def replies(name: str) -> Iterator[bytes]:
    """Whole replies."""
    yield from (compact(loaded(path)) for path in sorted(FIXTURES.glob(f"replies/{name}/*.json")))


def error_files(name: str) -> list[Path]:
    """Where the errors are."""
    return sorted(FIXTURES.glob(f"errors/{name}/*.json"))


def errors(name: str) -> Iterator[bytes]:
    """Bodies of errors."""
    for path in error_files(name):
        body = loaded(path)["body"]
        yield body.encode() if isinstance(body, str) else compact(body)


def as_events(events: list[dict[str, Any]]) -> bytes:
    """Bedrock's events as server-sent ones."""
    told = ((name, payload) for event in events for name, payload in event.items())
    return b"".join(b"event: %s\ndata: %s\n\n" % (name.encode(), compact(payload)) for name, payload in told)


if __name__ == "__main__":
    sys.exit(main())
