"""Tests that hold the plan of the code in place."""
