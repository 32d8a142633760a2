"""Mutants of the guarantees, by their letters in ``docs/guarantees.md``."""

from tests.mutants.mutant import Mutant

_CRASHES = "tests/reliability/test_crash_points.py"

GUARANTEES = (
    Mutant(
        "another request under the same key",
        "G2, G4",
        (
            (
                "sinks/lanes/recovery.py",
                '        target=intent["target"] or "",\n        headers=intent["headers"],\n',
                "",
            ),
            (
                "sinks/lanes/recovery.py",
                '_in_order(route, intent["query"])',
                'dict(sorted(intent["query"].items()))',
            ),
        ),
        "tests/integration/sinks/test_round_trips.py -k goes_out_again",
    ),
    Mutant(
        "call before intent",
        "G2, G4",
        (
            (
                "sinks/lanes/lane.py",
                "            await self._write_down(calls)\n        return calls\n",
                "            for call in calls:\n"
                "                if not call.route.reads:\n"
                "                    token = await self.session.token()\n"
                "                    await self.session.call(call.request, token, machine_seconds() + 10)\n"
                "            await self._write_down(calls)\n"
                "        return calls\n",
            ),
        ),
        f"{_CRASHES} -k test_delivering_process_dies[intent.before_commit",
    ),
    Mutant(
        "no fence",
        "G2",
        (
            (
                "sinks/ledger/store.py",
                "    if row is None:\n        raise LeaseLost(lease.account)\n",
                "    row = row or ('', lease.mark, False)\n",
            ),
        ),
        "tests/integration/sinks/test_fence.py",
    ),
    Mutant(
        "the intake's mark is kept in the database alone",
        "G1",
        (("streams/deliver.py", "            await intake.publish(liveness)\n", ""),),
        "tests/reliability/test_recovery.py -k paused_account",
    ),
    Mutant(
        "no send_by",
        "G2, G4",
        (("sinks/xero/call_guard.py", "if self.cut or machine_seconds() >= self.send_by:", "if self.cut:"),),
        "tests/integration/xero_client/test_client.py -k send_by",
    ),
    Mutant(
        "ack before commit",
        "G1",
        (
            (
                "streams/faust_app.py",
                "                await _handle(stage.handle, records)\n",
                "                later = lambda r=[*records]: asyncio.create_task(_handle(stage.handle, r))\n"
                "                asyncio.get_running_loop().call_later(2.0, later)\n",
            ),
        ),
        f"{_CRASHES} -k test_stages_die[kafka.before_send+intake.before_commit",
    ),
    Mutant(
        "key without a window",
        "G4",
        (("sinks/lanes/sending.py", "KEY_LIFE = 240.0", "KEY_LIFE = 24000000.0"),),
        "tests/reliability/test_bills.py -k looked_up",
    ),
    Mutant(
        "merge across a payment",
        "G3",
        (("sinks/lanes/lane.py", "takewhile(_may_merge,", "filter(_may_merge,"),),
        "tests/integration/sinks/test_order.py -k payment_between",
    ),
    Mutant(
        "ahead of what is left",
        "G3",
        (
            (
                "streams/ahead.py",
                "return max(partition.closed, partition.left.get(account, -1)) >= partition.done",
                "return partition.closed >= partition.done",
            ),
        ),
        "tests/unit/streams/test_ahead.py -k order",
    ),
    Mutant(
        "adopt by number alone",
        "G2, G4",
        (
            (
                "sinks/planner/invoices.py",
                'return [i for i in _sales(s) if i.get("Url") == url and',
                "return [i for i in _sales(s) if",
            ),
            (
                "sinks/planner/invoices.py",
                'if invoice.get("Status") not in GONE and not is_as_sent(situation, invoice, resolved):',
                'if url == "":',
            ),
        ),
        "tests/integration/sinks/test_invoices.py -k somebody_elses",
    ),
    Mutant(
        "adopt by mark alone",
        "G2, G4",
        (
            (
                "sinks/planner/payments.py",
                "equal = [p for p in live if _is(p, payment, situation)]",
                "equal = live",
            ),
        ),
        "tests/unit/planner/test_lost_payments.py",
    ),
)
