"""The recorded errors make the vendors' SDKs raise what they raise for the real ones."""

from typing import Any

import pytest

from tests.clients.base import Ask
from tests.integration.vendors.conftest import Direct
from tests.upstreams.vendors import fixtures

ERRORS = [(path.parent.name, path.stem) for path in sorted((fixtures.ROOT / "errors").glob("*/*.json"))]
BROKEN = [(name, wire) for name, said in fixtures.scenarios()["broken"].items() for wire in said["formats"]]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("wire", "name"), ERRORS)
def test_an_error_has_the_class_of_its_status(
    directs: dict[str, Direct], wire: str, name: str, streamed: bool
) -> None:
    client = directs[wire].client
    send = client.stream if streamed else client.ask
    status = int(name.split("_", maxsplit=1)[0])
    default = client.errors[500] if status >= 500 else Exception
    with pytest.raises(client.errors.get(status, default)) as caught:
        send(Ask(f"error_{name}"))

    assert status_of(caught.value) == status


def status_of(error: Any) -> int:
    if hasattr(error, "response") and isinstance(error.response, dict):  # botocore's
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return int(getattr(error, "status_code", None) or error.code)


@pytest.mark.parametrize(("name", "wire"), BROKEN)
def test_a_broken_stream_is_no_whole_reply(directs: dict[str, Direct], wire: str, name: str) -> None:
    """Some SDKs raise; Google's shows only that the reason to stop is missing."""
    try:
        outcome = directs[wire].client.stream(Ask(name))
    except Exception:
        return
    assert outcome.finish is None


def test_the_wait_that_a_vendor_asks_for_is_in_its_place(directs: dict[str, Direct]) -> None:
    waits = {}
    for wire in ("openai_chat", "openai_responses", "anthropic_messages"):
        client = directs[wire].client
        with pytest.raises(client.errors[429]) as caught:
            client.ask(Ask("error_429"))
        waits[wire] = caught.value.response.headers["retry-after"]

    assert waits == {"openai_chat": "7", "openai_responses": "7", "anthropic_messages": "7"}
