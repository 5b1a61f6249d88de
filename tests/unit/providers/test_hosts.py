"""The records of the hosts that speak the OpenAI dialect."""

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from llmgw.model import PATHS, Operation
from llmgw.providers import providers
from llmgw.providers.base import Target, checked_base
from llmgw.providers.compatible import Compatible
from llmgw.providers.hosts import HOSTS
from llmgw.providers.hosts.clouds import CLOUDS
from llmgw.providers.hosts.local import LOCAL
from llmgw.providers.hosts.makers import MAKERS
from llmgw.providers.hosts.routers import ROUTERS
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

BLANK = re.compile(r"\{([A-Z_]+)(?:\|[A-Z_]+)*\}")
MANY = 60

each_host = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)


def test_there_are_many() -> None:
    assert len(HOSTS) >= MANY


@each_host
def test_its_address_is_https_or_on_this_machine(host: Compatible) -> None:
    if host.base_url is None:
        assert not host.needs_key
        return
    address = BLANK.sub("account", host.base_url)
    assert checked_base(address) == address
    assert urlsplit(address).scheme == "https" or urlsplit(address).hostname == "localhost"


@each_host
def test_it_is_reached_with_a_key_alone(host: Compatible) -> None:
    blanks = dict.fromkeys(BLANK.findall(host.base_url or ""), "account")
    variables = host.base_variables if host.base_url is None else ()
    environment = Environment({**blanks, **dict.fromkeys(variables[:1], "http://localhost:1")})
    target = Target(
        model="m", api_key=Secret("k"), api_base=None if host.base_url or variables else "http://h"
    )
    upstream = host.connect(target, environment)
    assert set(upstream.urls) == host.operations
    assert upstream.headers == (("authorization", "Bearer k"),)


@each_host
def test_it_serves_chats_or_embeddings_under_fixed_paths(host: Compatible) -> None:
    assert host.operations & {Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS}
    assert host.operations <= set(PATHS)


@each_host
def test_a_host_that_needs_a_key_says_where_one_may_be(host: Compatible) -> None:
    assert host.key_variables or not host.needs_key


@each_host
def test_its_names_are_prefixes_as_people_write_them(host: Compatible) -> None:
    assert all(re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", name) for name in (host.name, *host.aliases))


def test_no_name_is_taken_twice() -> None:
    taken = Counter(name for one in providers() for name in (one.name, *one.aliases))
    assert [name for name, times in taken.items() if times > 1] == []


def test_no_key_is_that_of_two_hosts() -> None:
    taken = Counter(name for one in providers() for name in one.key_variables)
    assert [name for name, times in taken.items() if times > 1] == []


@pytest.mark.parametrize("hosts", [MAKERS, CLOUDS, ROUTERS, LOCAL])
def test_a_list_is_in_order(hosts: tuple[Compatible, ...]) -> None:
    names = [host.name for host in hosts]
    assert names == sorted(names)
