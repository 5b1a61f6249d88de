"""Tokens of Entra ID, with a stand-in for the library."""

import sys
import types
from typing import Any

import pytest

from llmgw.providers.azure import Azure
from llmgw.providers.base import AzureAccess, Target, TargetError, Upstream
from llmgw.providers.foundry import Foundry
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

BASE = "https://one.openai.azure.com"
APPLICATION = AzureAccess(tenant_id="tenant", client_id="client", client_secret=Secret("secret"))
VARIABLES = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "secret"}
FAR = 4_000_000_000


class AzureError(Exception):
    """As in azure.core."""


class Identity(types.ModuleType):
    """Stands for azure.identity; remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__("azure.identity")
        self.asked: list[tuple[Any, ...]] = []
        self.fails = False

    def ClientSecretCredential(self, *who: str, **_: object) -> "Credential":  # noqa: N802 - its name there
        return Credential(self, who)

    def DefaultAzureCredential(self, **_: object) -> "Credential":  # noqa: N802 - its name there
        return Credential(self, ())


class Credential:
    def __init__(self, library: Identity, who: tuple[str, ...]) -> None:
        self._library, self._who = library, who

    def __enter__(self) -> "Credential":
        return self

    def __exit__(self, *_: object) -> None: ...

    def get_token(self, scope: str) -> Any:
        self._library.asked.append((*self._who, scope))
        if self._library.fails:
            raise AzureError("AADSTS700016:\r\n the application was not found")
        return types.SimpleNamespace(token=f"token-{len(self._library.asked)}", expires_on=FAR)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Identity:
    library = Identity()
    package, exceptions = types.ModuleType("azure"), types.ModuleType("azure.core.exceptions")
    package.identity = library  # type: ignore[attr-defined]
    exceptions.AzureError = AzureError  # type: ignore[attr-defined]
    modules = {"azure": package, "azure.identity": library, "azure.core": types.ModuleType("azure.core")}
    for name, module in {**modules, "azure.core.exceptions": exceptions}.items():
        monkeypatch.setitem(sys.modules, name, module)
    return library


def connect(access: AzureAccess, environment: dict[str, str] | None = None, base: str = BASE) -> Upstream:
    target = Target(model="eu", api_base=base, azure=access)
    return Azure().connect(target, Environment(environment or {}))


def test_an_application_gets_a_token_that_is_renewed(identity: Identity) -> None:
    upstream = connect(APPLICATION)
    assert upstream.headers == ()
    assert upstream.token_headers == (("authorization", "Bearer token-1"),)
    assert upstream.renew_at == FAR - 200
    assert identity.asked == [("tenant", "client", "secret", "https://cognitiveservices.azure.com/.default")]


def test_deployments_of_one_application_share_its_token(identity: Identity) -> None:
    provider = Azure()
    for model in ("one", "two"):
        provider.connect(Target(model=model, api_base=BASE, azure=APPLICATION), Environment({}))
    assert len(identity.asked) == 1


def test_the_application_may_stand_in_the_environment(identity: Identity) -> None:
    connect(AzureAccess(), VARIABLES)
    assert identity.asked[0][:3] == ("tenant", "client", "secret")


def test_the_environments_application_is_not_shown_to_an_address_that_is_not_azures(
    identity: Identity,
) -> None:
    with pytest.raises(TargetError, match="no credential"):
        connect(AzureAccess(), VARIABLES, base="https://elsewhere.example")
    assert identity.asked == []


def test_a_part_of_an_application_is_refused(identity: Identity) -> None:
    with pytest.raises(TargetError, match="all three"):
        connect(AzureAccess(client_id="client"))


def test_the_machines_identity_is_taken_where_the_settings_say_so(identity: Identity) -> None:
    target = Target(model="eu", api_base=BASE, default_identity=True)
    upstream = Azure().connect(target, Environment({}))
    assert upstream.token_headers == (("authorization", "Bearer token-1"),)


def test_another_scope_may_be_asked_for(identity: Identity) -> None:
    connect(AzureAccess(tenant_id="t", client_id="c", client_secret=Secret("s"), azure_scope="api://x"))
    assert identity.asked == [("t", "c", "s", "api://x")]


def test_a_token_that_cannot_be_had_leaves_the_deployment_without_one_for_now(identity: Identity) -> None:
    identity.fails = True
    upstream = connect(APPLICATION)
    assert upstream.token_headers == ()
    assert upstream.renew_at is not None
    problem = "no token of Entra ID: AADSTS700016: the application was not found"
    assert upstream.credential_problem == problem


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(TargetError, match=r"pip install 'llmgw\[azure\]'"):
        connect(APPLICATION)


def test_foundry_asks_for_a_scope_of_its_own(identity: Identity) -> None:
    target = Target(
        model="claude-sonnet-4-5", api_base="https://one.services.ai.azure.com", azure=APPLICATION
    )
    upstream = Foundry().connect(target, Environment({}))
    assert identity.asked[0][3] == "https://ai.azure.com/.default"
    assert upstream.headers == (("anthropic-version", "2023-06-01"),)
    assert upstream.token_headers == (("authorization", "Bearer token-1"),)
