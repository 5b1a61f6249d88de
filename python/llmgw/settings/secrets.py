"""Secrets and the references to them: what must never show in a dump, a log line or an error."""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from llmgw.errors import LlmgwError

_HIDDEN = "**********"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = re.compile(rf"(?:os\.environ/|env:|env\.)({_NAME})|\$\{{({_NAME})\}}")
_INNER_VARIABLE = re.compile(rf"\$\{{({_NAME})\}}")
_FILE = "file:"
_LONGEST_FILE = 64 * 1024


class UnresolvedReferenceError(LlmgwError):
    """A reference leads nowhere; the text names the variable or file, never a value."""


class Secret:
    """A secret's value, hidden from `repr`, `str` and formatting; `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; for the one place that sends, hashes or stores it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{_HIDDEN}')"

    def __str__(self) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


class SecretReference:
    """What a settings file says where a secret belongs: a reference, or the secret itself.

    References are `os.environ/NAME`, `env:NAME`, `env.NAME`, `${NAME}` (also within a longer text)
    and `file:/path`. Anything else is the secret's own text and is hidden like a `Secret`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def is_literal(self) -> bool:
        """The file holds the secret itself."""
        return not is_reference(self._text)

    @property
    def is_json(self) -> bool:
        """The file holds a JSON object."""
        return self._text.lstrip().startswith("{")

    def resolve(self, environment: Mapping[str, str]) -> Secret:
        """Fetch the secret.

        Raises:
            UnresolvedReferenceError: the variable is unset or empty, or the file cannot be read.
        """
        return Secret(resolve_text(self._text, environment))

    def __repr__(self) -> str:
        shown = self._text if _VARIABLE.fullmatch(self._text) or _is_file(self._text) else _HIDDEN
        return f"SecretReference({shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretReference) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def is_reference(text: str) -> bool:
    """Whether the text names a variable or a file instead of being the value."""
    return bool(_VARIABLE.fullmatch(text) or _INNER_VARIABLE.search(text)) or _is_file(text)


def resolve_text(text: str, environment: Mapping[str, str]) -> str:
    """The value a text stands for; a text that is no reference stands for itself.

    Raises:
        UnresolvedReferenceError: the variable is unset or empty, or the file cannot be read.
    """
    if match := _VARIABLE.fullmatch(text):
        return _variable(match[1] or match[2], environment)
    if _is_file(text):
        return _file(Path(text.removeprefix(_FILE)))
    return _INNER_VARIABLE.sub(lambda match: _variable(match[1], environment), text)


def _is_file(text: str) -> bool:
    return text.startswith(_FILE + "/")


def _variable(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if not value:
        raise UnresolvedReferenceError(f"the environment variable {name} is not set")
    return value


def _file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UnresolvedReferenceError(f"cannot read the secret file {path}: {reason}") from None
    if len(text) > _LONGEST_FILE:
        raise UnresolvedReferenceError(f"the secret file {path} is larger than 64 KiB")
    if not text.strip():
        raise UnresolvedReferenceError(f"the secret file {path} is empty")
    return text.strip()
