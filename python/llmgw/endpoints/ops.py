"""What operators call: health, metrics, the API's description."""

from llmgw._native import Gateway, JournalHealth, __version__
from llmgw.access.rbac import Permission
from llmgw.endpoints.base import Access, Endpoint, Plane, Reply, Request, json_reply
from llmgw.endpoints.openapi import describe

_LIVE = ("/health/liveliness", "/health/liveness", "/healthz", "/livez")
_READY = ("/health/readiness", "/readyz")
_METRICS_TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")


def ops_endpoints(gateway: Gateway, metrics_auth: str) -> list[Endpoint]:
    """The rows of this family. `metrics_auth`: `key` or `none`."""

    async def live(_: Request) -> Reply:
        return json_reply("I'm alive!")

    async def ready(_: Request) -> Reply:
        if gateway.version is None:
            return json_reply({"status": "starting"}, status=503)
        report: dict[str, object] = {"status": "healthy", "version": __version__}
        if (ledger := gateway.ledger_health()) is not None:
            report["ledger"] = _ledger_report(ledger)
        return json_reply(report)

    async def metrics(_: Request) -> Reply:
        return Reply(headers=(_METRICS_TEXT,), body=gateway.metrics().encode())

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
            path="/metrics",
            permission=Access.PUBLIC if metrics_auth == "none" else Permission.METRICS_READ,
            summary="Metrics of all workers, in the Prometheus format.",
            handler=metrics,
            plane=Plane.BOTH,
        )
    )
    return rows


def _ledger_report(ledger: JournalHealth) -> dict[str, object]:
    """What readiness says of the ledger of the worker that answers."""
    if ledger.trouble is None:
        return {"status": "ok" if ledger.is_open else "closed", "waiting_bytes": ledger.waiting_bytes}
    reason, since, _ = ledger.trouble
    return {"status": "stuck", "waiting_bytes": ledger.waiting_bytes, "reason": reason, "since": int(since)}


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
