"""Entries of the model list to deployments: provider, credential, URLs, headers, deadlines."""

import re
from collections.abc import Sequence

import msgspec

from llmgw import _native
from llmgw.gateway.snapshot import Deployment, Signer, Timeouts
from llmgw.model import CHATS, EMBEDS, Operation
from llmgw.providers import NOT_SERVED, split_model
from llmgw.providers.base import Header, Provider, TargetError, Upstream
from llmgw.registry import Registry
from llmgw.settings.environment import Environment
from llmgw.settings.models import ModelEntry, ModelInfo, Params
from llmgw.settings.problems import Path, Report
from llmgw.settings.secrets import UnresolvedReferenceError
from llmgw.wiring.targets import compile_target

_BY_MODE = {
    "chat": CHATS | {Operation.COUNT_MESSAGE_TOKENS, Operation.COUNT_CONTENT_TOKENS},
    "completion": {Operation.COMPLETIONS},
    "embedding": EMBEDS,
    "responses": {Operation.RESPONSES},
    "moderation": {Operation.MODERATIONS},
    "image_generation": {Operation.IMAGES_GENERATIONS, Operation.IMAGES_EDITS},
    "image_edit": {Operation.IMAGES_EDITS},
    "audio_speech": {Operation.AUDIO_SPEECH},
    "audio_transcription": {Operation.AUDIO_TRANSCRIPTIONS, Operation.AUDIO_TRANSLATIONS},
    "rerank": {Operation.RERANK},
    "batch": {Operation.FILES, Operation.BATCHES},
    "realtime": {Operation.REALTIME},
}
_BESIDE = "batch"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_OURS_TO_SET = {"host", "content-length", "transfer-encoding", "connection", "content-type"}


class Built(msgspec.Struct, frozen=True):
    """A deployment with the entry it came from; weight and order are set by its group."""

    entry: ModelEntry
    path: Path
    deployment: Deployment

    @property
    def params(self) -> Params:
        """How the entry says it is reached."""
        return params_of(self.entry)


def params_of(entry: ModelEntry) -> Params:
    """The entry's parameters; without any, the public name is the model's too."""
    return entry.params or entry.litellm_params or Params(model=entry.model_name)


