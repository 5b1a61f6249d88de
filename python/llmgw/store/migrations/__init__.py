"""Migrations: each brings the tables one step forward; there is no way back but a backup."""
