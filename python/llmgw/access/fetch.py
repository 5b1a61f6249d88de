"""Asking identity providers: https, or http on this machine; no redirects, and bounds on size and time."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from llmgw.errors import LlmgwError
from llmgw.settings.identity import is_safe_url

SECONDS = 10.0
"""For a whole exchange, the name lookup included."""

LARGEST = 1024 * 1024
"""Bytes of an answer."""

_JSON = {"accept": "application/json"}


class ProviderError(LlmgwError):
    """An identity provider did not answer as it should. The text holds nothing that it said."""


class Fetcher:
    """Asks identity providers. Cookies are not kept, and proxies of the environment are not used."""

    def __init__(self, ca_file: str | None = None, seconds: float = SECONDS) -> None:
        """`ca_file`: more trust anchors, as `egress.ca_file`."""
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        self._context = context
        self._seconds = seconds

    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object at a URL.

        Raises:
            ProviderError: it cannot be had.
        """
        return await self._ask("GET", url, {})

    async def post(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        """The JSON object that a form is answered with; `basic` are user and password.

        Raises:
            ProviderError: it cannot be had.
        """
        auth = None if basic is None else httpx2.BasicAuth(*basic)
        return await self._ask("POST", url, {"data": dict(form), "auth": auth})

    async def _ask(self, method: str, url: str, more: Mapping[str, Any]) -> dict[str, Any]:
        if not is_safe_url(url):
            raise ProviderError("an identity provider may be asked over https only, or on this machine")
        host = httpx2.URL(url).host
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._exchange(method, url, more)
        except TimeoutError:
            raise ProviderError(f"{host} did not answer within {self._seconds:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise ProviderError(f"{host} cannot be asked: {type(error).__name__}") from None
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            raise ProviderError(f"{host} answered with something that is no JSON object") from None

    async def _exchange(self, method: str, url: str, more: Mapping[str, Any]) -> bytes:
        # A client for each exchange: nothing of one provider's reaches another, and there are few.
        client = httpx2.AsyncClient(
            verify=self._context, trust_env=False, follow_redirects=False, timeout=None
        )
        async with client, client.stream(method, url, headers=_JSON, **more) as reply:
            if reply.status_code != 200:
                raise ProviderError(f"{reply.url.host} answered with status {reply.status_code}")
            body = bytearray()
            async for piece in reply.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise ProviderError(f"{reply.url.host} answered with more than {LARGEST} bytes")
        return bytes(body)
