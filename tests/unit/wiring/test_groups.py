"""Model groups: shares, wildcards, aliases, fallbacks."""

import pytest

from tests.unit.configurations import compiled, deployments, group, names, problems, warnings

TWO = """
    model_list:
      - {{model_name: a, params: {{model: mock/one, {first}}}}}
      - {{model_name: a, params: {{model: mock/two, {second}}}}}
    """


def weights(first: str, second: str) -> list[int]:
    snapshot = compiled(TWO.format(first=first, second=second))
    return [one.weight for one in deployments(snapshot, "a")]


def test_the_same_name_twice_is_one_group() -> None:
    snapshot = compiled(TWO.format(first="rpm: 1", second="rpm: 1"))
    assert [one.model for one in deployments(snapshot, "a")] == ["one", "two"]
    assert len(snapshot.groups) == 1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("order: 0", "order: 0", [1, 1]),
        ("weight: 3", "weight: 1", [3, 1]),
        ("weight: 1", "weight: 0", [1, 0]),
        ("rpm: 480", "rpm: 20", [480, 20]),
        ("rpm: 480", "tpm: 20", [480, 0]),
        ("tpm: 100", "tpm: 300", [100, 300]),
        ("weight: 1, rpm: 5", "rpm: 5", [1, 0]),
        ("weight: 0", "weight: 0", [1, 1]),
    ],
)
def test_shares_follow_weight_then_rpm_then_tpm(first: str, second: str, expected: list[int]) -> None:
    assert weights(first, second) == expected


def test_fractions_keep_their_proportion() -> None:
    first, second = weights("weight: 0.25", "weight: 0.75")
    assert first * 3 == pytest.approx(second, rel=1e-5)


def test_a_tiny_share_is_still_a_share() -> None:
    assert weights("tpm: 1", "tpm: 10_000_000_000") == [1, 1_000_000]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("order: 1", "order: 2", [1, 2]),
        ("order: 5", "rpm: 1", [5, 6]),
        ("rpm: 1", "rpm: 1", [0, 0]),
    ],
)
def test_a_deployment_without_an_order_comes_last(first: str, second: str, expected: list[int]) -> None:
    snapshot = compiled(TWO.format(first=first, second=second))
    assert [one.order for one in deployments(snapshot, "a")] == expected


def test_wildcards_are_sorted_from_the_most_specific() -> None:
    text = """
        model_list:
          - {model_name: "*", params: {model: mock/*}}
          - {model_name: "team/*", params: {model: mock/*}}
          - {model_name: "*-large", params: {model: mock/*}}
          - {model_name: "team/big-*", params: {model: mock/*}}
        """
    snapshot = compiled(text)
    assert [(one.prefix, one.suffix) for one in snapshot.wildcards] == [
        ("team/big-", ""),
        ("", "-large"),
        ("team/", ""),
        ("", ""),
    ]
    assert names(snapshot, tuple(one.group for one in snapshot.wildcards)) == [
        "team/big-*",
        "*-large",
        "team/*",
        "*",
    ]
    assert snapshot.models == {}


def test_a_wildcard_may_lead_to_one_model() -> None:
    text = 'model_list: [{model_name: "*", params: {model: mock/echo}}]'
    assert compiled(text).deployments[0].model == "echo"


def test_an_alias_leads_to_its_group() -> None:
    text = """
        model_list: [{model_name: a, params: {model: mock/m}}]
        router_settings: {model_group_alias: {b: a, c: {model: a, hidden: true}, d: b}}
        """
    assert compiled(text).models == {"a": 0, "b": 0, "c": 0, "d": 0}


@pytest.mark.parametrize(
    ("alias", "target", "reason"),
    [
        ("b", "aa", "no model_name 'aa'; did you mean 'a'?"),
        ("a", "a", "'a' is a model_name already"),
        ("b*", "a", "a pattern cannot be an alias"),
    ],
)
def test_an_alias_that_cannot_be_is_told(alias: str, target: str, reason: str) -> None:
    text = f"""
        model_list: [{{model_name: a, params: {{model: mock/m}}}}]
        router_settings:
          model_group_alias:
            "{alias}": {target}
        """
    (found,) = problems(text)
    assert reason in found
    assert found.startswith("llmgw.yaml:5: router_settings.model_group_alias")


ABC = """
model_list:
  - {model_name: a, params: {model: mock/a}}
  - {model_name: b, params: {model: mock/b}}
  - {model_name: c, params: {model: mock/c}}
"""


def fallbacks(sections: str, name: str) -> list[str]:
    snapshot = compiled(ABC + sections)
    return names(snapshot, group(snapshot, name).fallbacks)


def test_fallbacks_keep_their_order() -> None:
    sections = "router_settings: {fallbacks: [{a: [c, b]}]}"
    assert fallbacks(sections, "a") == ["c", "b"]
    assert fallbacks(sections, "b") == []


def test_default_fallbacks_are_for_groups_without_their_own_and_never_for_themselves() -> None:
    sections = "router_settings: {fallbacks: [{a: [c]}], default_fallbacks: [b, c]}"
    assert fallbacks(sections, "a") == ["c"]
    assert fallbacks(sections, "b") == ["c"]
    assert fallbacks(sections, "c") == ["b"]


def test_a_star_in_fallbacks_stands_for_every_other_group() -> None:
    assert fallbacks('router_settings: {fallbacks: [{"*": [b]}]}', "c") == ["b"]


def test_a_group_may_have_no_fallbacks_in_spite_of_the_default() -> None:
    sections = "router_settings: {fallbacks: [{a: []}], default_fallbacks: [b]}"
    assert fallbacks(sections, "a") == []


def test_fallbacks_of_litellm_settings_count_unless_the_router_has_some() -> None:
    module = "litellm_settings: {fallbacks: [{a: [b]}]}\n"
    assert fallbacks(module, "a") == ["b"]
    assert fallbacks(module + "router_settings: {fallbacks: [{a: [c]}]}", "a") == ["c"]


def test_fallbacks_for_long_prompts_are_apart() -> None:
    snapshot = compiled(ABC + "router_settings: {context_window_fallbacks: [{a: [b]}]}")
    assert names(snapshot, group(snapshot, "a").context_window_fallbacks) == ["b"]
    assert group(snapshot, "a").fallbacks == ()


def test_an_unknown_fallback_is_told_with_its_place() -> None:
    text = """
        model_list: [{model_name: gpt, params: {model: mock/m}}]
        router_settings: {fallbacks: [{gpt: [gtp]}]}
        """
    assert problems(text) == [
        "llmgw.yaml:3: router_settings.fallbacks[0].gpt[0]: no model_name 'gtp'; did you mean 'gpt'?"
    ]


def test_a_fallback_that_only_a_wildcard_matches_becomes_a_group() -> None:
    text = """
        model_list: [{model_name: "openai/*", params: {model: openai/*, api_key: env:K}}]
        router_settings: {fallbacks: [{openai/small: [openai/large]}]}
        """
    snapshot = compiled(text, K="k")
    (small,), (large,) = deployments(snapshot, "openai/small"), deployments(snapshot, "openai/large")
    assert (small.model, large.model) == ("small", "large")
    assert names(snapshot, group(snapshot, "openai/small").fallbacks) == ["openai/large"]
    assert len({one.id for one in snapshot.deployments}) == 3


def test_a_fallback_to_a_group_that_is_left_out_is_warned_of() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: mock/m}}
          - {model_name: b, params: {model: oci/m}}
        router_settings: {fallbacks: [{a: [b]}]}
        """
    assert group(compiled(text), "a").fallbacks == ()
    assert any("'b' is left out" in warning for warning in warnings(text))
