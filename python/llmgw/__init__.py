"""llmgw: one endpoint for all models."""

from llmgw._native import __version__

__all__ = ["__version__"]
