"""The admin API, `/api/v1`: what an operator changes and reads, one file a noun."""
