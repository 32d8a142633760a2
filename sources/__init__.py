"""Readers of other systems, which publish what changed there as change events."""
