"""The native core, as Python sees it."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import final

__version__: str
DEBUG_BUILD: bool

# ── tokens ──────────────────────────────────────────────────────────────────────────────────────

def count_tokens(text: str, family: str = "o200k") -> int:
    """The number of tokens of a text.

    Exact for "o200k" and "cl100k", as tiktoken's `encode_ordinary` counts: special tokens in the
    text are ordinary text. For "claude", "gemini", "llama", "mistral", "deepseek", "qwen" and "other"
    it is an estimate (the o200k count times a measured factor), see `is_exact_family`.

    Raises ValueError for an unknown family, UnicodeEncodeError for a lone surrogate.
    """

def token_family(model: str) -> str:
    """The family whose tokens a model counts in, by the model's name; "other" if unknown."""

def is_exact_family(name: str) -> bool:
    """Whether counts in this family are exact. Raises ValueError for an unknown family."""

# ── scan ────────────────────────────────────────────────────────────────────────────────────────

@final
class PatternSet:
    """Many patterns, found in one pass over bytes.

    The syntax is that of Rust's `regex` crate over bytes, without look-around and back-references:
    `\\d`, `\\w`, `\\s` and `\\b` are ASCII, `$` is the very end, `(?u:[äö])` spells UTF-8, and `(?i)`,
    `(?s)`, `(?m)` set flags. Immutable; may be used by any number of threads.
    """

    def __new__(cls, patterns: Sequence[tuple[int, str]], engine: str = "auto") -> PatternSet:
        """Compile `(id, expression)` pairs: slow, so at start-up only.

        `engine` is `"hyperscan"`, `"rust"`, or `"auto"`: Hyperscan where it is there and takes every
        pattern, else Rust. Raises `ValueError` naming the pattern that was refused: malformed, too
        large, matching the empty text, or (Hyperscan only) not supported.
        """

    @property
    def engine(self) -> str:
        """The engine in use: `"hyperscan"` or `"rust"`."""

    def scan(self, data: bytes) -> list[tuple[int, int, int]]:
        """All `(id, start, end)` in `data`, sorted by start, end and id.

        A span is a maximal run of bytes covered by overlapping matches of one pattern. Raises
        `OverflowError` (nothing is returned) if there are more than 4096 ends of matches.
        """

    def stream(self) -> PatternStream:
        """Begin a text that arrives in pieces; the first call compiles the set for streaming."""

@final
class PatternStream:
    """A text that arrives in pieces. Offsets count from its beginning."""

    def feed(self, data: bytes) -> list[tuple[int, int]]:
        """Scan the next piece: every `(id, end)` at which a match is known to end, sorted by end.

        An end that depends on the next byte (`\\b`, `\\z`) is reported by the next call. Raises
        `OverflowError` after 4096 ends in one piece, and `RuntimeError` on a closed or failed stream.
        """

    def close(self) -> list[tuple[int, int]]:
        """End the text: the `(id, end)` that only this decides. A stream must always be closed."""

@final
class PiiScanner:
    """Personal data and secrets, found by trigger, verified by checksum, form and context."""

    def __new__(cls, engine: str = "auto") -> PiiScanner:
        """Compile the built-in catalogue; takes about a tenth of a second."""

    @property
    def engine(self) -> str:
        """The engine in use: `"hyperscan"` or `"rust"`."""

    def scan(self, text: bytes) -> list[tuple[str, int, int, float]]:
        """All `(kind, start, end, score)` in `text`: disjoint, sorted, scores from 0.6 to 1.

        Raises `OverflowError` on a text that triggers all over; treat it as a finding.
        """

# ── cache ───────────────────────────────────────────────────────────────────────────────────────

