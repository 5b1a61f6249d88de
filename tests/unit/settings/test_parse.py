"""Text to trees: what YAML may hold, and where values stand."""

import pytest

from llmgw.settings.parse import parse
from llmgw.settings.problems import SettingsError


def refusal(text: str, file: str = "a.yaml") -> str:
    with pytest.raises(SettingsError) as caught:
        parse(text, file)
    return str(caught.value)


def test_values_of_yaml_keep_their_lines() -> None:
    parsed = parse("model_list:\n  - model_name: a\n    params:\n      model: mock/echo\n", "a.yaml")
    assert parsed.lines["model_list", 0, "model_name"] == 2
    assert parsed.lines["model_list", 0, "params", "model"] == 4


@pytest.mark.parametrize("text", ["", "\n", "# nothing but a comment\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert refusal(text) == "a.yaml: the file is empty ({} stands for the defaults)"


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb: 2\na: 3\n") == "a.yaml:3: the key 'a' appears twice in one mapping"


def test_a_key_given_twice_is_refused_in_json_too() -> None:
    assert "the key 'a' appears twice" in refusal('{"a": 1, "a": 2}', "a.json")


def test_a_key_given_twice_is_refused_in_toml_too() -> None:
    assert "a.toml" in refusal("a = 1\na = 2\n", "a.toml")


def test_python_objects_are_refused() -> None:
    message = refusal("a: !!python/object/apply:os.system ['true']\n")
    assert "tag:yaml.org,2002:python/object/apply:os.system" in message


def test_python_scalars_are_refused() -> None:
    assert "python/name" in refusal("a: !!python/name:os.system ''\n")


def test_anchors_and_merges_work_and_own_keys_win() -> None:
    text = "base: &base {rpm: 1, tpm: 2}\nmine:\n  rpm: 3\n  <<: *base\n"
    assert parse(text, "a.yaml").tree["mine"] == {"rpm": 3, "tpm": 2}


def test_of_several_merged_mappings_the_first_wins() -> None:
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\n"
    assert parse(text, "a.yaml").tree["c"] == {"x": 1, "y": 2}


def test_an_alias_within_itself_is_refused() -> None:
    assert "too many or too deeply nested" in refusal("a: &a [*a]\n")


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert "too many or too deeply nested" in refusal("\n".join(lines))


def test_dates_stay_text() -> None:
    assert parse("api_version: 2024-10-21\n", "a.yaml").tree == {"api_version": "2024-10-21"}


def test_numbers_with_underscores_are_numbers() -> None:
    assert parse("tpm: 100_000\n", "a.yaml").tree == {"tpm": 100_000}


def test_broken_yaml_is_told_with_its_line() -> None:
    assert refusal("a: 1\nb: [1,\n").startswith("a.yaml:3: ")


def test_broken_json_is_told_with_its_line() -> None:
    assert refusal('{"a": 1,\n "b": }', "a.json").startswith("a.json:2: ")


def test_an_undefined_alias_is_refused() -> None:
    assert "undefined alias" in refusal("a: *nowhere\n")


def test_two_documents_are_refused() -> None:
    assert "a.yaml:2" in refusal("a: 1\n---\nb: 2\n")


def test_a_value_that_does_not_fit_its_tag_is_not_repeated() -> None:
    message = refusal("a: !!int sk-canary\n")
    assert "sk-canary" not in message


@pytest.mark.parametrize(
    ("text", "file"),
    [("a: {b: [1, x]}", "a.yaml"), ('{"a": {"b": [1, "x"]}}', "a.json"), ('a = {b = [1, "x"]}', "a.toml")],
)
def test_the_formats_hold_the_same_tree(text: str, file: str) -> None:
    assert parse(text, file).tree == {"a": {"b": [1, "x"]}}
