"""Credentials under a key that the worker lacks: the account waits, and is not taken for disconnected."""

from pathlib import Path
from typing import cast

import pytest

from connections.store import Credentials
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sinks.lanes.account_state import AccountState
from sinks.lanes.session import Pool, Session
from sinks.xero.oauth import TokenUnavailable
from tests.unit.sinks.quiet_lane import connected


def test_the_account_waits_for_the_key_and_says_which(tmp_path: Path) -> None:
    theirs = SecretBox.open(tmp_path / "theirs", None)
    ours = SecretBox.open(tmp_path / "ours", None)
    encrypted = theirs.encrypt("secret")
    credentials = Credentials(
        tenant_id="t",
        client_id="c",
        client_secret_encrypted=encrypted,
        refresh_token_encrypted=None,
        token_encrypted=None,
        expires_at=None,
    )
    session = Session("acme", cast(Pool, None), Environment(data_dir=tmp_path), ours)
    session.connection = connected()
    state = AccountState(session, 1.0)
    for _ in range(5):
        with pytest.raises(TokenUnavailable, match=f"needs the key {encrypted[:8].decode()}"):
            session._ask_for_token(credentials)
        state.back_off()
    assert state.lost is None
    hold = state.obstacle()
    assert hold is not None
    assert hold.code == "secret_key_missing"
    assert "SBX_SECRET_KEY_OLD" in hold.details["message"]
