"""Where the gateway may connect: what the settings allow besides the native core's own rule."""

import ipaddress
from pathlib import Path

from llmgw.gateway.snapshot import EgressPolicy
from llmgw.settings.problems import Report
from llmgw.settings.schema import EgressSettings


def compile_egress(settings: EgressSettings, report: Report) -> EgressPolicy:
    """The egress policy; networks that are none, and a missing file, are reported."""
    networks = []
    for index, text in enumerate(settings.allow_networks):
        try:
            networks.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            path = ("egress", "allow_networks", index)
            report.error(path, f"expected a network such as 10.0.0.0/8: {error}")
    if settings.ca_file is not None and not Path(settings.ca_file).is_file():
        report.error(("egress", "ca_file"), f"there is no file {settings.ca_file}")
    return EgressPolicy(allow_networks=tuple(networks), ca_file=settings.ca_file)
