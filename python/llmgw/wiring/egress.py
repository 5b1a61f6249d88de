"""Where the gateway may connect: the user's networks, and addresses that the settings spell out."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from llmgw.gateway.snapshot import EgressPolicy
from llmgw.settings.problems import Path, Report
from llmgw.settings.schema import EgressSettings
from llmgw.wiring.deployments import Built

_LOOPBACK = ("127.0.0.0/8", "::1/128")


def compile_egress(settings: EgressSettings, built: Iterable[Built], report: Report) -> EgressPolicy:
    """The egress policy. An address or `localhost` in an `api_base` is its own permission.

    Link-local addresses, where clouds serve credentials, are not: they have to be allowed by name
    of their network.
    """
    networks = dict.fromkeys(_networks(settings, report))
    for one in built:
        for url in one.deployment.urls.values():
            networks |= dict.fromkeys(_spelled_out(url, tuple(networks), one.path, report))
            break  # all of a deployment's URLs are at one host
    if settings.ca_file is not None and not FilePath(settings.ca_file).is_file():
        report.error(("egress", "ca_file"), "no such file")
    return EgressPolicy(allow_networks=tuple(networks), ca_file=settings.ca_file)


def _networks(settings: EgressSettings, report: Report) -> list[str]:
    networks = []
    for index, text in enumerate(settings.allow_networks):
        try:
            networks.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            path = ("egress", "allow_networks", index)
            report.error(path, f"expected a network such as 10.0.0.0/8: {error}")
    return networks


def _spelled_out(url: str, allowed: tuple[str, ...], path: Path, report: Report) -> tuple[str, ...]:
    """The networks that a URL's own host permits."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "mock":
        return ()
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if parts.scheme == "http" and not allowed:
            message = "plain http is sent only to addresses within egress.allow_networks"
            report.warn(path, f"'{host}': {message}")
        return ()
    network = ipaddress.ip_network(address)
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        if not any(_within(address, text) for text in allowed):
            report.error(path, f"{host} is refused unless egress.allow_networks names {network}")
        return ()
    return (str(network),)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    return address in ipaddress.ip_network(network)
