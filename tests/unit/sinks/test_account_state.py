"""When refused tokens mean that the connection is lost."""

from pathlib import Path
from typing import cast

import pytest

from runtime.environment import Environment
from runtime.secrets import SecretBox
from sinks.lanes.account_state import AccountState
from sinks.lanes.session import Pool, Session
from sinks.xero.client import Answer

REFUSED = Answer(401, {}, b'{"Title":"Unauthorized"}')


class Minted(Session):
    """A session that has just been given a token."""

    def give(self, token: str) -> None:
        self._token = token


@pytest.fixture
def session(tmp_path: Path) -> Minted:
    environment = Environment.read({"SBX_DATA_DIR": str(tmp_path)})
    return Minted("acme", cast(Pool, None), environment, SecretBox.open(tmp_path, None))


def lost(state: AccountState, session: Minted, tokens: list[str], calls: int = 1) -> bool:
    for token in tokens:
        session.give(token)
        for _ in range(calls):
            state.answered(REFUSED, token)
    return state.lost is not None


def test_one_token_that_ends_early_under_five_calls_loses_nothing(session: Minted) -> None:
    assert not lost(AccountState(session, 1.0), session, ["one", "two"], calls=5)


def test_five_fresh_tokens_in_a_row_lose_the_connection(session: Minted) -> None:
    state = AccountState(session, 1.0)
    assert not lost(state, session, list("abcd"))
    assert lost(state, session, ["e"])
    assert state.lost == 'Xero answered 401 to a fresh token: {"Title":"Unauthorized"}'


def test_a_server_that_gives_the_same_token_again_and_refuses_it_loses_the_connection(
    session: Minted,
) -> None:
    assert lost(AccountState(session, 1.0), session, ["same"] * 5)


def test_a_token_that_is_taken_in_between_starts_the_count_anew(session: Minted) -> None:
    state = AccountState(session, 1.0)
    lost(state, session, list("abcd"))
    state.answered(Answer(200, {}, b"{}"), "d")
    assert not lost(state, session, list("efgh"))


def test_refused_tokens_make_the_account_wait_longer_each_time(session: Minted) -> None:
    state = AccountState(session, 1.0)
    closed = []
    for token in "abcd":
        lost(state, session, [token])
        closed.append(state.budget.closed_until)
    assert closed[0] < closed[1] < closed[2] < closed[3]


def test_forbidden_loses_the_connection_at_once(session: Minted) -> None:
    state = AccountState(session, 1.0)
    session.give("one")
    state.answered(Answer(403, {}, b"AuthenticationUnsuccessful"), "one")
    assert state.lost is not None


def test_a_late_answer_to_an_earlier_token_loses_nothing(session: Minted) -> None:
    """A call of before the account was reconnected is answered afterwards."""
    state = AccountState(session, 1.0)
    session.give("old")
    state.answered(Answer(403, {}, b"AuthenticationUnsuccessful"), "old")
    state.reconnected()
    session.give("new")
    state.answered(Answer(403, {}, b"AuthenticationUnsuccessful"), "old")
    assert state.lost is None
