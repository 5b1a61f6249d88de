"""Virtual keys and the admin key to digests."""

from hashlib import sha256

from llmgw.access.keys import MASTER_ALIAS, digest, expiry, weakness
from llmgw.gateway.snapshot import VirtualKey
from llmgw.settings.environment import Environment
from llmgw.settings.problems import Path, Report, did_you_mean
from llmgw.settings.schema import KeyEntry, Settings
from llmgw.settings.secrets import Secret, UnresolvedReferenceError
from llmgw.state import KEYS_FILE, State
from llmgw.wiring.egress import compile_networks
from llmgw.wiring.groups import Catalogue
from llmgw.wiring.limits import compile_budgets, compile_limits


def master_key(settings: Settings, environment: Environment, state: State, report: Report) -> Secret | None:
    """The admin key: of the environment, else of the settings, else of the state folder.

    A weak one, or a reference that leads nowhere, is reported.
    """
    found, path = _given_master_key(settings, environment, report)
    key = found or state.master_key
    if key is None:
        if not report.problems:
            report.error(path, "no admin key: set LLMGW_MASTER_KEY, or start with llmgw serve")
        return None
    if (reason := weakness(key)) is not None:
        advice = "leave it out and one is generated"
        report.error(path, f"this admin key cannot be used, because {reason}; {advice}")
        return None
    return key


def is_master_key_given(settings: Settings, environment: Environment) -> bool:
    """Whether the environment or the settings name an admin key, so that none is generated."""
    return bool(environment.own("MASTER_KEY") or settings.general_settings.master_key)


def compile_keys(
    settings: Settings, environment: Environment, state: State, report: Report
) -> tuple[VirtualKey, ...]:
    """The admin key, the keys of the settings, and those of the state folder."""
    taken = _Taken()
    if (admin := master_key(settings, environment, state, report)) is not None:
        key = VirtualKey(alias=MASTER_ALIAS, digest=digest(admin, state.pepper), admin=True)
        taken.take(key, (), report)
    for entries, told in ((settings.keys, report), (state.keys, report.of_file(KEYS_FILE))):
        for index, entry in enumerate(entries):
            path = ("keys", index)
            compiled = _compile_key(entry, path, environment, state, told)
            if compiled is not None:
                taken.take(compiled, path, told)
    return tuple(taken.keys)


def warn_of_unknown_models(settings: Settings, catalogue: Catalogue, report: Report) -> None:
    """Warn of names in a key's `models` and `model_map` that nothing serves: mistyped, most likely."""
    for position, key in enumerate(settings.keys):
        allowed: list[tuple[Path, str]]
        allowed = [(("models", index), name) for index, name in enumerate(key.models or ())]
        meant: list[tuple[Path, str]]
        meant = [(("model_map", name), meaning) for name, meaning in key.model_map.items()]
        for path, name in (*allowed, *meant):
            if "*" not in name and not catalogue.serves(name):
                hint = did_you_mean(name, catalogue.models)
                report.warn(("keys", position, *path), f"no model of the name '{name}' is served{hint}")


class _Taken:
    """The keys so far, each with an alias and a digest of its own."""

    def __init__(self) -> None:
        self.keys: list[VirtualKey] = []
        self._aliases = {MASTER_ALIAS}
        self._owners: dict[str, str] = {}
        """By digest, the alias."""

    def take(self, key: VirtualKey, path: Path, report: Report) -> None:
        """Add a key, or report what it shares with another."""
        if key.alias in self._aliases and not key.admin:
            owner = "the admin key" if key.alias == MASTER_ALIAS else "another key"
            report.error((*path, "alias"), f"the alias '{key.alias}' is taken by {owner}")
        elif key.digest in self._owners:
            report.error(path, f"this key is the same as that of '{self._owners[key.digest]}'")
        else:
            self._aliases.add(key.alias)
            self._owners[key.digest] = key.alias
            self.keys.append(key)


def _given_master_key(
    settings: Settings, environment: Environment, report: Report
) -> tuple[Secret | None, Path]:
    if (value := environment.own("MASTER_KEY")) is not None:
        return Secret(value), ("LLMGW_MASTER_KEY",)
    path = ("general_settings", "master_key")
    reference = settings.general_settings.master_key
    if reference is None:
        return None, path
    try:
        return reference.resolve(environment), path
    except UnresolvedReferenceError as error:
        report.error(path, str(error))
        return None, path


def _compile_key(
    entry: KeyEntry, path: Path, environment: Environment, state: State, report: Report
) -> VirtualKey | None:
    before = len(report.problems)
    keyed = entry.digest
    if entry.key is not None:
        keyed = _digest(entry, path, environment, state, report)
    elif keyed is None:
        keyed = _of_nobody(entry.alias, state)
    for index, name in enumerate(entry.models or ()):
        if name.count("*") > 1:
            report.error((*path, "models", index), "only one '*' is allowed")
    for name, meaning in entry.model_map.items():
        if name.count("*") > 1 or meaning.count("*") > name.count("*"):
            report.error((*path, "model_map", name), "one '*' is allowed, and in the meaning if in the name")
    names = [budget.name for budget in entry.budgets]
    for index, name in enumerate(names):
        if name in names[:index]:
            report.error((*path, "budgets", index, "name"), f"another budget has the name '{name}'")
    networks = None
    if entry.networks is not None:
        networks = compile_networks(entry.networks, (*path, "networks"), report)
    expires_at = None
    if entry.expires is not None:
        try:
            expires_at = expiry(entry.expires)
        except ValueError as error:
            report.error((*path, "expires"), str(error))
    if len(report.problems) > before or keyed is None:
        return None
    return VirtualKey(
        alias=entry.alias,
        digest=keyed,
        certificates=entry.certificates,
        models=entry.models,
        model_map=entry.model_map,
        pass_through=entry.pass_through,
        endpoints=entry.endpoints,
        networks=networks,
        regions=entry.regions,
        tags=entry.tags,
        priority=entry.priority,
        expires_at=expires_at,
        blocked=entry.blocked,
        rpm=entry.rpm_limit,
        tpm=entry.tpm_limit,
        limits=compile_limits(entry.limits),
        budgets=compile_budgets(entry.budgets),
    )


def _of_nobody(alias: str, state: State) -> str:
    """A digest for a key that is known by certificates alone: nobody can show what has it."""
    return sha256(f"{state.pepper.reveal()} is shown by nobody: {alias}".encode()).hexdigest()


def _digest(
    entry: KeyEntry, path: Path, environment: Environment, state: State, report: Report
) -> str | None:
    if entry.key is None:
        return entry.digest
    try:
        key = entry.key.resolve(environment)
    except UnresolvedReferenceError as error:
        report.error((*path, "key"), str(error))
        return None
    if (reason := weakness(key)) is not None:
        report.error((*path, "key"), f"this key cannot be used, because {reason}")
        return None
    return digest(key, state.pepper)
