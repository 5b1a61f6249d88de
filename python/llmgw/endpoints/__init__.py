"""What a client can call: one row per endpoint."""
