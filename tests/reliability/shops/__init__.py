"""Random shops through a whole installation: ``python -m tests.reliability.shops``."""
