"""Telling people: what they are told of is decided in ``sbx.notify.alerts``."""
