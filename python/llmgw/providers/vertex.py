"""Vertex AI: Gemini by generateContent, Claude by Messages, other publishers by the OpenAI surface;
embeddings by predict or embedContent."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from llmgw.model import Operation
from llmgw.providers import google_token
from llmgw.providers.base import (
    Header,
    Target,
    TargetError,
    Upstream,
    VertexAccess,
    checked_base,
    first_variable,
    header_secret,
)
from llmgw.providers.gemini import content_stream_urls, content_urls
from llmgw.providers.leases import Held, Leases
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_PROJECTS = ("VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")
_LOCATIONS = ("VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION")
_CREDENTIALS = ("VERTEXAI_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")
_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")
_GOOGLE = "https://aiplatform.googleapis.com"
_DOMAIN = ".googleapis.com"
_MULTIMODAL = "multimodalembedding"
_LARGEST_FILE = 64 * 1024


class Vertex(msgspec.Struct, frozen=True, kw_only=True):
    """Vertex AI on Google Cloud. `claude-…` is Anthropic's, `publisher/model` another publisher's."""

    leases: Leases = msgspec.field(default_factory=Leases)
    """The tokens at hand."""
    name: str = "vertex_ai"
    aliases: tuple[str, ...] = ("vertex", "vertex_ai_beta")
    key_variables: tuple[str, ...] = ()
    typical_model: str = "gemini"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        if target.model.startswith(_MULTIMODAL):
            problem = "left out: pictures and films are no texts, and only those are turned into vectors here"
            return Upstream(model=target.model, urls={}, headers=(), warning=problem)
        if target.api_key is not None:
            return _express(target, target.api_key)
        fields = _fields(target.vertex, environment)
        base = _place(target, environment, fields)
        _check_trust(base, target.vertex)
        google_token.check_library()
        source = None if fields is None else msgspec.json.encode(fields, order="deterministic")
        held: Held[Secret] = self.leases.get(("google", source), lambda: google_token.fetch_token(fields))
        return msgspec.structs.replace(
            _upstream(base, target.model),
            region=base.rpartition("/")[2],
            token_headers=_bearer(held),
            renew_at=held.renew_at,
            credential_problem=held.problem,
        )


def _check_trust(base: str, access: VertexAccess) -> None:
    """Credentials that the file does not name are shown to Google alone."""
    host = urlsplit(base).hostname or ""
    if access.vertex_credentials is None and not host.endswith(_DOMAIN):
        raise TargetError("vertex_credentials", "needed beside an api_base that is not Google's")


def _upstream(base: str, model: str) -> Upstream:
    """A model below `…/locations/LOCATION`, by who publishes it."""
    if "/" in model:
        url = f"{base}/endpoints/openapi{Operation.CHAT_COMPLETIONS.path}"
        return Upstream(model=model, urls={Operation.CHAT_COMPLETIONS: url}, headers=())
    if not model.startswith("claude-"):
        return _of_google(f"{base}/publishers/google/models/{{model}}", model)
    models = f"{base}/publishers/anthropic/models"
    return Upstream(
        model=model,
        urls={
            Operation.MESSAGES: f"{models}/{{model}}:rawPredict",
            Operation.COUNT_MESSAGE_TOKENS: f"{models}/count-tokens:rawPredict",
        },
        stream_urls={Operation.MESSAGES: f"{models}/{{model}}:streamRawPredict"},
        headers=(),
        native_schema=False,
        takes_urls=False,
        body_style="vertex_anthropic",
    )


def _of_google(url: str, model: str) -> Upstream:
    """One of Google's own models, whose methods lie behind this URL."""
    if "embedding" in model:
        return Upstream(model=model, urls=_embedding_urls(url, model), headers=(), original=True)
    streams = content_stream_urls(url)
    return Upstream(model=model, urls=content_urls(url), stream_urls=streams, headers=(), original=True)


def _is_gemini_embedding(model: str) -> bool:
    """Google's own SDK asks these in the beta version alone, which is where their methods are sure to be."""
    return "embedding" in model and "gemini" in model


def _embedding_urls(url: str, model: str) -> dict[Operation, str]:
    """By which methods a model turns texts into vectors: Gemini's have other ones than those before them."""
    if _is_gemini_embedding(model):
        return {
            Operation.VERTEX_EMBED_CONTENT: f"{url}:embedContent",
            Operation.VERTEX_BATCH_EMBED_CONTENTS: f"{url}:batchEmbedContents",
        }
    if "maas" in model:
        return {Operation.VERTEX_EMBED_CONTENT: f"{url}:embedContent"}
    return {Operation.PREDICT: f"{url}:predict"}


def _express(target: Target, key: Secret) -> Upstream:
    """An API key instead of a project: Vertex AI's express mode, for Google's own models."""
    url = f"{_versioned(target, target.api_base or _GOOGLE)}/publishers/google/models/{{model}}"
    return msgspec.structs.replace(
        _of_google(url, target.model),
        headers=(("x-goog-api-key", header_secret(key, "api_key")),),
        original=target.api_base is None,
    )


def _place(target: Target, environment: Environment, fields: dict[str, object] | None) -> str:
    """The URL of project and location."""
    access = target.vertex
    location = access.vertex_location or first_variable(_LOCATIONS, environment) or "global"
    project = access.vertex_project or first_variable(_PROJECTS, environment)
    if project is None and fields is not None:
        project = str(fields.get("project_id") or fields.get("quota_project_id") or "")
    if not project:
        raise TargetError("vertex_project", f"no project: set {_PROJECTS[0]}, or give vertex_project")
    for field, value in (("vertex_project", project), ("vertex_location", location)):
        if not _NAME.fullmatch(value):
            raise TargetError(field, "expected a name such as my-project or europe-west4")
    base = _versioned(target, target.api_base or _host(location))
    return f"{base}/projects/{project}/locations/{location}"


def _host(location: str) -> str:
    """A location's address; `eu` and `us` are several at once."""
    if location == "global":
        return _GOOGLE
    if "-" not in location:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _versioned(target: Target, url: str) -> str:
    base = checked_base(url)
    if _VERSION.fullmatch(base.rpartition("/")[2]):
        return base
    version = target.api_version or ("v1beta1" if _is_gemini_embedding(target.model) else "v1")
    if not _VERSION.fullmatch(version):
        raise TargetError("api_version", "expected a version such as v1beta1")
    return f"{base}/{version}"


def _fields(access: VertexAccess, environment: Environment) -> dict[str, object] | None:
    """The credentials that the file or the environment names, as JSON or by a path."""
    text = access.vertex_credentials
    if text is None and (value := first_variable(_CREDENTIALS, environment)):
        text = Secret(value)
    if text is None:
        return None
    if text.reveal().lstrip().startswith("{"):
        return google_token.parse_credentials(text)
    path = Path(text.reveal()).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            return google_token.parse_credentials(Secret(file.read(_LARGEST_FILE)))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise TargetError("vertex_credentials", f"the credentials file cannot be read: {reason}") from None


def _bearer(held: Held[Secret]) -> tuple[Header, ...]:
    if held.value is None:
        return ()
    return (("authorization", f"Bearer {header_secret(held.value, 'vertex_credentials')}"),)