@final
class Cache:
    """Bytes under 32-byte keys, bounded in bytes, least recently used out first. Thread-safe."""

    def __new__(cls, max_bytes: int, ttl: float) -> Cache:
        """An empty cache; an entry lives for `ttl` seconds.

        `max_bytes` bounds values, keys and the tables' own share together.
        """

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, unless it has expired. ValueError if `key` is not 32 bytes."""

    def put(self, key: bytes, value: bytes) -> bool:
        """Keeps `value`; False when it alone is larger than the cache."""

    def clear(self) -> None:
        """Forgets everything and gives the memory back."""

    @property
    def held_bytes(self) -> int:
        """Bytes held."""

    def __len__(self) -> int:
        """Entries held, expired ones included."""

def request_key(scope: Sequence[bytes], body: bytes) -> bytes | None:
    """The 32-byte cache key of a JSON request within `scope`.

    Insignificant whitespace and the order of top-level members do not matter. None when the body
    is not a JSON object, or names a top-level member twice or with an escape.
    """

# ── limiter ─────────────────────────────────────────────────────────────────────────────────────

@final
class Limiter:
    """Token buckets, exact across all processes that open the same file."""

    def __new__(cls, path: str | PathLike[str] | None = None) -> Limiter:
        """Over the shared memory file at `path`, or over memory of this process alone.

        OSError when the file cannot be used: another's, open to others, or of another version.
        """

    def acquire(
        self, scope: str, cost: int, amount: int, window_seconds: float, burst: int | None = None
    ) -> tuple[bool, int, float]:
        """Takes `cost` units, all or nothing: (allowed, units left, seconds to wait).

        `amount` units flow in per window; a full bucket holds `burst` (`amount` unless given).
        """

    def settle(
        self, scope: str, delta: int, amount: int, window_seconds: float, burst: int | None = None
    ) -> None:
        """Charges `delta` units more than was taken, or gives back when it is negative."""

# ── journal ─────────────────────────────────────────────────────────────────────────────────────

class JournalFull(Exception):
    """Too many records wait for the disk, or it has no room for more: this one was not taken."""

@final
class Journal:
    """One process's append-only journal in a folder that many share; records are opaque bytes.

    It belongs to the process that opened it. Close it: an interpreter that ends may not.
    """

    def __new__(
        cls,
        folder: str | PathLike[str],
        segment_bytes: int = 16_777_216,
        max_waiting_bytes: int = 16_777_216,
        gather: float = 0.01,
    ) -> Journal:
        """Begin the journal of a new writer, and start the thread that writes it.

        The folder is made if need be. A segment has at least 128 KiB, which the disk has to have when it is
        made; the next one is made when this one is half full. The first record of a group waits `gather`
        seconds for others before it is forced to the disk. OSError when the folder or the first segment
        cannot be made.
        """

    @property
    def writer(self) -> str:
        """The name under which its records are found: 16 hex digits."""

    def append(self, payload: bytes) -> int:
        """Take a record of up to 64 KiB, without waiting for the disk; its sequence, counted from 0.

        From then on it is read back even if the process is killed; when it is durable, even if the machine
        stops.

        Raises:
            JournalFull: `max_waiting_bytes` wait for the disk, or no segment has room: one may in a moment,
                or when the disk is no longer full (`health` tells).
            ValueError: it is too large.
            RuntimeError: the journal is closed, or was opened by another process.
        """

    def durable(self) -> int:
        """The first sequence that is not on the disk yet: all before it are."""

    def wait(self, sequence: int, timeout: float | None = None) -> bool:
        """Block until a record is on the disk; False if it is not after `timeout` seconds.

        RuntimeError if it never will be.
        """

    def health(self) -> JournalHealth:
        """How far it is, and what keeps it from going on."""

    def close(self) -> None:
        """Take no more records, and wait until those that were taken are on the disk.

        OSError if the disk refused for five seconds: how many records may be lost, and why.
        """

@final
class JournalHealth:
    """How a journal is."""

    @property
    def taken(self) -> int:
        """Records that were taken."""

    @property
    def durable(self) -> int:
        """Records that are on the disk."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for the disk."""

    @property
    def is_open(self) -> bool:
        """Whether records are still taken."""

    @property
    def trouble(self) -> tuple[str, float, int] | None:
        """Why the disk refuses, since when (Unix seconds), and how often it was tried since; or None."""

