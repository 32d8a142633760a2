"""Records of one name that come together or meet one that is there: one contact, few calls."""

import json
import unicodedata
from typing import Any

import pytest

from tests.integration.sinks.shops import Maker, Shop

COMPOSED = "Café Zoë"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
SPELLINGS = (COMPOSED, DECOMPOSED, "Cafe Zoe", "CAFÉ  zoe", "cafe zoë")


def invoices(make: Maker, names: list[str], **more: Any) -> list[dict[str, Any]]:
    """An invoice each of a customer of its own."""
    return [make.created(make.document(make.customer(name, **more), n)) for n, name in enumerate(names, 4000)]


def count(books: Shop, call: str) -> int:
    return books.calls().count(call)


async def attempts(books: Shop) -> float:
    """Attempts an entry, on average."""
    [row] = await books.rows(
        "SELECT avg(attempts)::float8 AS mean FROM ledger.commands WHERE account = %s", books.account
    )
    return float(row["mean"])


@pytest.mark.parametrize("names", [["Cash Sale"] * 40, list(SPELLINGS) * 8])
async def test_forty_invoices_of_forty_records_of_one_name(
    books: Shop, make: Maker, names: list[str]
) -> None:
    events = invoices(make, names)
    assert await books.run(*events) == ["posted"] * 40
    held = books.books
    assert len(held["contacts"]) == 1
    assert {i["contact_id"] for i in held["invoices"]} == {held["contacts"][0]["id"]}
    calls, mean = books.calls(), await attempts(books)
    figures = f"{len(calls)} calls (at most 12), {mean:.2f} attempts per entry (below 1.5): {calls}"
    print(figures)
    assert len(calls) <= 12 and mean < 1.5, figures
    told = [await books.warnings(event) for event in events]
    assert all("contact_shared" in codes for codes in told)


async def test_forty_records_of_a_name_that_is_there(books: Shop, make: Maker) -> None:
    books.seed(behaviour={"where_folds_accents": False, "search_folds_accents": False})
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": COMPOSED, "EmailAddress": "kept@x.example"}]})
    assert await books.run(*invoices(make, ["Cafe Zoe"] * 40)) == ["posted"] * 40
    assert [c["email"] for c in books.books["contacts"]] == ["kept@x.example"]
    assert len(books.calls()) <= 16, books.calls()
    assert await attempts(books) < 1.5


async def test_newest_of_a_burst_wins_field_by_field(books: Shop, make: Maker) -> None:
    customers = [make.customer("Cash Sale", office_email=f"{n}@x.example") for n in range(10)]
    for customer in customers:
        make.minute += 1
        customer["modified"] = make.now
    customers[3]["office_fax"] = "33"
    customers[9]["office_email"] = ""
    events = [make.contact("created", customer) for customer in reversed(customers)]
    assert await books.run(*events) == ["posted"] * 10
    contact = books.contact("Cash Sale")
    assert (contact["email"], contact["phones"]["FAX"]["PhoneNumber"]) == ("8@x.example", "33")
    assert count(books, "PUT Contacts") + count(books, "POST Contacts") <= 2


async def test_customers_and_suppliers_of_one_name_make_one_contact(books: Shop, make: Maker) -> None:
    events = [
        make.contact("created", make.customer("Cash Sale"), ("customer", "supplier")[n % 2])
        for n in range(20)
    ]
    assert await books.run(*events) == ["posted"] * 20
    assert len(books.books["contacts"]) == 1
    assert count(books, "PUT Contacts") == 1


async def test_each_side_of_a_burst_pushes_only_what_it_changes_later(books: Shop, make: Maker) -> None:
    one = make.customer("Cash Sale", office_phone="1")
    two = make.customer("Cash Sale", office_phone="2")
    await books.run(make.contact("created", one), make.contact("created", two))
    assert await books.run(make.changed(one, office_email="one@x.example")) == ["posted"]
    contact = books.contact("Cash Sale")
    assert (contact["email"], contact["phones"]["DEFAULT"]["PhoneNumber"]) == ("one@x.example", "2")


