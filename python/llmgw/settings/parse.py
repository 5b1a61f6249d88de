"""The text of a settings file to a plain tree, with the line on which each value stands.

YAML is read with the safe loader's resolver but built here, because the loader silently takes the
last of two equal keys, and expands aliases without bound. Dates stay text: `api_version: 2024-10-21`
is meant as a string.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, TypeAlias

import msgspec
import yaml

from llmgw.settings.problems import Path, Problem, SettingsError

Tree: TypeAlias = Any
"""Dicts, lists and scalars as a file holds them; `settings.decode` gives them types."""

_SPARE_VALUES = 10_000
"""Values that aliases may add to those a text spells out, which are never more than its characters."""
_DEEPEST = 64
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


class Parsed(msgspec.Struct, frozen=True):
    """A file's content, and where its values stand (empty for formats that do not tell)."""

    tree: Tree
    lines: dict[Path, int]


def parse(text: str, file: str) -> Parsed:
    """Read YAML, TOML or JSON, by the file name's extension (YAML when there is another).

    Raises:
        SettingsError: the text does not follow its format, or repeats a key.
    """
    suffix = PurePath(file).suffix.lower()
    try:
        if suffix == ".toml":
            return Parsed(tomllib.loads(text), {})
        if suffix == ".json":
            return Parsed(json.loads(text, object_pairs_hook=_unique_pairs), {})
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise SettingsError([Problem(message, file=file, line=line)]) from None
    return _YamlBuilder(file).build(text)


def _unique_pairs(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    tree: dict[str, Tree] = {}
    for key, value in pairs:
        if key in tree:
            raise ValueError(f"the key '{key}' appears twice in one object")
        tree[key] = value
    return tree


class _YamlBuilder:
    """Builds the tree of one document from its nodes."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._values = 0
        self._most_values = _SPARE_VALUES

    def build(self, text: str) -> Parsed:
        """The tree and its lines."""
        self._most_values = len(text) + _SPARE_VALUES
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
            self._loader = loader
            if node is None:  # a file that is being written, more likely than a wish for the defaults
                raise self._error("the file is empty ({} stands for the defaults)")
            tree = self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._error(error.problem or "not YAML", mark.line + 1 if mark else None) from None
        except yaml.YAMLError as error:
            raise self._error(str(error).splitlines()[0]) from None
        finally:
            loader.dispose()
        return Parsed(tree, self._lines)

    def _value(self, node: yaml.Node, path: Path) -> Tree:
        self._values += 1
        line = node.start_mark.line + 1
        if self._values > self._most_values or len(path) > _DEEPEST:
            raise self._error("too many or too deeply nested values (an alias within itself?)", line)
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        raise self._error(f"the tag {node.tag} is not allowed", line)

    def _scalar(self, node: yaml.ScalarNode) -> Tree:
        if node.tag in (_TIMESTAMP, _TEXT):
            return node.value
        try:
            return self._loader.construct_object(node)
        except ValueError:
            raise self._error(f"not a value of {node.tag}", node.start_mark.line + 1) from None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE:
                merged.append(value_node)
                continue
            key = self._key(key_node)
            if key in tree:
                raise self._error(f"the key '{key}' appears twice in one mapping", line)
            self._lines.setdefault((*path, key), line)
            tree[key] = self._value(value_node, (*path, key))
        for source in merged:
            for mapping in self._merge_sources(source):
                tree = self._mapping(mapping, path) | tree  # what is there already wins
        return tree

    def _key(self, node: yaml.Node) -> str:
        """Keys are text, as in JSON: `429: x` is the key `429`."""
        if not isinstance(node, yaml.ScalarNode):
            raise self._error("a key must be plain text", node.start_mark.line + 1)
        return str(node.value)

    def _merge_sources(self, node: yaml.Node) -> Iterator[yaml.MappingNode]:
        """The mappings that `<<` pulls in: one, or a list of them."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in nodes:
            if not isinstance(source, yaml.MappingNode):
                raise self._error("`<<` takes a mapping", node.start_mark.line + 1)
            yield source

    def _error(self, message: str, line: int | None = None) -> SettingsError:
        return SettingsError([Problem(message, file=self._file, line=line)])
