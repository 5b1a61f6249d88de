"""Deployments to model groups: shares of traffic, wildcards, aliases, fallbacks."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from llmgw import _native
from llmgw.gateway.snapshot import Deployment, Group, Wildcard
from llmgw.settings.problems import Path, Report, did_you_mean
from llmgw.settings.schema import AliasTarget, Settings
from llmgw.settings.values import FallbackList
from llmgw.wiring.deployments import Built

T = TypeVar("T")

_FINEST_SHARE = 1000
"""Fractions of a weight that are told apart, as weights are whole numbers in the snapshot."""
_LARGEST_WEIGHT = 1_000_000
_EVERY = "*"


class Catalogue(msgspec.Struct, frozen=True):
    """The part of the snapshot that says which name leads where."""

    models: dict[str, int]
    wildcards: tuple[Wildcard, ...]
    groups: tuple[Group, ...]
    deployments: tuple[Deployment, ...]

    def serves(self, name: str) -> bool:
        """Whether a request for this name finds a group."""
        return name in self.models or any(_matched(name, one) is not None for one in self.wildcards)


def compile_groups(built: Iterable[Built], settings: Settings, report: Report) -> Catalogue:
    """Gather deployments under their public names and resolve everything that names a group."""
    members: dict[str, list[Built]] = {}
    for one in built:
        members.setdefault(one.entry.model_name, []).append(one)
    left_out = {entry.model_name for entry in settings.model_list} - members.keys()
    builder = _Builder(left_out, report)
    for name, group in members.items():
        builder.add(name, _shared(group))
    builder.take_aliases(settings)
    builder.take_fallbacks(settings)
    return builder.catalogue()


class _Builder:
    def __init__(self, left_out: set[str], report: Report) -> None:
        """`left_out` are the names in the file whose deployments cannot be served."""
        self._left_out = left_out
        self._report = report
        self._deployments: list[Deployment] = []
        self._groups: list[Group] = []
        self._index: dict[str, int] = {}
        """Group names, patterns included."""
        self._aliases: dict[str, int] = {}

    def add(self, name: str, deployments: Iterable[Deployment]) -> int:
        """A new group; its index."""
        first = len(self._deployments)
        self._deployments += deployments
        members = tuple(range(first, len(self._deployments)))
        self._index[name] = len(self._groups)
        self._groups.append(Group(name=name, deployments=members))
        return self._index[name]

    def take_aliases(self, settings: Settings) -> None:
        for alias, target in settings.router_settings.model_group_alias.items():
            path = ("router_settings", "model_group_alias", alias)
            name = target.model if isinstance(target, AliasTarget) else target
            if "*" in alias:
                self._report.error(path, "a pattern cannot be an alias; make it a model_name")
                continue
            if alias in self._index:
                self._report.error(path, f"'{alias}' is a model_name already")
                continue
            if (group := self._resolved(name, path)) is not None:
                self._aliases[alias] = group

    def take_fallbacks(self, settings: Settings) -> None:
        """LiteLLM reads these from two sections; those of `router_settings` win."""
        router, module = settings.router_settings, settings.litellm_settings
        section, default = _first(
            ("router_settings", router.default_fallbacks),
            ("litellm_settings", module.default_fallbacks),
        )
        after_failure = self._fallbacks(
            *_first(("router_settings", router.fallbacks), ("litellm_settings", module.fallbacks)),
            "fallbacks",
        )
        if default:
            path = (section, "default_fallbacks")
            after_failure.setdefault(_EVERY, self._all_resolved(default, path))
        too_long = self._fallbacks(
            *_first(
                ("router_settings", router.context_window_fallbacks),
                ("litellm_settings", module.context_window_fallbacks),
            ),
            "context_window_fallbacks",
        )
        self._groups = [
            msgspec.structs.replace(
                group,
                fallbacks=_next(after_failure, group.name, index),
                context_window_fallbacks=_next(too_long, group.name, index),
            )
            for index, group in enumerate(self._groups)
        ]

    def catalogue(self) -> Catalogue:
        names = {name: index for name, index in self._index.items() if "*" not in name}
        return Catalogue(
            models=names | self._aliases,
            wildcards=_wildcards(self._index),
            groups=tuple(self._groups),
            deployments=tuple(self._deployments),
        )

    def _fallbacks(self, section: str, lists: FallbackList | None, key: str) -> dict[str, tuple[int, ...]]:
        """By group name, the groups to try next."""
        resolved: dict[str, tuple[int, ...]] = {}
        for position, entry in enumerate(lists or ()):
            for name, targets in entry.items():
                path = (section, key, position, name)
                group = None if name == _EVERY else self._resolved(name, path)
                if group is None and name != _EVERY:
                    continue
                source = name if group is None else self._groups[group].name
                resolved[source] = self._all_resolved(targets, path)
        return resolved

    def _all_resolved(self, names: Iterable[str], path: Path) -> tuple[int, ...]:
        found = (self._resolved(name, (*path, index)) for index, name in enumerate(names))
        return tuple(dict.fromkeys(group for group in found if group is not None))

    def _resolved(self, name: str, path: Path) -> int | None:
        """The group of a name or an alias; one that only a pattern matches becomes its own group."""
        if (index := self._index.get(name, self._aliases.get(name))) is not None:
            return index
        if name in self._left_out:
            self._report.warn(path, f"'{name}' is left out, so it leads nowhere")
            return None
        for wildcard in _wildcards(self._index):
            if (matched := _matched(name, wildcard)) is not None:
                group = self._groups[wildcard.group]
                return self.add(name, [self._filled(i, name, matched) for i in group.deployments])
        hint = did_you_mean(name, [*self._index, *self._aliases])
        self._report.error(path, f"no model_name '{name}'{hint}")
        return None

    def _filled(self, index: int, name: str, matched: str) -> Deployment:
        """A wildcard's deployment for one model."""
        source = self._deployments[index]
        model = source.model.replace("*", matched)
        return msgspec.structs.replace(
            source, id=f"{source.id}:{name}", model=model, tokenizer=_native.token_family(model)
        )


