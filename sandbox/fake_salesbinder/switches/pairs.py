"""A table of settings in which every two settings of every two switches meet at least once."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from random import Random

Setting = tuple[str, str]
"""Name of a switch, and its setting."""
Pair = frozenset[Setting]


def pairwise(
    choices: Mapping[str, Sequence[str]], impossible: Iterable[Pair] = (), seed: int = 0
) -> list[dict[str, str]]:
    """Return rows that cover all pairs but the impossible ones; the first row holds the first settings.

    Greedy: each row starts from a pair that is not covered yet and takes what covers most for the rest."""
    chance = Random(seed)
    barred = set(impossible)
    names = list(choices)
    missing = {
        frozenset((one, other))
        for first, second in combinations(names, 2)
        for one in ((first, word) for word in choices[first])
        for other in ((second, word) for word in choices[second])
    } - barred
    rows = [{name: choices[name][0] for name in names}]
    missing -= _pairs(rows[0])
    for start in sorted(missing, key=sorted):
        if start in missing:
            rows.append(_row(start, choices, missing, barred, chance))
            missing -= _pairs(rows[-1])
    return rows


def _pairs(row: dict[str, str]) -> set[Pair]:
    return {frozenset(two) for two in combinations(row.items(), 2)}


def _row(
    start: Pair,
    choices: Mapping[str, Sequence[str]],
    missing: set[Pair],
    barred: set[Pair],
    chance: Random,
) -> dict[str, str]:
    row = dict(sorted(start))
    left = [name for name in choices if name not in row]
    chance.shuffle(left)
    for name in left:
        allowed = [word for word in choices[name] if not _clashes(row, (name, word), barred)]
        if not allowed:
            raise ValueError(f"{name}: no setting goes with {row}; see the impossible pairs")
        chance.shuffle(allowed)
        row[name] = max(allowed, key=lambda word: _gain(row, (name, word), missing))
    return {name: row[name] for name in choices}


def _clashes(row: dict[str, str], wanted: Setting, barred: set[Pair]) -> bool:
    return any(frozenset((held, wanted)) in barred for held in row.items())


def _gain(row: dict[str, str], wanted: Setting, missing: set[Pair]) -> int:
    return sum(frozenset((held, wanted)) in missing for held in row.items())
