"""OpenAI itself."""

from llmgw.model import Operation
from llmgw.providers.base import Target
from llmgw.providers.openai import OPENAI
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret


def test_a_model_of_the_responses_api_is_served_by_nothing_else() -> None:
    target = Target(model="responses/gpt-5", api_key=Secret("k"))
    upstream = OPENAI.connect(target, Environment({}))
    assert upstream.model == "gpt-5"
    assert upstream.urls == {Operation.RESPONSES: "https://api.openai.com/v1/responses"}
