"""Scripted upstreams that speak the vendors' own dialects and refuse what the vendors refuse."""
