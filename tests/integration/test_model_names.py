"""Which deployment a model's name leads to: patterns, aliases, several deployments under one name."""

from collections import Counter

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.upstreams.scripted import ScriptedUpstream


def models_sent(upstream: ScriptedUpstream) -> Counter[str]:
    return Counter(each.json()["model"] for each in upstream.requests)


def test_a_pattern_passes_on_what_its_star_stands_for(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("acme/*", upstream.base_url, "openai/*")))

    gateway.chat("acme/large")
    gateway.chat("acme/team/small:1")

    assert models_sent(upstream) == {"large": 1, "team/small:1": 1}
    assert gateway.chat("other/large").status == 404


def test_the_more_exact_name_wins(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("*", upstream.base_url, "openai/any"),
            deployment("acme/*", upstream.base_url, "openai/pattern"),
            deployment("acme/large", upstream.base_url, "openai/exact"),
        )
    )

    for name in ("acme/large", "acme/small", "else"):
        gateway.chat(name)

    assert models_sent(upstream) == {"exact": 1, "pattern": 1, "any": 1}


def test_a_keys_pattern_opens_what_it_matches_and_nothing_else(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("*", upstream.base_url, "openai/*"),
            keys=[{"alias": "app", "key": "env:APP_KEY", "models": ["acme/*"]}],
        )
    )

    assert gateway.chat("acme/large", APP_KEY).status == 200
    assert gateway.chat("acmelarge", APP_KEY).status == 403
    assert gateway.chat("other", APP_KEY).status == 403


def test_an_alias_leads_to_its_group(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    config = gateway_config(
        deployment("plain", upstream.base_url), router_settings={"model_group_alias": {"nickname": "plain"}}
    )
    gateway = start_gateway(config)

    assert gateway.chat("nickname").status == 200


def test_an_alias_is_no_way_round_the_keys_list(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = gateway_config(
        deployment("plain", upstream.base_url),
        deployment("secret", upstream.base_url),
        router_settings={"model_group_alias": {"nickname": "secret"}},
    )

    assert start_gateway(config).chat("nickname", APP_KEY).status == 403


def test_traffic_is_shared_by_weight(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("plain", upstream.base_url, "openai/heavy", weight=4),
            deployment("plain", upstream.base_url, "openai/light", weight=1),
            deployment("plain", upstream.base_url, "openai/idle", weight=0),
        )
    )

    for _ in range(200):
        gateway.chat("plain")

    sent = models_sent(upstream)
    assert set(sent) == {"heavy", "light"}
    assert 10 <= sent["light"] <= 80  # 40 expected; beyond seven standard deviations neither way


def test_a_lower_order_takes_everything_while_it_works(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("plain", upstream.base_url, "openai/second", order=2),
            deployment("plain", upstream.base_url, "openai/first", order=1),
        )
    )

    for _ in range(20):
        gateway.chat("plain")

    assert models_sent(upstream) == {"first": 20}
