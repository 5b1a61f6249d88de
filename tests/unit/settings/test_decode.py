"""Trees to structs: every problem with its place."""

from llmgw.settings.decode import decode
from llmgw.settings.models import ModelEntry
from llmgw.settings.problems import Report
from llmgw.settings.schema import RouterSettings, Settings
from llmgw.settings.secrets import SecretReference
from tests.unit.configurations import problems, read, warnings


def test_several_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        """
        model_list:
          - model_name: a
            litellm_params:
              modle: openai/gpt-4o
              rpm: many
        server: {prot: 3}
        """
    )
    assert found == [
        "llmgw.yaml:4: model_list[0].litellm_params: 'model' is missing",
        "llmgw.yaml:5: model_list[0].litellm_params.modle: unknown key 'modle'; did you mean 'model'?",
        "llmgw.yaml:6: model_list[0].litellm_params.rpm: Expected `int`, got `str`",
        "llmgw.yaml:7: server.prot: unknown key 'prot'; did you mean 'port'?",
    ]


def test_an_unknown_key_like_no_other_gets_no_suggestion() -> None:
    assert problems("zzzzqqq: 1") == ["llmgw.yaml:1: zzzzqqq: unknown key 'zzzzqqq'"]


def test_litellm_keys_that_are_not_acted_on_are_warned_of() -> None:
    found = warnings("litellm_settings: {drop_params: true}")
    assert found == ["llmgw.yaml:1: litellm_settings.drop_params: known from LiteLLM, but not acted on yet"]


def test_a_section_without_a_value_is_as_if_left_out() -> None:
    assert read("general_settings:\nkeys:\ncache:\n").settings == Settings()


def test_a_mapping_where_a_list_belongs_is_told() -> None:
    assert problems("model_list: {a: b}") == ["llmgw.yaml:1: model_list: expected a list"]


def test_a_list_where_a_mapping_belongs_is_told() -> None:
    assert problems("- a") == ["llmgw.yaml: expected a mapping"]


def test_plain_fields_take_references() -> None:
    settings = read("server: {port: env:MY_PORT}", MY_PORT="8080").settings
    assert settings.server.port == 8080


def test_a_reference_in_a_plain_field_that_leads_nowhere_is_told() -> None:
    found = problems("server: {port: env:MY_PORT}")
    assert found == ["llmgw.yaml:1: server.port: the environment variable MY_PORT is not set"]


def test_secret_fields_keep_their_references() -> None:
    report = Report()
    tree = {"model_name": "a", "params": {"model": "openai/a", "api_key": "env:KEY"}}
    entry = decode(tree, ModelEntry, report, {})
    assert entry is not None
    assert entry.params is not None
    assert entry.params.api_key == SecretReference("env:KEY")


def test_both_spellings_of_params_are_refused() -> None:
    found = problems("model_list: [{model_name: a, params: {model: b}, litellm_params: {model: b}}]")
    assert found == ["llmgw.yaml:1: model_list[0]: give either litellm_params or params, not both"]


def test_an_alias_may_be_a_name_or_a_mapping() -> None:
    report = Report()
    tree = {"model_group_alias": {"a": "b", "c": {"model": "d", "hidden": True}}}
    router = decode(tree, RouterSettings, report, {})
    assert router is not None
    assert set(router.model_group_alias) == {"a", "c"}
    assert report.problems == []


def test_numbers_out_of_range_are_told() -> None:
    assert problems("server: {port: 70000}") == ["llmgw.yaml:1: server.port: Expected `int` <= 65535"]


def test_endless_and_undefined_numbers_are_refused() -> None:
    assert len(problems("router_settings: {timeout: .inf, total_timeout: .nan}")) == 2


def test_a_model_name_with_a_line_break_is_refused() -> None:
    assert len(problems('model_list: [{model_name: "a\\nb", params: {model: mock/echo}}]')) == 1


def test_model_info_is_free_form() -> None:
    text = "model_list: [{model_name: a, params: {model: mock/a}, model_info: {owner: us, id: one}}]"
    assert problems(text) == []
