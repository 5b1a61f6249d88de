"""Upstreams that tests and benchmarks start: one scripted, one real model."""