class DeploymentCompiler:
    """Compiles the entries of one configuration."""

    def __init__(
        self,
        providers: Registry[Provider],
        environment: Environment,
        report: Report,
        timeouts: Timeouts,
        *,
        default_identity: bool = False,
    ) -> None:
        """`default_identity`: see `Target.default_identity`."""
        self._providers = providers
        self._environment = environment
        self._report = report
        self._timeouts = timeouts
        self._default_identity = default_identity
        self._ids: set[str] = set()
        self._renewals: list[float] = []
        self.credential_problems: list[str] = []
        """What keeps credentials that expire from being had, by deployment."""

    @property
    def renew_at(self) -> float | None:
        """Unix seconds at which the first credential should be made anew."""
        return min(self._renewals, default=None)

    def compile(self, entries: Sequence[ModelEntry], section: Path) -> list[Built]:
        """The deployments of those entries that can be served; the others are reported."""
        self._take_given_ids(entries, section)
        built: list[Built] = []
        for index, entry in enumerate(entries):
            path = (*section, index)
            if (deployment := self._deployment(entry, path)) is not None:
                built.append(Built(entry, path, deployment))
        return built

    def compile_alone(self, entry: ModelEntry, path: Path) -> Deployment | None:
        """The deployment of an entry that is in no list of models; `None` if it was reported."""
        self._take_given_ids([entry], path)
        return self._deployment(entry, path)

    def _deployment(self, entry: ModelEntry, path: Path) -> Deployment | None:
        params = params_of(entry)
        at = (*path, "params" if entry.params is not None else "litellm_params")
        provider = self._provider(params, at)
        if provider is None or not self._stars_agree(entry, params, at) or not self._serves_mode(entry, path):
            return None
        upstream = self._upstream(provider, params, at, entry.model_info)
        if upstream is None:
            return None
        urls = self._urls(entry, upstream, path)
        if not urls:
            return None
        name = entry.model_info.id or self._new_id(f"{provider.name}/{upstream.model}")
        self._note_credential(name, upstream)
        return Deployment(
            id=name,
            provider=provider.name,
            region=entry.model_info.region or params.region_name or upstream.region,
            model=upstream.model,
            urls=urls,
            stream_urls={
                operation: url for operation, url in upstream.stream_urls.items() if operation in urls
            },
            files_url=upstream.urls.get(Operation.FILES),
            headers=self._headers(upstream.headers, params, at),
            token_headers=upstream.token_headers,
            signing=_signing(upstream),
            weight=1,
            order=0,
            stream_usage=upstream.stream_usage,
            original=upstream.original,
            native_schema=upstream.native_schema,
            reasoning=False,
            takes_urls=_takes_urls(entry, upstream),
            body_style=upstream.body_style,
            base_model=entry.model_info.base_model,
            max_output_tokens=None,
            max_concurrent=params.max_parallel_requests,
            price=None,
            tokenizer=_tokenizer(entry, provider, upstream.model),
            timeouts=self._deadlines(params),
        )

    def _provider(self, params: Params, at: Path) -> Provider | None:
        name, _ = split_model(params.model, params.custom_llm_provider)
        found = self._providers.get(name or "")
        if found is not None:
            return found
        if name is None and (params.api_base or params.base_url):
            return self._providers.get("openai")
        if name in NOT_SERVED:
            self._report.warn((*at, "model"), f"left out: the provider '{name}' is not served yet")
        elif name is None:
            self._report.error((*at, "model"), "which provider? write provider/model")
        else:
            near = self._providers.nearest(name)
            hint = f"; did you mean '{near}'?" if near else ""
            message = f"unknown provider '{name}'{hint} (openai/… with api_base is any other host)"
            self._report.error((*at, "model"), message)
        return None

    def _stars_agree(self, entry: ModelEntry, params: Params, at: Path) -> bool:
        """One `*` at most in each, and one upstream only if the public name has one to fill it."""
        public, routed = entry.model_name.count("*"), params.model.count("*")
        if public > 1 or routed > 1:
            self._report.error(at[:-1], "only one '*' is allowed in a model name")
        elif routed > public:
            self._report.error((*at, "model"), "a '*' needs one in model_name to stand for")
        return public <= 1 and routed <= public

    def _serves_mode(self, entry: ModelEntry, path: Path) -> bool:
        """Whether anybody could; asked before a credential is looked for."""
        mode = entry.model_info.mode
        if mode is None or mode in _BY_MODE:
            return True
        self._report.warn((*path, "model_info", "mode"), f"left out: the mode '{mode}' is not served yet")
        return False

    def _upstream(self, provider: Provider, params: Params, at: Path, info: ModelInfo) -> Upstream | None:
        target = compile_target(
            params, self._environment, self._report, at, default_identity=self._default_identity
        )
        if target is None:
            return None
        target = msgspec.structs.replace(target, base_model=info.base_model)
        try:
            upstream = provider.connect(target, self._environment)
        except TargetError as problem:
            # LiteLLM's entries for batches stand beside those for chats; whom we have none for is left out.
            report = self._report.warn if info.mode == _BESIDE else self._report.error
            report((*at, problem.field), str(problem))
            return None
        for told in (upstream.warning, upstream.credential_problem):
            if told is not None:
                self._report.warn(at, told)
        return upstream

    def _note_credential(self, name: str, upstream: Upstream) -> None:
        if upstream.renew_at is not None:
            self._renewals.append(upstream.renew_at)
        if upstream.credential_problem is not None:
            self.credential_problems.append(f"{name}: {upstream.credential_problem}")

    def _urls(self, entry: ModelEntry, upstream: Upstream, path: Path) -> dict[Operation, str]:
        """Of the provider's operations, those of the entry's mode."""
        mode = entry.model_info.mode
        if mode is None:
            return upstream.urls
        wanted = _BY_MODE[mode]
        urls = {operation: url for operation, url in upstream.urls.items() if operation in wanted}
        if not urls:
            at = (*path, "model_info", "mode")
            self._report.warn(at, f"left out: the provider serves nothing of the mode '{mode}' here")
        return urls

    def _headers(self, own: tuple[Header, ...], params: Params, at: Path) -> tuple[Header, ...]:
        """The provider's headers, replaced and joined by the entry's own."""
        headers = dict(own)
        for name, reference in params.extra_headers.items():
            path = (*at, "extra_headers", name)
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _NOT_OURS_TO_SET:
                self._report.error(path, "not a header that can be set")
                continue
            try:
                value = reference.resolve(self._environment).reveal()
            except UnresolvedReferenceError as error:
                self._report.error(path, str(error))
                continue
            if not value.isascii() or not value.isprintable():
                self._report.error(path, "holds characters that cannot be sent in a header")
                continue
            headers[name.lower()] = value
        return tuple(headers.items())

    def _deadlines(self, params: Params) -> Timeouts:
        """The entry's deadlines over the default ones."""
        first_byte = params.timeout or self._timeouts.first_byte
        return Timeouts(
            connect=min(self._timeouts.connect, first_byte),
            first_byte=first_byte,
            idle=params.stream_timeout or min(self._timeouts.idle, first_byte),
            total=max(params.total_timeout or self._timeouts.total, first_byte),
        )

    def _take_given_ids(self, entries: Sequence[ModelEntry], section: Path) -> None:
        for index, entry in enumerate(entries):
            given = entry.model_info.id
            if given is None:
                continue
            if given in self._ids:
                path = (*section, index, "model_info", "id")
                self._report.error(path, f"the id '{given}' is taken by another deployment")
            self._ids.add(given)

    def _new_id(self, name: str) -> str:
        """The name itself, or with a number when it is taken: stable while the order is."""
        unique, number = name, 1
        while unique in self._ids:
            number += 1
            unique = f"{name}#{number}"
        self._ids.add(unique)
        return unique


def _takes_urls(entry: ModelEntry, upstream: Upstream) -> bool:
    told = entry.model_info.supports_url_media
    return upstream.takes_urls if told is None else told


def _signing(upstream: Upstream) -> Signer | None:
    given = upstream.signing
    if given is None:
        return None
    token = given.session_token
    return Signer(
        region=given.region,
        service=given.service,
        access_key_id=given.access_key_id,
        secret_access_key=given.secret_access_key.reveal(),
        session_token=None if token is None else token.reveal(),
    )


def _tokenizer(entry: ModelEntry, provider: Provider, model: str) -> str:
    """The family to count by; a pattern is counted as the provider's typical model."""
    family = _native.token_family(entry.model_info.base_model or model)
    unknown = family == _native.token_family("")
    if unknown and "*" in model and provider.typical_model:
        return _native.token_family(provider.typical_model)
    return family
