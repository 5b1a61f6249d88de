"""Addresses and credentials are checked before they are used."""

import pytest

from llmgw.providers.base import TargetError, checked_base, header_secret
from llmgw.settings.secrets import Secret


@pytest.mark.parametrize("url", ["https://a.example/v1", "http://127.0.0.1:8000", "https://[::1]:8/v1"])
def test_a_base_loses_its_last_slash_only(url: str) -> None:
    assert checked_base(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "a.example/v1",
        "ftp://a.example",
        "https://",
        "https://a.example:0",
        "https://a.example:99999",
        "https://a.example/?key=canary",
        "https://a.example/#canary",
        "https://a.example/a b",
        "https://a.example/\n",
        "https://canary:canary@a.example",
        "https://canary@a.example",
    ],
)
def test_what_is_no_plain_base_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(TargetError) as caught:
        checked_base(url)
    assert caught.value.field == "api_base"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "two words", "line\r\nbreak", "umläut", "nul\0"])
def test_a_credential_that_fits_no_header_is_refused_without_repeating_it(value: str) -> None:
    with pytest.raises(TargetError, match="cannot be sent in a header") as caught:
        header_secret(Secret(value), "api_key")
    assert value == "" or value not in str(caught.value)
