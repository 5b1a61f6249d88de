"""What only Cohere has: its refusals, in its own words."""

from typing import Any

import httpx
import pytest

from tests.integration.vendors.conftest import Direct
from tests.upstreams.vendors.vendor import CREDENTIAL

HELLO = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}


def post(direct: Direct, **fields: Any) -> httpx.Response:
    body = {"model": "m", "messages": [HELLO], **fields}
    headers = {"authorization": f"Bearer {CREDENTIAL}"}
    return httpx.post(f"{direct.root}/v2/chat", json=body, headers=headers, timeout=20)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"top_p": 0.5}, 422, "parameter 'top_p' is not a valid field"),
        ({"temperature": 1.5}, 400, "temperature"),
        ({"p": 1.0}, 400, "less than or equal to 0.99"),
        ({"tool_choice": "AUTO", "tools": [TOOL]}, 400, "'REQUIRED', 'NONE'"),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, 400, "not supported in combination"),
        ({"messages": [HELLO, {"role": "tool", "tool_call_id": "1", "content": "x"}]}, 400, "not found"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_wrong_request_is_refused(
    directs: dict[str, Direct], fields: dict[str, Any], status: int, words: str
) -> None:
    reply = post(directs["cohere_chat"], **fields)

    assert reply.status_code == status
    assert words in reply.json()["message"]