async def test_record_whose_number_another_contact_has_is_linked_to_that(books: Shop, make: Maker) -> None:
    one, two = make.customer("Cash Sale"), make.customer("Cash Sale")
    other = {"Name": "Renamed by hand", "ContactNumber": two["id"]}
    books.by_hand("PUT", "Contacts", {"Contacts": [other]})
    ends = await books.run(make.created(make.document(one, 1)), make.created(make.document(two, 2)))
    assert ends[0] == "posted"
    assert ends[1] == "contact_name_taken"
    assert [i["number"] for i in books.books["invoices"]] == ["1"]


@pytest.mark.parametrize("where", [True, False])
@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize(("there", "comes"), [(COMPOSED, "Cafe Zoe"), ("Cafe Zoe", DECOMPOSED)])
async def test_name_spelt_otherwise_is_found_whatever_the_look_up_folds(
    books: Shop, make: Maker, where: bool, search: bool, there: str, comes: str
) -> None:
    books.seed(behaviour={"where_folds_accents": where, "search_folds_accents": search})
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": there, "EmailAddress": "kept@x.example"}]})
    invoice = make.created(make.document(make.customer(comes), 8001))
    assert await books.run(invoice) == ["posted"]
    assert [c["email"] for c in books.books["contacts"]] == ["kept@x.example"]


async def test_name_is_found_behind_the_first_thousand_contacts(books: Shop, make: Maker) -> None:
    books.seed(
        behaviour={"where_folds_accents": False, "search_folds_accents": False},
        contacts=[{"Name": f"Other {n}"} for n in range(1001)] + [{"Name": "Čafé Zoë"}],
    )
    assert await books.run(make.created(make.document(make.customer("Cafe Zoe"), 1))) == ["posted"]
    assert len(books.books["contacts"]) == 1002


async def test_name_that_xero_calls_taken_and_never_shows_names_no_contact(books: Shop, make: Maker) -> None:
    customer = make.customer("Nobody")
    taken = "The contact name Nobody is already assigned to another contact."
    element = {"ContactNumber": customer["id"], "ValidationErrors": [{"Message": taken}]}
    refused = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "…", "Elements": [element]}
    books.xero.admin.fault("answer", method="PUT", path="Contacts", value=json.dumps(refused), times=2)
    created = make.contact("created", customer)
    assert await books.run(created) == ["contact_name_unseen"]
    assert await books.retry(created) == ["posted"]


async def test_refused_name_of_a_burst_is_asked_for_once(books: Shop, make: Maker) -> None:
    """Of twenty whose name is refused for what it holds none is sent more than it must."""
    books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Cash Sale", "ContactNumber": "theirs"}]})
    assert await books.run(*invoices(make, ["Cash Sale"] * 20)) == ["posted"] * 20
    assert count(books, "PUT Contacts") == 1
    assert count(books, "POST Contacts") == 1
    assert books.contact("Cash Sale")["contact_number"] == "theirs"


async def test_lost_answer_to_the_one_that_creates(books: Shop, make: Maker) -> None:
    books.xero.admin.fault("drop_after", method="PUT", path="Contacts")
    assert await books.run(*invoices(make, ["Cash Sale"] * 10)) == ["posted"] * 10
    assert len(books.books["contacts"]) == 1


async def test_rename_away_is_not_remembered(books: Shop, make: Maker) -> None:
    one = make.customer("Cash Sale")
    await books.run(make.contact("created", one))
    assert await books.run(make.changed(one, name="Bolts Ltd")) == ["posted"]
    two = make.customer("Cash Sale")
    assert await books.run(make.contact("created", two)) == ["posted"]
    assert sorted(c["name"] for c in books.books["contacts"]) == ["Bolts Ltd", "Cash Sale"]