@final
class JournalReader:
    """Iterates over `(writer, sequence, payload)` of a folder: writer by writer, each in order.

    Reads a folder that is being written as well; what comes later is for the next reader. OSError where a
    segment cannot be read; going on is possible then, with the next writer.
    """

    def __new__(cls, folder: str | PathLike[str], positions: dict[str, int] | None = None) -> JournalReader:
        """Of each writer in `positions`, records from that sequence on; of others, all.

        OSError when the folder cannot be listed; one that does not exist is empty.
        """

    def __iter__(self) -> JournalReader:
        """Itself."""

    def __next__(self) -> tuple[str, int, bytes]:
        """The next record."""

    @property
    def findings(self) -> list[tuple[str, Path, int, str]]:
        """What was found wrong so far: `(kind, file, offset, why)`.

        "torn" is what a crash leaves: nothing is missing that was durable. "corrupt" is damage.
        """

@final
class JournalFollower:
    """Reads the journals of a folder again and again, each time only what is new."""

    def __new__(cls, folder: str | PathLike[str], positions: dict[str, int] | None = None) -> JournalFollower:
        """Of each writer in `positions`, records from that sequence on; of others, all.

        ValueError for a name that is no writer's.
        """

    def read(
        self, most: int
    ) -> tuple[list[tuple[str, int, bytes]], list[tuple[str, Path, int, str]], bool, str | None]:
        """Up to `most` new records, each writer's in order: `(writer, sequence, payload)`.

        Then what was found wrong, each told once (as `JournalReader.findings`), whether the batch is full,
        and why a segment could not be read, which is tried again. OSError when the folder cannot be listed.
        """

    @property
    def ended(self) -> list[str]:
        """Writers that are dead, and all of whose records were read."""

def repair_journal(folder: str | PathLike[str]) -> list[tuple[Path, int, int, Path]]:
    """Cut off what dead writers left unfinished, and set it aside: `(file, offset, bytes, aside)` for each.

    Damage is left as it is.
    """

def remove_journal(folder: str | PathLike[str], writer: str, before: int, older_than: float = 0.0) -> int:
    """Remove the segments of a writer that hold only records before `before`; how many.

    The last one goes only if its writer is dead and nothing in it is broken. Those that were written to in
    the last `older_than` seconds stay, and what comes after them.
    """

# ── prices ──────────────────────────────────────────────────────────────────────────────────────

@final
class PriceList:
    """What a model costs, for what is priced once more."""

    def __new__(cls, price: bytes) -> PriceList:
        """Of a price as the snapshot has it (JSON). ValueError if it is none."""

    @property
    def source(self) -> str:
        """Where it is from."""

    def cost(self, used: dict[str, int], served: dict[str, int], tier: str | None = None) -> tuple[int, str]:
        """Nano-dollars for these amounts, under the ledger's names, and how far they are to be trusted."""

# ── metrics ─────────────────────────────────────────────────────────────────────────────────────

@final
class Metrics:
    """The Prometheus metrics of the machine."""

    def __new__(cls, path: str | PathLike[str] | None = None) -> Metrics:
        """Of the shared memory file at `path` (as `Limiter`), or of this process alone."""

    def render(self) -> str:
        """All metrics, in the text exposition format (version 0.0.4)."""

    def worker(self, index: int) -> WorkerMetrics:
        """Enrols this process as worker `index`, with nothing in hand."""

@final
class WorkerMetrics:
    """One worker's door to the metrics of the machine."""

    def enter(self) -> None:
        """A request came in."""

    def leave(self) -> None:
        """A request went out."""

    def record(self, endpoint: str, model: str, key: str, status: int, total_ns: int) -> None:
        """Notes a finished request that asked no provider."""

# ── gateway ─────────────────────────────────────────────────────────────────────────────────────

class Refused(Exception):
    """A request is refused; `args` is the name of the class in `llmgw.errors`, and the message."""

