"""Every provider passes every scenario it claims, and refuses the others in words a client understands."""

from collections.abc import Iterator

import openai
import pytest

from tests.conformance.providers import PROVIDERS, Can, Provider
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.upstream_api import answer
from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams.scripted import ScriptedUpstream


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """The official SDK in front of a gateway with one group for each provider."""
    home = tmp_path_factory.mktemp("conformance")
    with ScriptedUpstream(answer) as upstream:
        config = gateway_config(*(provider.entry(upstream) for provider in PROVIDERS))
        with (
            GatewayProcess(home, config, env=KEYS_ENVIRONMENT) as gateway,
            openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=MASTER_KEY, max_retries=0) as client,
        ):
            yield client


@pytest.mark.parametrize("what", SCENARIOS, ids=str)
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_scenario(client: openai.OpenAI, provider: Provider, what: Can) -> None:
    if what in provider.can:
        SCENARIOS[what](client, provider.name)
    else:
        with pytest.raises(openai.BadRequestError) as caught:
            SCENARIOS[what](client, provider.name)
        assert caught.value.code == "unsupported"


def test_every_ability_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(Can)
