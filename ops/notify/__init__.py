"""Telling people: what they are told of is decided in ``log_projection.alerts``."""
