"""What a user may write of models: how a deployment is reached, and what is known of its model."""

import msgspec

from llmgw.settings.secrets import SecretReference
from llmgw.settings.values import (
    Count,
    Dollars,
    HeaderText,
    ModelName,
    Positive,
    Rate,
    RegionName,
    Seconds,
    Section,
    Share,
)


class Params(Section, frozen=True):
    """How one deployment is reached."""

    model: ModelName
    """`provider/model`, as `openai/gpt-4o`. OpenAI's own names need no provider. A `*` stands for
    what the public name's `*` matched."""
    custom_llm_provider: str | None = None
    """The provider, when `model` does not begin with it."""
    api_key: SecretReference | None = None
    """The credential; without it, the provider's own environment variable."""
    api_base: str | None = None
    """Base URL; without it, the provider's own."""
    base_url: str | None = None
    """Another spelling of `api_base`."""
    api_version: str | None = None
    """Azure: the `api-version` to ask for."""
    azure_ad_token: SecretReference | None = None
    """Azure: an Entra ID token, instead of a key."""
    tenant_id: str | None = None
    """Azure: the tenant that `client_id` is of. Tokens are got and renewed by `llmgw[azure]`."""
    client_id: str | None = None
    """Azure: the application to get tokens for, instead of a key."""
    client_secret: SecretReference | None = None
    """Azure: the application's secret."""
    azure_scope: str | None = None
    """Azure: the scope of tokens, if it is another than the provider's."""
    vertex_project: str | None = None
    """Vertex AI: the Google Cloud project; without it, `VERTEXAI_PROJECT`, `GOOGLE_CLOUD_PROJECT`, or that
    of the credentials."""
    vertex_location: str | None = None
    """Vertex AI: the location, as `europe-west4`; without it, `VERTEXAI_LOCATION`, `GOOGLE_CLOUD_LOCATION`,
    or `global`."""
    vertex_credentials: SecretReference | None = None
    """Vertex AI: the path of a credentials file (service account, user, workload identity), or its JSON;
    without it, Google's default credentials. Tokens are got and renewed by `llmgw[vertex]`."""
    aws_region_name: str | None = None
    """Bedrock: the region; without it, that of an ARN, `AWS_REGION_NAME`, `AWS_REGION`,
    `AWS_DEFAULT_REGION`, or the profile's."""
    aws_bedrock_runtime_endpoint: str | None = None
    """Bedrock: another address, as that of a VPC endpoint."""
    aws_bearer_token_bedrock: SecretReference | None = None
    """Bedrock: an API key; the same as `api_key`."""
    aws_access_key_id: SecretReference | None = None
    """Bedrock: the access key that requests are signed with. Without one: `AWS_BEARER_TOKEN_BEDROCK`,
    `AWS_ACCESS_KEY_ID`, and what else AWS's tools find, by `llmgw[bedrock]`."""
    aws_secret_access_key: SecretReference | None = None
    """Bedrock: the access key's secret."""
    aws_session_token: SecretReference | None = None
    """Bedrock: the session token of a temporary access key."""
    aws_profile_name: str | None = None
    """Bedrock: a profile of AWS's shared files."""
    aws_role_name: str | None = None
    """Bedrock: the ARN of a role to assume."""
    aws_session_name: str | None = None
    """Bedrock: what the role's sessions are called. Default `llmgw`."""
    aws_external_id: str | None = None
    """Bedrock: the external id that the role asks for."""
    aws_web_identity_token: SecretReference | None = None
    """Bedrock: a token of another identity provider, to assume the role with; best `file:/path`."""
    aws_sts_endpoint: str | None = None
    """Bedrock: another address of AWS's token service."""
    region_name: RegionName | None = None
    """LiteLLM's spelling of `model_info.region`."""
    organization: HeaderText | None = None
    """OpenAI: the organization to bill."""
    extra_headers: dict[str, SecretReference] = msgspec.field(default_factory=dict)
    """More headers for every request."""
    timeout: Seconds | None = None
    """Seconds until the reply begins."""
    stream_timeout: Seconds | None = None
    """Seconds between two pieces of the reply."""
    total_timeout: Seconds | None = None
    """Seconds for one attempt as a whole."""
    rpm: Rate | None = None
    """Requests per minute the upstream grants; shares traffic when there is no `weight`."""
    tpm: Rate | None = None
    """Tokens per minute the upstream grants; shares traffic without `weight` and `rpm`."""
    max_parallel_requests: Positive | None = None
    """Requests that are sent to it at a time, by all workers of the machine. Where that is reached, requests
    go to another deployment of the group, or wait for as long as the policy waits between retries; those of
    low priority are refused. A place that becomes free goes to the higher priority, then to the organisation
    (or key) that has the fewest."""
    weight: Share | None = None
    """Share of the group's traffic, relative to its other deployments. 0: only when nothing else
    is left."""
    order: Count | None = None
    """Lower is tried first; deployments without one come last."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a deployment. Free-form, as in LiteLLM: keys beside these are not looked at."""

    id: HeaderText | None = None
    """The deployment's id in headers and metrics; without it, made from `model`."""
    mode: str | None = None
    """`chat`, `embedding`, …: restricts the deployment to that kind of request."""
    base_model: str | None = None
    """The model behind an opaque name (an Azure deployment, an inference profile of Bedrock), for token
    counting, for what is known of it, and for what it takes."""
    region: RegionName | None = None
    """The region in which it is served, for keys that are bound to regions. Without it, what the address
    tells: Vertex AI's location; Bedrock's region, or the geography of a cross-region profile (`eu`, `us`,
    `global`). Otherwise it is not known."""
    max_tokens: Positive | None = None
    """As `max_output_tokens`, in an older spelling."""
    max_input_tokens: Positive | None = None
    """Tokens that fit into a request; without it, what the model catalogue says."""
    max_output_tokens: Positive | None = None
    """Tokens that a reply may have; without it, what the model catalogue says."""
    input_cost_per_token: Dollars | None = None
    """Dollars for a token of input; without it and the next seven, what the model catalogue says. Zero is
    free, with all parts of it that have no price here."""
    output_cost_per_token: Dollars | None = None
    """Dollars for a token of output."""
    cache_read_input_token_cost: Dollars | None = None
    """Dollars for a token of input that the provider had in its cache."""
    cache_creation_input_token_cost: Dollars | None = None
    """Dollars for a token of input that the provider puts into its cache."""
    cache_creation_input_token_cost_above_1hr: Dollars | None = None
    """The same, where it is to stay there for an hour."""
    output_cost_per_reasoning_token: Dollars | None = None
    """Dollars for a token of reasoning, where it does not cost what output does."""
    input_cost_per_audio_token: Dollars | None = None
    """Dollars for a token of sound that is heard."""
    output_cost_per_audio_token: Dollars | None = None
    """Dollars for a token of sound that is made."""
    supports_reasoning: bool | None = None
    """The model thinks, and its host lets clients say how much. Without it, as the catalogue says."""
    supports_response_schema: bool | None = None
    """The model takes a JSON Schema for its reply; otherwise a tool is forced in its place. Without it,
    as the catalogue says."""
    supports_url_media: bool | None = None
    """The host fetches pictures and documents that a request gives by URL. Without it, as is known of the
    host. Matters where `egress.fetch_media` is on."""


class ModelEntry(Section, frozen=True):
    """One deployment of a model group; the same `model_name` twice makes a load-balanced group."""

    model_name: ModelName
    """The public name. One `*` makes it a pattern: `openai/*`, `*`."""
    litellm_params: Params | None = None
    """How the deployment is reached."""
    params: Params | None = None
    """Another spelling of `litellm_params`."""
    model_info: ModelInfo = ModelInfo()
    """Facts about the deployment."""
    rpm: Rate | None = None
    """As in `litellm_params`."""
    tpm: Rate | None = None
    """As in `litellm_params`."""

    def __post_init__(self) -> None:
        if self.litellm_params is not None and self.params is not None:
            raise ValueError("give either litellm_params or params, not both")