@final
class KeyHolder:
    """Whoever shows a key that is good."""

    @property
    def id(self) -> str:
        """The key's id: `master`, `file:ALIAS`, or the store's."""

    @property
    def alias(self) -> str:
        """The key's name in logs and metrics."""

    @property
    def admin(self) -> bool:
        """Whether it may use the admin endpoints."""

    @property
    def organisation(self) -> str | None:
        """The id of the organisation that the key names, as the next four."""

    @property
    def team(self) -> str | None: ...
    @property
    def project(self) -> str | None: ...
    @property
    def user(self) -> str | None: ...
    @property
    def service_account(self) -> str | None: ...

@final
class DirectoryState:
    """How far a worker has read the directory of keys."""

    @property
    def file(self) -> int:
        """The number of the file; 0 before the first."""

    @property
    def sequence(self) -> int:
        """What the last line said that ended something."""

    @property
    def keys(self) -> int:
        """How many keys are known."""

    @property
    def nodes(self) -> int:
        """How many organisations, teams, projects, users and service accounts are known."""

    @property
    def error(self) -> str | None:
        """What is wrong with what was published last, if something is."""

    @property
    def age(self) -> float | None:
        """Seconds since something was taken in; `None` before the first."""

@final
class Gateway:
    """One worker's native half: the configuration in force, the edge, the limits and metrics."""

    def __new__(cls, shared_path: str | PathLike[str], worker: int) -> Gateway:
        """Attach to the machine's shared memory as worker number `worker`. Nothing runs yet.

        Raises:
            OSError: the shared memory cannot be used.
        """

    def load(self, snapshot: bytes) -> None:
        """Put a compiled snapshot (JSON) in force; calls under way keep the one they began with.

        Raises:
            ValueError: it cannot be used; the one before stays.
        """

    def start(self, settings: bytes) -> int:
        """Open the edge on its own thread (`EdgeSettings` as JSON); the port it listens on.

        Raises:
            ValueError: the settings cannot be read.
            OSError: the address cannot be bound, the certificate not be used, or the ledger not be written.
            RuntimeError: it was started before.
        """

    def drain(self, seconds: float) -> bool:
        """Stop accepting and wait for what is under way; whether all of it finished in time.

        What did not is cut off. The ledger is closed last.
        """

    def ledger_health(self) -> JournalHealth | None:
        """How this worker's part of the ledger is; `None` where none is written."""

    def note_event(self, payload: bytes) -> int | None:
        """Write an event (one JSON object) into the ledger; its sequence, `None` where none is written.

        Raises:
            JournalFull: too many records wait for the disk.
            ValueError: it is too large.
            RuntimeError: the ledger was closed.
        """

    def follow_directory(self, folder: str | PathLike[str]) -> bool:
        """Take in what was published of the directory since the last call, from the files in this folder.

        A whole new file takes its time (a second for hundreds of thousands of keys), during which other
        threads go on and requests are served by what was known. What cannot be read is logged, shown in
        `directory`, and changes nothing. Whether all that is published now was taken in.
        """

    @property
    def directory(self) -> DirectoryState:
        """How far this worker has read the directory."""

    def authenticate(
        self, key: bytes | None, client: str | None = None, certificate: str | None = None
    ) -> KeyHolder:
        """Who shows a key, a token, or a certificate (as the edge tells of it), from the client's address.

        Raises:
            Refused: it is missing, mistyped, unknown, blocked or expired, or not to be used from there.
        """

    def read_token(self, token: bytes) -> bytes:
        """Whom a token of an issuer names, as JSON: `id`, `subject`, `rule`, `named`, `roles`, `until`.

        Raises:
            Refused: it is not genuine, or counts no more.
        """

    def visible_models(self, holder: KeyHolder) -> list[str]:
        """The model names that the key may use, sorted."""

    def may_use(self, holder: KeyHolder, model: str) -> bool:
        """Whether a model exists and the key may use it."""

    def chats(self, holder: KeyHolder, model: str) -> bool:
        """Whether what the name means to the key is a model that chats."""

    @property
    def version(self) -> str | None:
        """Digest of the settings in force; `None` before the first."""

    def metrics(self) -> str:
        """The metrics of all workers of the machine, in the Prometheus text format."""