def _shared(group: list[Built]) -> list[Deployment]:
    """The group's deployments with weight and order.

    Shares follow the first of `weight`, `rpm`, `tpm` that any deployment gives, as in LiteLLM;
    without any they are equal. Without an `order`, a deployment comes after those that have one.
    """
    weights = [1] * len(group)
    for metric in ("weight", "rpm", "tpm"):
        values = [_metric(built, metric) for built in group]
        if any(values):
            weights = _whole(values)
            break
    orders = [built.params.order for built in group]
    last = max((order + 1 for order in orders if order is not None), default=0)
    return [
        msgspec.structs.replace(built.deployment, weight=weight, order=last if order is None else order)
        for built, weight, order in zip(group, weights, orders, strict=True)
    ]


def _metric(built: Built, name: str) -> float:
    given = {
        "weight": built.params.weight,
        "rpm": built.params.rpm or built.entry.rpm,
        "tpm": built.params.tpm or built.entry.tpm,
    }
    return given[name] or 0.0


def _whole(values: list[float]) -> list[int]:
    """Whole numbers in the same proportion; what is above zero stays above zero."""
    exact = all(value == int(value) for value in values) and max(values) <= _LARGEST_WEIGHT
    if exact:
        return [int(value) for value in values]
    scale = _FINEST_SHARE * _FINEST_SHARE / max(values)
    return [max(1, round(value * scale)) if value else 0 for value in values]


def _wildcards(index: Mapping[str, int]) -> tuple[Wildcard, ...]:
    """The patterns, most specific first: the most literal text, then the longest prefix."""
    patterns = [
        Wildcard(prefix=name.partition("*")[0], suffix=name.partition("*")[2], group=group)
        for name, group in index.items()
        if "*" in name
    ]
    return tuple(
        sorted(
            patterns,
            key=lambda w: (-len(w.prefix) - len(w.suffix), -len(w.prefix), w.prefix, w.suffix),
        )
    )


def _matched(name: str, wildcard: Wildcard) -> str | None:
    """What the `*` stands for in a name that fits."""
    fits = name.startswith(wildcard.prefix) and name.endswith(wildcard.suffix)
    end = len(name) - len(wildcard.suffix)
    if not fits or end < len(wildcard.prefix):
        return None
    return name[len(wildcard.prefix) : end]


def _next(lists: dict[str, tuple[int, ...]], name: str, itself: int) -> tuple[int, ...]:
    """The groups after this one; never the group itself."""
    found = lists.get(name, lists.get(_EVERY, ()))
    return tuple(group for group in found if group != itself)


def _first(*candidates: tuple[str, T | None]) -> tuple[str, T | None]:
    """The first section that says something."""
    return next((found for found in candidates if found[1] is not None), candidates[0])
