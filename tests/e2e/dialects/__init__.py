"""Every client's dialect in front of every upstream's: official SDKs, the gateway, strict upstreams."""
