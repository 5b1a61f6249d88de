"""New values in files that hold others."""

import pytest

from llmgw.cli.clients.merge import MergeError, merge_env, merge_json, merge_toml, merge_yaml

TABLE = "model_providers.llmgw"


def toml(text: str) -> str:
    return merge_toml(text, {"model": "m", "model_provider": "llmgw"}, TABLE, {"url": "u"})


def test_members_of_a_json_object_are_joined() -> None:
    merged = merge_json('{"a": 1, "env": {"B": "old", "C": "kept"}}', {"env": {"B": "new"}, "d": True})
    assert merged == ('{\n  "a": 1,\n  "env": {\n    "B": "new",\n    "C": "kept"\n  },\n  "d": true\n}\n')


@pytest.mark.parametrize("text", ["{", "[]", "// a comment\n{}", '{"env": []}'])
def test_what_is_no_such_json_object_is_left_alone(text: str) -> None:
    with pytest.raises(MergeError):
        merge_json(text, {"env": {"A": "b"}})


def test_a_new_toml_file_holds_the_values_and_the_table() -> None:
    assert toml("") == 'model = "m"\nmodel_provider = "llmgw"\n\n[model_providers.llmgw]\nurl = "u"\n'


def test_a_toml_file_keeps_its_comments_and_its_other_tables() -> None:
    before = """\
# mine
model = "old"  # the old one

[model_providers.llmgw]
# of this provider
url = "old"
retries = 4

[tools]
model = "of the tools"
"""
    assert (
        toml(before)
        == """\
model_provider = "llmgw"
# mine
model = "m"

[model_providers.llmgw]
# of this provider
url = "u"
retries = 4

[tools]
model = "of the tools"
"""
    )


@pytest.mark.parametrize(
    "text",
    ["model = ", 'model_providers = {llmgw = {url = "x"}}\n', 'text = """\n[model_providers.llmgw]\n"""\n'],
)
def test_toml_that_cannot_be_changed_with_certainty_is_left_alone(text: str) -> None:
    with pytest.raises(MergeError):
        toml(text)


def test_yaml_keeps_its_comments() -> None:
    before = "# mine\nmodel: old # the old one\ndark-mode: true\n"
    assert merge_yaml(before, {"model": "new", "base": "b"}) == (
        '# mine\nmodel: "new"\ndark-mode: true\nbase: "b"\n'
    )


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "model: >\n  folded\n  text\n", "{model: a}\n"])
def test_yaml_that_cannot_be_changed_with_certainty_is_left_alone(text: str) -> None:
    with pytest.raises(MergeError):
        merge_yaml(text, {"model": "new"})


def test_variables_are_replaced_where_they_stand() -> None:
    before = "# mine\nexport A=old\nB=kept\nA=older\n"
    assert merge_env(before, {"A": "new", "C": "c"}) == "# mine\nA=new\nB=kept\nC=c\n"
