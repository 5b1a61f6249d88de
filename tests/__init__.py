"""Tests of llmgw, from single modules to the whole process over real sockets."""
