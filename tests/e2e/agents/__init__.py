"""Coding agents in front of the gateway: whole sessions, with every vendor's model behind it."""
