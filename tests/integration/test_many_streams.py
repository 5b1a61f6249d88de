"""Many streams at once: none waits for another, none is mixed up with another."""

import asyncio

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import Exchange, Gate, Script, ScriptedUpstream

STREAMS = 200
FIRST = replies.chat_events()[0]


async def one_stream(gateway: GatewayProcess, number: int, has_begun: asyncio.Semaphore) -> bytes:
    """Open a stream and read it to its end; `has_begun` is released at its first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        body = chat_body("plain", stream=True, user=f"user-{number}")
        writer.write(post_bytes("/v1/chat/completions", body))
        received = await reader.readuntil(FIRST)
        has_begun.release()
        return received + await reader.readuntil(replies.DONE)
    finally:
        writer.close()


def answer_with_the_users_name(gate: Gate) -> Script:
    """A stream that stops after its first event until the gate opens, then names the request's user."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        user = exchange.request.json()["user"]
        await exchange.send(
            replies.head(200, [*replies.STREAM_HEAD, ("transfer-encoding", "chunked")]) + replies.chunk(FIRST)
        )
        await gate.wait()
        for event in (replies.delta_event(user), *replies.chat_events(0)):
            await exchange.send(replies.chunk(event))
        await exchange.send(b"0\r\n\r\n")

    return script


async def test_two_hundred_streams_run_side_by_side(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)), workers=2)
    gate = upstream.gate()
    upstream.always(answer_with_the_users_name(gate))
    begun = asyncio.Semaphore(0)

    async with asyncio.TaskGroup() as group:
        streams = [group.create_task(one_stream(gateway, number, begun)) for number in range(STREAMS)]
        for _ in range(STREAMS):
            await begun.acquire()
        gate.open()

    for number, stream in enumerate(streams):
        assert replies.delta_event(f"user-{number}") in stream.result().replace(b"\r\n", b"\n")


async def test_files_and_connections_come_back_after_many_streams(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    gateway.chat("plain")
    before = gateway.open_files()
    begun = asyncio.Semaphore(0)
    gate = upstream.gate()
    gate.open()
    upstream.always(answer_with_the_users_name(gate))
    await asyncio.gather(*(one_stream(gateway, number, begun) for number in range(STREAMS)))

    upstream.close_connections()

    wait_until(lambda: gateway.open_files() <= before + 5, "the file descriptors are given back")
