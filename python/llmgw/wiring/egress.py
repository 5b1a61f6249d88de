"""Where the gateway may connect: what the settings allow besides the native core's own rule."""

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path

from llmgw.gateway.snapshot import EgressPolicy, MediaPolicy
from llmgw.settings.problems import Path as ProblemPath
from llmgw.settings.problems import Report
from llmgw.settings.schema import EgressSettings

_HOST = re.compile(
    r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*(:[1-9][0-9]{0,4})?|\[[0-9a-f:.]+\](:[1-9][0-9]{0,4})?"
)


def compile_egress(settings: EgressSettings, report: Report) -> EgressPolicy:
    """The egress policy; networks that are none, and a missing file, are reported."""
    networks = compile_networks(settings.allow_networks, ("egress", "allow_networks"), report)
    if settings.ca_file is not None and not Path(settings.ca_file).is_file():
        report.error(("egress", "ca_file"), f"there is no file {settings.ca_file}")
    return EgressPolicy(allow_networks=networks, ca_file=settings.ca_file)


def compile_networks(texts: Iterable[str], at: ProblemPath, report: Report) -> tuple[str, ...]:
    """Networks as the native core reads them; texts that are none are reported."""
    networks = []
    for index, text in enumerate(texts):
        try:
            networks.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            report.error((*at, index), f"expected a network such as 10.0.0.0/8: {error}")
    return tuple(networks)


def compile_media(settings: EgressSettings, report: Report) -> MediaPolicy | None:
    """How media are fetched, if they are; entries that are no host are reported."""
    given = settings.fetch_media
    if given is None:
        return None
    hosts = tuple(host.lower() for host in given.allow_hosts)
    for index, host in enumerate(hosts):
        if not _HOST.fullmatch(host):
            path = ("egress", "fetch_media", "allow_hosts", index)
            report.error(path, "expected a host such as example.com, *.example.com or example.com:8443")
    return MediaPolicy(
        max_bytes=given.max_bytes, max_items=given.max_items, timeout=given.timeout, allow_hosts=hosts
    )
