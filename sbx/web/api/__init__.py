"""The JSON API under ``/api/v1``, on which programs rely."""
