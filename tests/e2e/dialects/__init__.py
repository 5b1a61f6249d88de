"""Every client's dialect in front of every upstream's: official SDKs, the gateway, strict upstreams.

`make test-python ARGS=tests/e2e/dialects` runs them all; `-k` chooses by surface, format and scenario, as in
`-k anthropic_messages-bedrock_converse`.
"""
