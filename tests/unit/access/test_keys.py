"""Virtual keys."""

import hmac
from datetime import UTC, datetime

import pytest

from llmgw import _native
from llmgw.access.keys import digest, expiry, hint, make_key, weakness
from llmgw.settings.schema import KeyEntry
from llmgw.settings.secrets import Secret

PEPPER = Secret("ab" * 32)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_digest_is_the_keyed_hash_of_the_key() -> None:
    expected = hmac.new(bytes.fromhex(PEPPER.reveal()), b"a-key", "sha256").hexdigest()
    assert digest(Secret("a-key"), PEPPER) == expected


def test_a_made_key_is_sound_and_only_its_digest_is_kept() -> None:
    wanted = KeyEntry(alias="a", digest="0" * 64, rpm_limit=5)
    made = make_key(wanted, PEPPER, NOW)
    key = made.secret.reveal()
    assert _native.check_key(key) is True
    assert made.entry == KeyEntry(
        alias="a",
        digest=digest(made.secret, PEPPER),
        rpm_limit=5,
        hint=f"sk-…{key[-4:]}",
        created="2026-01-02T03:04:05+00:00",
    )
    assert key not in repr(made)


def test_no_two_made_keys_are_the_same() -> None:
    wanted = KeyEntry(alias="a", digest="0" * 64)
    assert len({make_key(wanted, PEPPER, NOW).secret for _ in range(50)}) == 50


def test_a_hint_shows_nothing_of_a_short_key() -> None:
    assert hint("sk-1234") == "…"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("sk-1234", "an example"),
        ("SK-1234567890abcdef", "an example"),
        ("tiny", "shorter than 16"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "repeats"),
        ("a key with spaces in it 1", "cannot be sent in a header"),
        ("ümläuts-are-not-for-headers", "cannot be sent in a header"),
    ],
)
def test_a_weak_key_is_told_why_without_repeating_it(key: str, reason: str) -> None:
    found = weakness(Secret(key))
    assert found is not None
    assert reason in found
    assert key not in found


def test_a_mistyped_key_of_ours_is_told() -> None:
    key = _native.generate_key()
    mistyped = key[:10] + ("a" if key[10] != "a" else "b") + key[11:]
    assert "checksum" in (weakness(Secret(mistyped)) or "")


def test_a_long_key_of_another_format_is_taken() -> None:
    assert weakness(Secret("our-own-long-master-key")) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400),
        ("1970-01-01T00:00:10", 10),
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T02:00:00+02:00", 0),
    ],
)
def test_an_expiry_is_a_date_or_a_time(text: str, seconds: int) -> None:
    assert expiry(text) == seconds


def test_an_expiry_that_is_neither_is_told() -> None:
    with pytest.raises(ValueError, match="expected a date or time"):
        expiry("30d")
