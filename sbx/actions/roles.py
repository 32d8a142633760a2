"""What users may do."""

from typing import Literal

Role = Literal["viewer", "operator"]
"""A viewer looks, an operator acts, too."""
