"""A day of two shops, as the log would show it: for pictures of the pages, and for tests."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connections import store
from connections.facts import Account, OrganisationFacts, TaxRate
from contracts.reasons import cause_of, render
from contracts.results import AccountResult, Attempt, EntryResult, Warning
from runtime.secrets import SecretBox
from tests.web.office import Office

ACCOUNTS = ("northwind-supply", "harbour-bikes")
STORY = "5f1c0a52-77aa-4b0e-9a43-2f6d1c7e9b10"
"""The invoice that has a page of its own."""
_PARTIES = ("Widgets & Co", "Meridian Labs", "Café Lindgren", "Oakwood School", "Bolt Brothers", "Tidal Surf")
_SECONDS = (0.9, 1.3, 1.1, 2.4, 1.0, 1.7, 3.2, 1.2)


def facts(name: str = "Northwind Supply Ltd", at: datetime | None = None) -> OrganisationFacts:
    """An organisation with a few accounts and tax rates."""
    accounts = (
        ("200", "Sales", "REVENUE", False),
        ("260", "Other Revenue", "REVENUE", False),
        ("300", "Purchases", "DIRECTCOSTS", False),
        ("090", "Business Bank Account", "BANK", False),
        ("091", "Card Clearing", "BANK", False),
        ("610", "Petty Cash", "CURRENT", True),
        ("860", "Rounding", "EXPENSE", False),
    )
    rates = (
        ("OUTPUT", "Tax on Sales", "8", True, False),
        ("OUTPUT2", "Tax on Sales, reduced", "15", True, False),
        ("INPUT", "Tax on Purchases", "8", False, True),
        ("NONE", "Tax Exempt", "0", True, True),
    )
    return OrganisationFacts(
        name=name,
        base_currency="CAD",
        fetched_at=at or datetime.now(UTC),
        short_code="!n0rth",
        country="CA",
        accounts=tuple(
            Account(account_id=f"a{code}", code=code, name=named, type=kind, status="ACTIVE",
                    enable_payments=payable)
            for code, named, kind, payable in accounts
        ),
        tax_rates={
            kind: TaxRate(tax_type=kind, name=named, status="ACTIVE", rate=Decimal(rate),
                          can_apply_to_revenue=sold, can_apply_to_expenses=bought)
            for kind, named, rate, sold, bought in rates
        },
        currencies=frozenset({"CAD", "USD"}),
        item_codes=frozenset({"SB-ITEM"}),
    )  # fmt: skip


def connect(office: Office, account: str = "acme", **changes: str) -> None:
    """Connect an account, with facts, and with these settings."""
    box = SecretBox.open(office.data_dir, None)
    name = account.replace("-", " ").title() + " Ltd"

    async def save(connection: Any) -> None:
        await store.save_connection(
            connection, account=account, tenant_id=f"tenant-{account}", tenant_name=name,
            client_id="client-1", client_secret_encrypted=box.encrypt("hush"), actor="ann",
            enabled_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        await store.save_facts(connection, account, facts(name))
        if changes:
            settings = {key.replace("__", "."): value for key, value in changes.items()}
            await store.set_settings(connection, account, settings, "ann")

    office.do(save)


@dataclass
class _Day:
    """Makes entries backwards from now."""

    now: datetime
    made: int = 0

    def entry(
        self,
        minutes: float,
        entity: str,
        action: str,
        number: str,
        state: str = "completed",
        code: str | None = None,
        details: dict[str, str] | None = None,
        **more: Any,
    ) -> EntryResult:
        self.made += 1
        at = self.now - timedelta(minutes=minutes)
        account = more.pop("account", ACCOUNTS[0])
        party = more.pop("party_name", _PARTIES[self.made % len(_PARTIES)])
        if "amount" in more:
            more["amount"] = Decimal(more["amount"])
        ended = at + timedelta(seconds=_SECONDS[self.made % len(_SECONDS)])
        values: dict[str, Any] = {"attempts": 1, "currency": "CAD", "party_name": party, "outcome": "posted"}
        kind = {"customer": "customer", "supplier": "supplier"}.get(entity, "document")
        record = more.pop("record_id", f"{self.made:08x}-5b1e-4c55-9d3e-{self.made:012x}")
        values["salesbinder_url"] = f"https://{account}.salesbinder.com/{kind}s/view/{record}"
        if state == "failed" and code is not None:
            document = f"{entity.replace('_', ' ')} {number}"
            known = {"account": account, "document": document, **(details or {})}
            reason, remedy = render(code, known)
            values |= {"outcome": None, "reason_code": code, "reason": reason, "remedy": remedy,
                       "cause": cause_of(code, known)}  # fmt: skip
        elif state == "completed":
            values["xero_url"] = f"https://go.xero.com/app/!n0rth/{entity}/{self.made}"
            kinds = {"customer": "contact", "supplier": "contact"}
            values |= {"xero_number": number, "xero_type": kinds.get(entity, entity)}
            values |= {"xero_id": f"{self.made:08x}-0000-4000-8000-00000000abcd"}
        else:
            values |= {"outcome": None, "attempts": 0}
        return EntryResult(
            entry_id=f"{self.made:08x}-3f0a-5c21-8e77-5a1d3c9b7e{self.made:02x}", version=2, account=account,
            entity=entity, record_id=record, action=action, state=state,  # type: ignore[arg-type]
            queued_at=at, record_number=number, started_at=None if state == "queued" else at,
            finished_at=ended if state in ("completed", "failed") else None, event_id=f"evt-{self.made:05}",
            event_type=f"salesbinder.{entity}.{action}", event_time=at - timedelta(seconds=1),
            topic=f"salesbinder.{entity}s", partition=3, offset=self.made, **(values | more),
        )  # fmt: skip


def fill(office: Office) -> str:
    """The day; the id of the entry to look at."""
    connect(office, ACCOUNTS[0], payment_account="090", sales_tax__8="OUTPUT", purchase_tax__8="INPUT")
    connect(office, ACCOUNTS[1], payment_account="090", sales_tax__8="OUTPUT")
    day = _Day(datetime.now(UTC))
    found = _history(day)
    rate = {"rate": "15", "setting": "sales_tax.15"}
    taken = {"number": "5047", "contact": "Meridian Labs"}
    taken["setting"] = "invoice_number_format"
    cents = "Rounding of 0.01 was added to the tax of line 1, so that net, tax and total match SalesBinder."
    refund = "The invoice stays paid in Xero; the refund of 45.00 is a separate credit note there."
    mine: dict[str, Any] = {"record_id": STORY, "party_name": "Café Lindgren"}
    payment = day.entry(
        12, "invoice", "payment_applied", "5042", "failed", "payment_account_missing",
        {"reference": "Gift card"},
        amount="600.00", made=(_call(day.now - timedelta(minutes=12)),), **mine,
    )  # fmt: skip
    unpaired: Any = ("failed", "tax_rate_unmapped", rate)
    found += [
        day.entry(31, "invoice", "created", "5042", amount="1284.60",
                  warnings=(Warning(code="cents_moved", text=cents),), **mine),
        day.entry(26, "invoice", "payment_applied", "5042", amount="684.60", **mine),
        payment,
        day.entry(44, "invoice", "created", "5047", "failed", "number_taken", taken, amount="412.00"),
        day.entry(18, "invoice", "created", "5048", *unpaired, amount="96.00"),
        day.entry(9, "invoice", "created", "5051", *unpaired, amount="230.00"),
        day.entry(6, "invoice", "created", "5052", *unpaired, amount="57.50"),
        day.entry(4, "purchase_order", "received", "PO-118", amount="2040.00", party_name="Tidal Surf"),
        day.entry(3, "customer", "edited", "", party_name="Oakwood School"),
        day.entry(2, "invoice", "refund_applied", "5039", amount="45.00",
                  warnings=(Warning(code="invoice_stays_paid", text=refund),)),
        day.entry(0.4, "invoice", "created", "5053", "running", amount="318.25", party_name="Widgets & Co"),
        day.entry(0.2, "invoice", "edited", "5053", "queued", amount="318.25", party_name="Widgets & Co"),
        day.entry(5, "invoice", "created", "881", "queued", amount="1150.00", account=ACCOUNTS[1]),
        day.entry(3.5, "invoice", "created", "882", "queued", amount="89.00", account=ACCOUNTS[1]),
    ]  # fmt: skip
    office.log(*found)
    _link(office)
    _hold(office, day.now)
    return payment.entry_id


def _history(day: _Day) -> list[EntryResult]:
    """What went well earlier in the day, more of it around noon."""
    found = []
    for hour in range(2, 24):
        for number in range((hour * 7) % 9 + (6 if 6 < hour < 15 else 1)):
            account = ACCOUNTS[(hour + number) % 3 == 0]
            minutes = hour * 60 - number * 4.0
            amount = Decimal(4000 + hour * 137 + number * 911) / 100
            found.append(
                day.entry(minutes, "invoice", "created", str(4600 + day.made), amount=amount, account=account)
            )
    return found


def _link(office: Office) -> None:
    """What the invoice of the story is in Xero."""
    for kind, transaction, number, known in (
        ("invoice", "", "5042", {}),
        ("payment", "t-1", "", {"amount": "684.60", "date": "2026-03-02", "reference": "Cash #a1b2c3d4"}),
    ):
        xero_id = f"6c2f1b0{len(kind)}-41d2-4a6e-9f0b-2a7d5e9c1b34"
        row = (ACCOUNTS[0], kind, STORY, transaction, xero_id, number, json.dumps(known))
        office.rows(
            "INSERT INTO ledger.links "
            "(account, kind, record_id, transaction_id, xero_id, xero_number, facts) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb) RETURNING 1",
            *row,
        )


def _hold(office: Office, now: datetime) -> None:
    account, note = ACCOUNTS[1], "stock-taking until noon"
    office.do(lambda c: store.pause(c, account, actor="ann", reason=note))
    reason, remedy = render("account_paused", {"account": account, "message": note})
    office.log(
        AccountResult(account=account, version=1, at=now, held="account_paused", reason=reason, remedy=remedy)
    )
    left(office, ACCOUNTS[0], 47, 4312, now)


def left(office: Office, account: str, minute: int, day: int | None, at: datetime) -> None:
    """What a lane has written down of Xero's limits."""
    budget = json.dumps({"minute_left": minute, "day_left": day, "at": at.isoformat()})
    insert = "INSERT INTO ledger.accounts (account, budget) VALUES (%s, %s::jsonb) RETURNING 1"
    office.rows(insert, account, budget)


def _call(at: datetime) -> Attempt:
    return Attempt(
        attempt_id="call-1", number=1, step="look_up", method="GET", path="/Invoices?InvoiceNumbers=5042",
        started_at=at + timedelta(seconds=0.2), finished_at=at + timedelta(seconds=0.6), status=200,
        answer='{"Invoices": [{"InvoiceNumber": "5042", "Status": "AUTHORISED", "AmountDue": 600.00}]}',
    )  # fmt: skip
