"""The steps of a set-up, and what is suggested."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import Settings
from sbx.actions.setup.checklist import Known, checklist, in_words, left, open_settings
from sbx.actions.setup.suggest import suggestions
from sources.salesbinder.verdicts import Answer
from sources.sample import NotSampled, Sample, sample
from sources.schedule.questions import Question
from tests.unit.sources.records import ORDER, document, line, order, with_paid
from tests.unit.sources.records import paid as payment

NOTHING = Known(
    account="acme",
    has_key=False,
    organisation="",
    facts_known=False,
    open_settings=(),
    has_sample=False,
    start_chosen=False,
    previewed=False,
    switched_on=False,
    seen_at_work=False,
)
DONE: list[dict[str, Any]] = [
    {"has_key": True},
    {"organisation": "Demo", "facts_known": True},
    {"has_sample": True},
    {"start_chosen": True},
    {"previewed": True},
    {"switched_on": True},
    {"seen_at_work": True},
]
SETTINGS = Settings(enabled_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_each_step_is_next_once_those_before_it_are_done() -> None:
    known = NOTHING
    for number, done in enumerate(DONE):
        steps = checklist(known)
        assert [step.state for step in steps].index("next") == number
        assert left(steps) == len(DONE) - number
        known = replace(known, **done)
    assert left(checklist(known)) == 0


@pytest.mark.parametrize(
    "undone",
    [
        {"has_key": False},
        {"organisation": ""},
        {"facts_known": False},
        {"open_settings": ("sales_tax.5",)},
        {"previewed": False},
    ],
)
def test_a_step_that_is_undone_comes_again_with_all_behind_it(undone: dict[str, Any]) -> None:
    whole = {name: value for done in DONE for name, value in done.items()}
    steps = checklist(replace(NOTHING, **whole | undone))
    place = [step.state for step in steps].index("next")
    assert [step.state for step in steps[place + 1 :]] == ["later"] * (len(steps) - place - 1)
    assert left(steps) == len(steps) - place


def test_an_account_says_how_many_steps_are_left_until_it_is_set_up() -> None:
    assert [in_words(count) for count in (2, 1, 0)] == ["set-up: 2 steps left", "set-up: 1 step left", ""]


def test_settings_are_open_until_they_have_a_value_or_are_left_out() -> None:
    found = Sample(sales={"0": 1, "5": 2}, purchases={"8": 1})
    assert open_settings(found, SETTINGS, []) == ["payment_account", "sales_tax.5", "purchase_tax.8"]
    some = replace(SETTINGS, payment_account="090", sales_tax={"0": "NONE", "5": "TAX003"})
    assert open_settings(found, some, []) == ["purchase_tax.8"]
    assert open_settings(found, some, ["purchase_tax.8"]) == []


def facts(*accounts: Account, **rates: tuple[str, bool]) -> OrganisationFacts:
    taxes = {
        name: TaxRate(
            tax_type=name,
            name=name,
            status="ACTIVE",
            can_apply_to_revenue=sold,
            can_apply_to_expenses=not sold,
            rate=Decimal(rate),
        )
        for name, (rate, sold) in rates.items()
    }
    return OrganisationFacts(
        name="Demo",
        base_currency="NZD",
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        accounts=accounts,
        tax_rates=taxes,
    )


def account(own_id: str, code: str, name: str, status: str = "ACTIVE") -> Account:
    return Account(account_id=own_id, code=code, name=name, type="BANK", status=status)


BANK = account("b1", "090", "Business Bank Account")
PAYPAL = account("b2", "", "PayPal Account")
OLD = account("b3", "089", "Old Cash", "ARCHIVED")


def test_suggestions_come_from_what_was_found_and_what_xero_has() -> None:
    found = Sample(sales={"8": 40, "5": 1}, purchases={"8": 3}, methods={"PayPal": 2, "Cash": 1})
    organisation = facts(
        BANK, PAYPAL, OLD, OUT=("8", True), OUT2=("5", True), OUT3=("5", True), IN=("8", False)
    )
    offered = {each.key: each for each in suggestions(found, SETTINGS, organisation)}
    assert {key: each.value for key, each in offered.items()} == {
        "payment_account": "090",
        "payment_account.paypal": "b2",
        "payment_account.cash": "",
        "sales_tax.8": "OUT",
        "sales_tax.5": "",
        "purchase_tax.8": "IN",
    }
    assert [choice.value for choice in offered["sales_tax.5"].choices] == ["OUT2", "OUT3", "OUT"]
    assert offered["sales_tax.8"].found == "8 % on 40 lines of invoices"
    assert not offered["payment_account.cash"].is_needed


def test_rates_of_one_name_are_told_apart() -> None:
    named = facts(BANK, OUT=("8", True), OUT2=("5", True), OUT3=("5", True))
    taxes = {key: replace(rate, name="Sales") for key, rate in named.tax_rates.items()}
    offered = suggestions(Sample(sales={"8": 1}), SETTINGS, replace(named, tax_rates=taxes))
    choices = next(each.choices for each in offered if each.key == "sales_tax.8")
    assert [choice.name for choice in choices] == ["Sales (8 %)", "Sales (5 %), OUT2", "Sales (5 %), OUT3"]


def test_what_is_set_already_is_what_is_suggested() -> None:
    found = Sample(sales={"8": 1}, methods={"Cash": 1})
    given = replace(SETTINGS, payment_account="b2", payment_accounts={"cash": "090"}, sales_tax={"8": "X"})
    offered = suggestions(found, given, facts(BANK, PAYPAL, OUT=("8", True)))
    assert [each.value for each in offered] == ["b2", "090", "X"]


class Shop:
    """Answers as SalesBinder would."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        if "contextId" in question.parameters:
            rows = [
                {name: value for name, value in each.items() if name != "transactions"}
                for each in self.documents
                if str(each["context_id"]) == question.parameters["contextId"]
            ]
            body: Mapping[str, Any] = {
                "count": str(len(rows)),
                "page": "1",
                "pages": "1",
                "documents": [rows],
            }
        else:
            (found,) = [each for each in self.documents if question.path == f"documents/{each['id']}.json"]
            body = {"document": found}
        return Answer(200, json.dumps(body).encode(), None, None)


