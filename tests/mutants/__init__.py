"""Faults that could creep in, each with the test that must turn red."""

from tests.mutants.books import BOOKS
from tests.mutants.guarantees import GUARANTEES
from tests.mutants.mutant import Mutant

MUTANTS = (*GUARANTEES, *BOOKS)

__all__ = ["MUTANTS", "Mutant"]
