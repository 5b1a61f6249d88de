"""What operators call: health, metrics, the API's description."""

from pathlib import Path

from llmgw._native import Gateway, __version__
from llmgw.access.rbac import Permission
from llmgw.endpoints.base import Access, Endpoint, Plane, Reply, Request, json_reply
from llmgw.endpoints.openapi import describe
from llmgw.endpoints.readiness import readiness
from llmgw.telemetry import books

_LIVE = ("/health/liveliness", "/health/liveness", "/healthz", "/livez")
_READY = ("/health/readiness", "/readyz")
_METRICS_TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")


def ops_endpoints(gateway: Gateway, metrics_auth: str, run_folder: Path) -> list[Endpoint]:
    """The rows. `metrics_auth`: `key` or `none`; the bookkeeper tells of itself in `run_folder`."""

    async def live(_: Request) -> Reply:
        return json_reply("I'm alive!")

    async def ready(_: Request) -> Reply:
        state = readiness(gateway, run_folder)
        return json_reply({"status": state.status, "version": __version__}, status=state.code)

    async def details(_: Request) -> Reply:
        state = readiness(gateway, run_folder)
        return json_reply(state.details | {"version": __version__}, status=state.code)

    async def metrics(_: Request) -> Reply:
        text = gateway.metrics() + books.metrics(books.read(run_folder))
        return Reply(headers=(_METRICS_TEXT,), body=text.encode())

    rows = [
        Endpoint(
            method="GET",
            path=path,
            permission=Access.PUBLIC,
            summary="Whether the process runs.",
            handler=live,
            plane=Plane.BOTH,
        )
        for path in _LIVE
    ]
    rows += [
        Endpoint(
            method="GET",
            path=path,
            permission=Access.PUBLIC,
            summary="Whether it serves.",
            handler=ready,
            plane=Plane.BOTH,
        )
        for path in _READY
    ]
    rows.append(
        Endpoint(
            method="GET",
            path="/health/readiness/details",
            permission=Permission.METRICS_READ,
            summary="Which promises hold, and what holds instead of those that do not.",
            handler=details,
            plane=Plane.BOTH,
        )
    )
    rows.append(
        Endpoint(
            method="GET",
            path="/metrics",
            permission=Access.PUBLIC if metrics_auth == "none" else Permission.METRICS_READ,
            summary="Metrics of all workers, in the Prometheus format.",
            handler=metrics,
            plane=Plane.BOTH,
        )
    )
    return rows


def openapi_endpoint(endpoints: list[Endpoint]) -> Endpoint:
    """The row that describes `endpoints` and itself."""
    document: dict[str, object] = {}

    async def openapi(_: Request) -> Reply:
        return json_reply(document)

    row = Endpoint(
        method="GET",
        path="/openapi.json",
        permission=Access.PUBLIC,
        summary="This API's description (OpenAPI 3.1).",
        handler=openapi,
        plane=Plane.BOTH,
    )
    document.update(describe([*endpoints, row]))
    return row
