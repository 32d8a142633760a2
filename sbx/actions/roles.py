"""What users may do."""

from typing import Literal

Role = Literal["viewer", "operator"]
"""A viewer can look; an operator can also act."""
