"""One list of scenarios that every provider has to pass through the official SDK."""