@final
class SharedState:
    """The words that supervisor and workers share."""

    def __new__(cls, path: str | PathLike[str]) -> SharedState:
        """Create or attach.

        Raises:
            OSError: the file cannot be used.
        """

    @property
    def generation(self) -> int:
        """The number of the snapshot in force."""

    @property
    def wanted_issuer_keys(self) -> int:
        """How often tokens named a signing key that is not known: it moves on, and keys are fetched anew."""

    def next_generation(self) -> int:
        """Move on to the next snapshot; returns its number."""

    @property
    def directory(self) -> tuple[int, int]:
        """What is published of the directory: the number of its file, and how many bytes may be read."""

    def publish_directory(self, file: int, length: int) -> None:
        """Let the workers read `directory.FILE` up to this length; all of that must be written.

        Raises:
            ValueError: one of the two is too large.
        """

    @property
    def damaged_directory(self) -> int:
        """The number of the newest file that a worker found damaged: it takes a new one to go on."""

    def restore_budget(self, slot_hex: str, window: int, committed: int) -> bool:
        """Add what the books say was committed (nano-dollars) in a window, or a part of a rolling one, before
        this machine began to count. It is added once: false if it was before, if a later window has begun,
        or if there is no room.

        Raises:
            ValueError: the slot is none.
        """

    def lose_hold(self, slot_hex: str, window: int, nano: int) -> bool:
        """Let what a dead worker held count as spent. Held and spent are one number, so nothing changes;
        true if the window still counts, and as much is committed in it.

        Raises:
            ValueError: the slot is none.
        """

    def correct_budget(self, slot_hex: str, window: int, delta: int) -> int | None:
        """Correct what is committed in a window by so many nano-dollars, as when a cost is known late.

        Returns what is committed then, and `None` if the window is over.

        Raises:
            ValueError: the slot is none.
        """

    def budgets(self) -> list[tuple[str, int, int]]:
        """All budgets of which something is committed: slot, window (or part of a rolling one), nano-dollars
        spent or held."""

    def note_reload(self, succeeded: bool) -> None:
        """Whether the last reload worked, for `llmgw_config_last_reload_successful`."""

def budget_slot(node_id: str, name: str) -> str:
    """Which budget in shared memory is meant by the id of a key or node and the budget's name there."""

def budget_window(rule_window_json: str, at_us: int) -> tuple[int, int, int | None]:
    """The window of a budget that an instant (Unix microseconds) lies in: its number, when it starts, when it
    ends (`None`: never). Of a rolling window (`{"rolling": seconds}`) it is the part: what is committed at an
    instant is the sum over the parts of the last so many seconds.

    Raises:
        ValueError: there is no such window.
    """

def check_rules(rules_json: str) -> None:
    """Try whether rules (`{"limits": […], "budgets": […]}`, as the directory has them) make sense.

    Raises:
        ValueError: they do not; the text says why.
    """

def check_snapshot(snapshot: bytes) -> None:
    """Try whether a snapshot (JSON) could be put in force.

    Raises:
        ValueError: it could not; the text says why, and holds no secret.
    """

def die_with_parent() -> None:
    """Ask the system for SIGTERM when the parent process dies (Linux; elsewhere nothing happens)."""

def generate_key() -> str:
    """A new virtual key: `sk-gw-`, 22 random base62 characters, 6 of checksum."""

def key_digest(pepper: str, key: str) -> str:
    """HMAC-SHA256 of a key under the pepper (64 hex digits), as 64 hex digits.

    Raises:
        ValueError: the pepper is not 64 hex digits.
    """

def check_key(key: str) -> bool | None:
    """Whether the checksum of a key fits; `None` for keys that are not of our format."""

def check_json(body: bytes) -> None:
    """Check that a body is one JSON object that reads the same to everybody: no key twice, no depth or
    number beyond bounds, nothing behind it.

    Raises:
        ValueError: it is not; the text says where, and holds none of it.
    """

