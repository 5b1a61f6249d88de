"""Providers' own APIs that are passed through: names to prefixes of paths, hosts and credentials."""

from llmgw.gateway.snapshot import Deployment, PassThrough
from llmgw.settings.models import ModelEntry, ModelInfo, Params
from llmgw.settings.problems import Path, Report, did_you_mean
from llmgw.settings.schema import PassThroughEntry, Settings
from llmgw.wiring.deployments import DeploymentCompiler

OPEN = frozenset({"openai"})
"""Beginnings of our own paths that may be names too, because vendors' clients ask there: our paths below
them are matched first, and are few."""

RESERVED = frozenset(
    {
        # What begins a path of ours.
        "audio",
        "batches",
        "chat",
        "completions",
        "embeddings",
        "files",
        "health",
        "images",
        "messages",
        "metrics",
        "models",
        "moderations",
        "realtime",
        "rerank",
        "responses",
        "v1",
        "v1beta",
        "v1beta1",
        "v2",
        # What may begin one.
        "admin",
        "api",
        "assets",
        "config",
        "console",
        "conversations",
        "docs",
        "fine_tuning",
        "key",
        "keys",
        "llmgw",
        "login",
        "mcp",
        "portal",
        "redoc",
        "static",
        "ui",
        "uploads",
        "vector_stores",
        "videos",
    }
)
"""Names that would hide, or be hidden by, paths of our own."""

_NEVER_SENT = frozenset(
    {
        "accept-encoding",
        "api-key",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "idempotency-key",
        "keep-alive",
        "openai-organization",
        "openai-project",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-api-key",
        "x-goog-api-key",
        "x-goog-user-project",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-real-ip",
        "x-rewrite-url",
    }
)
_NEVER_BEGINNING = ("proxy-", "sec-", "x-amz-", "x-forwarded-", "x-litellm-", "x-llmgw-")


def compile_pass_through(
    settings: Settings, compiler: DeploymentCompiler, deployments: tuple[Deployment, ...], report: Report
) -> tuple[tuple[Deployment, ...], tuple[PassThrough, ...]]:
    """All deployments, those that only pass-throughs use at the end, and the pass-throughs."""
    everyone, ways = list(deployments), []
    for name, entry in settings.pass_through.items():
        path: Path = ("pass_through", name)
        if name in RESERVED:
            report.error(path, f"'/{name}/' is a path of llmgw's own; choose another name")
            continue
        _check_headers(entry, path, report)
        index = _deployment(name, entry, path, compiler, everyone, report)
        if index is None:
            continue
        ways.append(
            PassThrough(
                name=name,
                deployment=index,
                base_path=entry.base_path,
                paths=_without_dots(entry, path, report),
                methods=entry.methods,
                headers=tuple(header.lower() for header in entry.headers),
            )
        )
    _warn_of_unknown_names(settings, report)
    return tuple(everyone), tuple(ways)


def _deployment(
    name: str,
    entry: PassThroughEntry,
    path: Path,
    compiler: DeploymentCompiler,
    everyone: list[Deployment],
    report: Report,
) -> int | None:
    """The index of the deployment that lends host and credential; a new one is added to `everyone`."""
    if entry.deployment is not None:
        ids = [one.id for one in everyone]
        if entry.deployment in ids:
            return ids.index(entry.deployment)
        hint = did_you_mean(entry.deployment, ids)
        report.error((*path, "deployment"), f"no deployment of the id '{entry.deployment}'{hint}")
        return None
    given = entry.params or entry.litellm_params or Params(model=f"{name}/*")
    model = ModelEntry(
        model_name=f"{name}/*",
        litellm_params=None if entry.params is not None else given,
        params=entry.params,
        model_info=ModelInfo(id=f"pass_through/{name}"),
    )
    made = compiler.compile_alone(model, path)
    if made is None:
        return None
    everyone.append(made)
    return len(everyone) - 1


def _without_dots(entry: PassThroughEntry, path: Path, report: Report) -> tuple[str, ...]:
    """The prefixes; a dot segment in one would lead elsewhere."""
    for index, prefix in enumerate((*entry.paths, entry.base_path)):
        if {".", ".."} & set(prefix.split("/")):
            at = ("paths", index) if index < len(entry.paths) else ("base_path",)
            report.error((*path, *at), "a path without '.' and '..' segments is expected")
    return entry.paths


def _check_headers(entry: PassThroughEntry, path: Path, report: Report) -> None:
    for index, header in enumerate(entry.headers):
        name = header.lower()
        if name in _NEVER_SENT or name.startswith(_NEVER_BEGINNING):
            report.error((*path, "headers", index), f"the header '{header}' is never passed through")


def _warn_of_unknown_names(settings: Settings, report: Report) -> None:
    """Names in a key's `pass_through` that lead nowhere: mistyped, most likely."""
    for position, key in enumerate(settings.keys):
        for index, name in enumerate(key.pass_through or ()):
            if name != "*" and name not in settings.pass_through:
                hint = did_you_mean(name, settings.pass_through)
                report.warn(("keys", position, "pass_through", index), f"nothing is passed as '{name}'{hint}")
