"""Benchmarks: ``python -m bench [NAME…]``. Each prints its figures beside a base measured in the same run."""