def error_table() -> list[tuple[str, int, str, str, bool, bool, bool]]:
    """All error classes: name, status, type, code, and whether dispatch may retry, fall back, cool down."""

# ── bench ───────────────────────────────────────────────────────────────────────────────────────

@final
class MockUpstream:
    """A mock OpenAI-compatible upstream on 127.0.0.1, on a thread of its own.

    It serves chat completions, completions, responses, embeddings, moderations and models under
    `/v1`. The model's query part or the `x-mock-script` header says how, for example
    `echo?delay_ms=200&interval_ms=10&chunks=64&chunk_bytes=40`; the keys are `delay_ms` (before the
    head), `interval_ms` (before each piece of a stream's text; without it a stream is one write),
    `chunks`, `chunk_bytes`, `reply_bytes`, `tokens` (completion tokens reported), `status` (400 to
    599, an error), `retry_after` (seconds, with an error), `fail_every` (only each n-th request
    fails) and `truncate_after` (events, then the connection closes). The model `echo` answers with
    the user's last words.

    `port` 0 lets the system choose one. Raises OSError when the port is taken.
    """

    def __new__(cls, port: int = 0) -> MockUpstream: ...
    @property
    def port(self) -> int: ...
    @property
    def connections(self) -> int:
        """Connections accepted so far."""
    @property
    def requests(self) -> int:
        """Requests read to their end so far."""
    @property
    def abandoned(self) -> int:
        """Requests whose client left before the reply was complete."""
    def stop(self) -> None:
        """Close the listener and every connection; a second call does nothing."""

LOAD_STAMP_DIGITS: int
"""The width of the number that `run_load` writes at `stamp`."""

@final
class LoadTimes:
    """Times noted during a load run, in seconds; percentiles are right to one part in 128.

    Everything but `count` is None when nothing was noted.
    """

    @property
    def count(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def min(self) -> float | None: ...
    @property
    def max(self) -> float | None: ...
    def percentile(self, percent: float) -> float | None:
        """The time that `percent` (0 to 100) of the noted ones do not exceed."""

@final
class LoadReport:
    """What a load run saw in its measured time."""

    @property
    def seconds(self) -> float:
        """The length of the measured time."""
    @property
    def requests(self) -> int:
        """Replies read to their end."""
    @property
    def statuses(self) -> dict[int, int]:
        """The same by status."""
    @property
    def errors(self) -> dict[str, int]:
        """Requests without a whole reply: connect, closed, malformed, timeout, broken."""
    @property
    def bytes(self) -> int:
        """Bytes received, heads included."""
    @property
    def events(self) -> int:
        """Server-sent events received."""
    @property
    def latency(self) -> LoadTimes:
        """From when a request was due (open loop) or sent (closed) to the end of its reply."""
    @property
    def first_byte(self) -> LoadTimes:
        """From the same moment to the first byte of the reply's body."""
    @property
    def gap(self) -> LoadTimes:
        """Between two reads of the same event stream."""
    @property
    def metered(self) -> float:
        """How much `meter` grew."""

def run_load(
    host: str,
    port: int,
    request: bytes,
    *,
    connections: int = 1,
    seconds: float | None = None,
    requests: int | None = None,
    warm_up: float = 0.0,
    rate: float | None = None,
    stamp: int | None = None,
    timeout: float = 30.0,
    meter: Callable[[], float] | None = None,
) -> LoadReport:
    """Send a whole HTTP/1.1 `request` again and again over keep-alive connections, on this thread.

    Either for `seconds` (after `warm_up` seconds under load that are not noted) or `requests`
    times. Without `rate` each connection sends when its last reply is complete; with it, requests
    arrive `rate` times a second and latency counts from when they were due. At offset `stamp` a
    running number is written, so that no two requests are alike. `meter` is read as the measured
    time begins and ends. The interpreter lock is released throughout.

    Raises ValueError for an impossible plan, OSError when the server cannot be reached, and
    whatever `meter` raises.
    """
