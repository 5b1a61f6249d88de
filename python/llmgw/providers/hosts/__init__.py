"""The hosts that speak the OpenAI dialect, as records: a new one is an entry in one of these lists.

Addresses and variables are those of the hosts' own documents and of the clients that people use them
with. A host that is not listed needs no record: `openai/<model>` with an `api_base` reaches it.
"""

from llmgw.providers.compatible import Compatible
from llmgw.providers.hosts.clouds import CLOUDS
from llmgw.providers.hosts.local import LOCAL
from llmgw.providers.hosts.makers import MAKERS
from llmgw.providers.hosts.routers import ROUTERS

HOSTS: tuple[Compatible, ...] = tuple(
    sorted((*MAKERS, *CLOUDS, *ROUTERS, *LOCAL), key=lambda host: host.name)
)
"""Every host, by name."""
