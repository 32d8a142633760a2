"""SIGKILL of the delivering process in the middle of a backlog, over and over; nothing is lost, nothing
twice.
"""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop
from tests.reliability.sales import assert_books_hold, sales

pytestmark = pytest.mark.reliability

_SCRIPT = Path(__file__).with_name("deliver_process.py")


def _start(shop: Shop) -> "subprocess.Popen[bytes]":
    environment = shop.environment
    variables = {
        "SBX_DATABASE_URL": str(environment.database_url),
        "SBX_XERO_API_URL": environment.xero_api_url,
        "SBX_XERO_IDENTITY_URL": environment.xero_identity_url,
        "SBX_DATA_DIR": str(environment.data_dir),
    }
    process = subprocess.Popen(
        [sys.executable, str(_SCRIPT)], env={**os.environ, **variables}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


async def _open(shop: Shop) -> bool:
    return bool(await shop.rows("SELECT 1 FROM ledger.commands WHERE state IN ('queued', 'running') LIMIT 1"))


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_again_and_again(seed: int, shop: Shop, xero: FakeXeroServer, maker: Maker) -> None:
    chance = random.Random(seed)
    xero.admin.fault("latency", times=None, seconds=0.1)
    xero.admin.fault("latency_after", times=None, seconds=0.1)
    xero.admin.limits(minute=1000)
    await shop.send(*sales(maker, 400))
    kills = 0
    while await _open(shop):
        process = _start(shop)
        await asyncio.sleep(0.2 + chance.random() * 0.8)
        process.kill()
        process.communicate()
        kills += 1
        if kills == 10:
            break
    assert kills >= 5
    process = _start(shop)
    try:
        await shop.idle()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert {state for _, state, _ in await shop.log()} == {"completed"}
    assert_books_hold(shop, 400)
