"""How many actions of each replay still wait."""

from typing import Any

from sbx.actions.replay.waiting import shared_out


def replay(number: int, queued: int, actor: str = "cli:ann", account: str = "") -> dict[str, Any]:
    return {"replay_id": number, "queued": queued, "actor": actor, "account": account}


def waiting(replays: list[dict[str, Any]], still_open: dict[tuple[str, str], int]) -> list[int]:
    return [row["waiting"] for row in shared_out(replays, still_open)]


def test_what_is_open_is_of_the_newest_replays() -> None:
    replays = [replay(3, 10), replay(2, 5), replay(1, 7)]
    assert waiting(replays, {("acme", "cli:ann"): 12}) == [10, 2, 0]
    assert waiting(replays, {}) == [0, 0, 0]


def test_only_the_actions_of_its_actor_and_account_are_of_a_replay() -> None:
    replays = [replay(2, 10, account="beta"), replay(1, 10)]
    still_open = {("acme", "cli:ann"): 3, ("beta", "cli:ann"): 4, ("acme", "cli:bob"): 9}
    assert waiting(replays, still_open) == [4, 3]
