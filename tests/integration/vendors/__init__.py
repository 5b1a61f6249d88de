"""The vendors' scripted upstreams, tested with the vendors' own SDKs and no gateway between."""
