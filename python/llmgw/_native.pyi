"""The native core, as Python sees it."""

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

# ── cache ───────────────────────────────────────────────────────────────────────────────────────

# ── limiter ─────────────────────────────────────────────────────────────────────────────────────

# ── metrics ─────────────────────────────────────────────────────────────────────────────────────

# ── gateway ─────────────────────────────────────────────────────────────────────────────────────

# ── bench ───────────────────────────────────────────────────────────────────────────────────────
