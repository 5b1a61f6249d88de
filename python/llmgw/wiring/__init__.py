"""Settings → Snapshot: the composition root. Names become indexes, references become secrets."""

import msgspec

from llmgw.access.terms import OidcOptions
from llmgw.gateway.snapshot import Auth, CachePolicy, FilesPolicy, PiiPolicy, ResponsesPolicy, Snapshot
from llmgw.model import PATHS, STORED, Operation
from llmgw.providers import providers as built_in_providers
from llmgw.providers.base import Provider
from llmgw.registry import Registry
from llmgw.settings.environment import Environment
from llmgw.settings.problems import Report
from llmgw.settings.schema import CacheSettings, Settings
from llmgw.state import State
from llmgw.wiring.defaults import default_models
from llmgw.wiring.deployments import DeploymentCompiler
from llmgw.wiring.egress import compile_egress, compile_media, compile_networks
from llmgw.wiring.facts import compile_model_catalogue, with_limits
from llmgw.wiring.groups import compile_groups
from llmgw.wiring.jwt import compile_jwt
from llmgw.wiring.keys import compile_keys, warn_of_unknown_models
from llmgw.wiring.limits import check_budgets, compile_shared_limits
from llmgw.wiring.oidc import compile_oidc
from llmgw.wiring.pass_through import compile_pass_through
from llmgw.wiring.prices import compile_pricing
from llmgw.wiring.retries import compile_retries, default_timeouts

_MATCHED_NATIVELY = STORED | {Operation.REALTIME}


class Compiled(msgspec.Struct, frozen=True):
    """A snapshot, and what there is to know about its credentials that expire."""

    snapshot: Snapshot
    renew_at: float | None
    """Unix seconds at which to compile again, with the same settings, for the sake of a credential."""
    credential_problems: tuple[str, ...]
    """Why credentials could not be had or renewed, by deployment."""
    oidc: OidcOptions | None
    """On which terms people log in; read at the start only."""


def compile_snapshot(
    settings: Settings,
    environment: Environment,
    state: State,
    report: Report | None = None,
    providers: Registry[Provider] | None = None,
) -> Snapshot:
    """The snapshot alone; see `compile_settings`."""
    return compile_settings(settings, environment, state, report, providers).snapshot


def compile_settings(
    settings: Settings,
    environment: Environment,
    state: State,
    report: Report | None = None,
    providers: Registry[Provider] | None = None,
) -> Compiled:
    """Compile settings into what the native core serves from.

    `environment` is the one that references see (`Loaded.environment`), `report` takes the warnings,
    `providers` are the built-in ones unless plugins added to them; they keep credentials that expire, so
    that the same providers fetch them once.

    Raises:
        SettingsError: something does not resolve; lists every problem.
    """
    report = Report() if report is None else report
    providers = built_in_providers() if providers is None else providers
    entries = settings.model_list or default_models(providers, environment)
    section = ("model_list",) if settings.model_list else ("defaults",)
    compiler = DeploymentCompiler(
        providers,
        environment,
        report,
        default_timeouts(settings),
        default_identity=settings.litellm_settings.enable_azure_ad_token_refresh,
    )
    built = compiler.compile(entries, section)
    if not built:
        report.warn(section, "none of these deployments can be served")
    known = compile_model_catalogue(settings, providers, report)
    built = [with_limits(one, known) for one in built]
    catalogue = compile_groups(built, settings, report)
    warn_of_unknown_models(settings, catalogue, report)
    check_budgets(settings, catalogue, report)
    deployments, pass_through = compile_pass_through(settings, compiler, catalogue.deployments, report)
    snapshot = Snapshot(
        version="",
        auth=Auth(
            pepper=state.pepper.reveal(),
            keys=compile_keys(settings, environment, state, report),
        ),
        routes=_routes(),
        models=catalogue.models,
        wildcards=catalogue.wildcards,
        groups=catalogue.groups,
        deployments=deployments,
        retry=compile_retries(settings, report),
        cache=_cache(settings, report),
        pii=None if settings.pii is None else PiiPolicy(mode=settings.pii.mode),
        responses=_responses(settings),
        pass_through=pass_through,
        files=_files(settings),
        any_file_id=settings.files.any_id,
        egress=compile_egress(settings.egress, report),
        media=compile_media(settings.egress, report),
        pricing=compile_pricing(settings, report),
        limits=compile_shared_limits(settings.limits),
        jwt=compile_jwt(settings, report),
    )
    compile_networks(settings.server.trusted_proxies, ("server", "trusted_proxies"), report)
    oidc = compile_oidc(settings, environment, report)
    report.raise_errors()
    problems = tuple(compiler.credential_problems)
    return Compiled(snapshot.versioned(), compiler.renew_at, problems, oidc)


def _routes() -> dict[str, Operation]:
    """The fixed paths; those that name a model or an id are matched natively."""
    posted = [operation for operation in PATHS if operation not in _MATCHED_NATIVELY]
    return {path: operation for operation in posted for path in operation.paths} | {
        "/v2/rerank": Operation.RERANK
    }


def _responses(settings: Settings) -> ResponsesPolicy | None:
    """How responses are stored; not at all if they are to be kept for no time."""
    own = settings.responses
    if own.keep == 0:
        return None
    return ResponsesPolicy(keep=own.keep, max_bytes=own.max_bytes, max_entry_bytes=own.max_entry_bytes)


def _files(settings: Settings) -> FilesPolicy | None:
    """How files are remembered; if for no time, they are not served."""
    own = settings.files
    return None if own.keep == 0 else FilesPolicy(keep=own.keep, max_bytes=own.max_bytes)


def _cache(settings: Settings, report: Report) -> CachePolicy | None:
    """The exact cache, from our section or from LiteLLM's switch."""
    own, module = settings.cache, settings.litellm_settings
    if own is None and not module.cache:
        return None
    if own is None and module.cache_params.type != "local":
        path = ("litellm_settings", "cache_params", "type")
        report.warn(path, "not served yet; replies are cached in each worker's memory instead")
    policy = CacheSettings() if own is None else own
    ttl = policy.ttl if own is not None else module.cache_params.ttl or policy.ttl
    return CachePolicy(ttl=ttl, max_bytes=policy.max_bytes, max_entry_bytes=policy.max_entry_bytes)
