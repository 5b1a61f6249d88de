"""The real gateway process, its official clients, and a real model behind it."""
