"""The JSON API under ``/api/v1``: what programs rely on."""
