"""Retries, rests and deadlines from LiteLLM's names."""

import pytest

from llmgw.errors import TABLE
from llmgw.gateway.snapshot import RetryPolicy
from tests.unit.configurations import compiled, warnings


def retry(text: str) -> RetryPolicy:
    return compiled(text).retry


def test_the_defaults_are_litellms() -> None:
    assert retry("") == RetryPolicy(
        retries=2, by_class={}, backoff_base=0.5, backoff_max=8.0, allowed_fails=3, cooldown=5.0
    )


@pytest.mark.parametrize(
    ("text", "retries"),
    [
        ("litellm_settings: {num_retries: 5}", 5),
        ("router_settings: {num_retries: 0}\nlitellm_settings: {num_retries: 5}", 0),
        ("router_settings: {num_retries: 0, retry_policy: {DefaultRetries: 1}}", 1),
    ],
)
def test_the_most_specific_number_of_retries_counts(text: str, retries: int) -> None:
    assert retry(text).retries == retries


def test_litellms_error_names_become_ours() -> None:
    text = """
        router_settings:
          retry_policy: {TimeoutErrorRetries: 1, RateLimitErrorRetries: 4, InternalServerErrorRetries: 2,
                         ServiceUnavailableErrorRetries: 3, BadRequestErrorRetries: 0}
        """
    assert retry(text).by_class == {
        "UpstreamTimeout": 1,
        "UpstreamRateLimited": 4,
        "UpstreamOverloaded": 3,
        "UpstreamProtocol": 2,
        "UpstreamUnreachable": 3,
    }
    assert warnings(text) == []


def test_only_classes_that_are_retried_are_named() -> None:
    text = """
        router_settings:
          retry_policy: {TimeoutErrorRetries: 1, RateLimitErrorRetries: 1, InternalServerErrorRetries: 1,
                         ServiceUnavailableErrorRetries: 1}
        """
    retried = {kind.__name__ for kind in TABLE if kind.retry}
    assert set(retry(text).by_class) == retried


def test_retries_of_what_is_never_retried_are_warned_of() -> None:
    found = warnings("router_settings: {retry_policy: {NotFoundErrorRetries: 2}}")
    assert found == [
        "llmgw.yaml:1: router_settings.retry_policy.NotFoundErrorRetries: such a failure is not retried"
    ]


def test_other_strategies_are_accepted_with_a_warning() -> None:
    (found,) = warnings("router_settings: {routing_strategy: least-busy}")
    assert "'least-busy' is not served yet" in found


def test_a_rest_can_be_switched_off() -> None:
    assert retry("router_settings: {cooldown_time: 0}").cooldown == 0


def test_a_long_first_wait_lengthens_the_longest() -> None:
    policy = retry("router_settings: {retry_after: 20}")
    assert (policy.backoff_base, policy.backoff_max) == (20, 20)
