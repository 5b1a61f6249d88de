"""The real gateway process against a scripted upstream: every fault, limit and edge."""
