"""The mutants of ``tests/mutants`` still fit the code; ``make mutation`` sees them killed."""

import shutil
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, Mutant
from tests.mutation import ROOT, mutate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_fits_the_code(mutant: Mutant, tmp_path: Path) -> None:
    for file, _, _ in mutant.changes:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    mutate(tmp_path, mutant)
    for file, _, _ in mutant.changes:
        compile((tmp_path / file).read_text(encoding="utf-8"), file, "exec")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_its_tests_exist(mutant: Mutant) -> None:
    path, _, words = mutant.tests.partition(" -k ")
    code = (ROOT / path).read_text(encoding="utf-8")
    assert words.partition("[")[0] in code