async def test_a_sample_has_rates_methods_and_documents_to_preview() -> None:
    lines = [line(1), line(2, tax=5, tax2=7), line(3, tax=12.4999999999), line(4, delete=1, tax=99)]
    transactions = (
        payment(1, reference=" Cash "),
        payment(2, reference=""),
        payment(3, -5.0, reference="Cash"),
    )
    shop = Shop(document(id="a"), *(
        with_paid(*({**each, "document_id": own} for each in transactions), id=own, document_items=lines)
        for own in ("b", "c")
    ), order())  # fmt: skip
    found = await sample(shop)
    assert found.sales.keys() == {"8", "5+7", "12.5"}
    assert found.purchases == {"0": 2}
    assert found.methods == {"Cash": 2}
    assert [each["id"] for each in found.documents] == ["a", "c", ORDER, "b"]
    assert len(shop.asked) == 6


async def test_a_shop_without_documents_is_an_empty_sample() -> None:
    assert await sample(Shop()) == Sample()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", "refuses the API key"),
        (403, b"", "refuses the API key"),
        (429, b"", "has blocked the account"),
        (500, b"", "status 500"),
        (302, b"", "status 302"),
        (200, b"<html>", "status 200"),
    ],
)
async def test_a_shop_that_cannot_be_seen_is_not_taken_for_an_empty_one(
    status: int, body: bytes, said: str
) -> None:
    async def ask(_: Question) -> Answer:
        return Answer(status, body, None, None)

    with pytest.raises(NotSampled, match=said) as refused:
        await sample(ask)
    assert refused.value.remedy


async def test_one_list_that_may_not_be_seen_has_nothing_and_a_block_ends_the_look() -> None:
    shop = Shop(document(id="a"), order())

    async def ask(question: Question) -> Answer:
        refused = question.parameters.get("contextId") == "5"
        return Answer(403, b"", None, None) if refused else await shop(question)

    assert (await sample(ask)).documents[0]["id"] == ORDER

    async def ask_too_often(question: Question) -> Answer:
        return await shop(question) if question.parameters else Answer(429, b"", None, None)

    with pytest.raises(NotSampled, match="blocked"):
        await sample(ask_too_often)
