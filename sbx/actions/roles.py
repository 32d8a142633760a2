"""The permissions of users."""

from typing import Literal

Role = Literal["viewer", "operator"]
"""A viewer can look; an operator can also act."""
