"""Tests of single modules, without network; the folders mirror python/llmgw."""
