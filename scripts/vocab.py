"""Make the data of the token counter: the packed vocabularies and the table of Unicode classes.

    python scripts/vocab.py pack o200k path/to/o200k_base.tiktoken
    python scripts/vocab.py pack cl100k path/to/cl100k_base.tiktoken
    python scripts/vocab.py classes

The vocabularies come from files in tiktoken's format (one line a token: base64, space, rank), whose
digests are checked. The classes are asked of tiktoken itself, so that both cut a text alike.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "rust" / "core" / "data"

# From tiktoken's own `openai_public.py`.
SOURCE_SHA256 = {
    "o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}

# One bit a class; the same numbers are in `rust/core/src/tokens/classes.rs`.
CLASSES = {
    r"[\p{Lu}\p{Lt}]": 1,
    r"\p{Ll}": 2,
    r"[\p{Lm}\p{Lo}]": 4,
    r"\p{M}": 8,
    r"\p{N}": 16,
    r"[\s--[\r\n]]": 32,
    r"[\r\n]": 64,
}
OTHER = 128
CODE_POINTS = 0x110000
BLOCK = 128


def read_tiktoken(path: Path) -> list[tuple[int, bytes]]:
    """Rank and bytes of every token of a tiktoken file, by rank."""
    lines = path.read_bytes().splitlines()
    pairs = (line.split() for line in lines if line)
    return sorted((int(rank), base64.b64decode(token)) for token, rank in pairs)


def pack(tokens: list[tuple[int, bytes]]) -> bytes:
    """The packed form: token count (u32, little end first), one length byte a token, all bytes.

    A rank that stands for no token has length 0.
    """
    by_rank = dict(tokens)
    ordered = [by_rank.get(rank, b"") for rank in range(tokens[-1][0] + 1)]
    lengths = bytes(len(token) for token in ordered)
    return len(ordered).to_bytes(4, "little") + lengths + b"".join(ordered)


def write_vocabulary(name: str, source: Path) -> None:
    """Check the source's digest and write `<name>.bin`."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if digest != SOURCE_SHA256[name]:
        raise SystemExit(f"{source} is not {name}: its SHA-256 is {digest}")
    (DATA / f"{name}.bin").write_bytes(pack(read_tiktoken(source)))


def classify() -> bytearray:
    """The class of every code point, as tiktoken's regex engine sees it."""
    import tiktoken  # noqa: PLC0415 - the oracle is only needed for this part

    byte_ranks = {bytes([byte]): byte for byte in range(256)}
    text = "".join(chr(c) for c in range(CODE_POINTS) if not 0xD800 <= c < 0xE000)
    classes = bytearray([OTHER]) * CODE_POINTS
    for pattern, bit in CLASSES.items():
        probe = tiktoken.Encoding("probe", pat_str=pattern, mergeable_ranks=byte_ranks, special_tokens={})
        for char in bytes(probe.encode_ordinary(text)).decode():
            classes[ord(char)] = bit
    return classes


def write_classes() -> None:
    """Write `classes.bin`: one byte a run of 128 code points, naming its block; then the blocks."""
    classes = classify()
    blocks: dict[bytes, int] = {}
    index = bytearray()
    for start in range(0, CODE_POINTS, BLOCK):
        block = bytes(classes[start : start + BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    (DATA / "classes.bin").write_bytes(bytes(index) + b"".join(blocks))


def main(arguments: list[str]) -> None:
    """Run one of the commands of the module's docstring."""
    match arguments:
        case ["pack", name, source] if name in SOURCE_SHA256:
            write_vocabulary(name, Path(source))
        case ["classes"]:
            write_classes()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
