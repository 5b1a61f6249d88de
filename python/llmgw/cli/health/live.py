"""Checks that need the network: each provider's address, its certificate, and what its clock says.

No credential is sent and no token is spent.
"""

import http.client
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from llmgw.cli.health.finding import Finding, failure, ok, warning
from llmgw.gateway.snapshot import Snapshot

_SECONDS = 5.0
_MOST_SKEW = 30.0


def check_upstreams(snapshot: Snapshot) -> Iterator[Finding]:
    """Every host that a deployment is at can be reached, and its certificate is good."""
    context = ssl.create_default_context(cafile=snapshot.egress.ca_file)
    if snapshot.egress.ca_file is not None:
        context.load_default_certs()
    urls = [urlsplit(url) for each in snapshot.deployments for url in each.urls.values()]
    for scheme, host in dict.fromkeys((url.scheme, url.netloc) for url in urls):
        if scheme != "mock":
            yield check_upstream(SplitResult(scheme, host, "", "", ""), context)


def check_upstream(url: SplitResult, context: ssl.SSLContext) -> Finding:
    """One host answers to a request for nothing."""
    host = str(url.hostname)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(host, url.port, timeout=_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=_SECONDS)
    try:
        connection.request("HEAD", "/")
        said = connection.getresponse().getheader("date")
    except ssl.SSLCertVerificationError as error:
        hint = "egress.ca_file takes a file of more trust anchors"
        return failure("upstream", f"{url.netloc}: {error.verify_message}", hint)
    except (OSError, http.client.HTTPException) as error:
        return failure("upstream", f"{url.netloc}: {error}")
    finally:
        connection.close()
    skew = _skew(said, time.time())
    if abs(skew) > _MOST_SKEW:
        return warning("upstream", f"{url.netloc} is reached; its clock differs by {skew:+.0f} s from ours")
    return ok("upstream", f"{url.netloc} is reached")


def _skew(said: str | None, now: float) -> float:
    """How far the other clock is ahead, in seconds; 0 when it does not say."""
    if said is None:
        return 0.0
    try:
        return parsedate_to_datetime(said).timestamp() - now
    except ValueError:
        return 0.0
