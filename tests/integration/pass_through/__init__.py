"""Providers' own APIs under the gateway: what passes, and what never does."""
