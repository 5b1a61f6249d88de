"""The checks of `llmgw doctor`, by what they look at."""
