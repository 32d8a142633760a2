"""A document's objects in Xero, as its box shows them."""

from sbx.web.view.rendering import fragment


def test_what_has_no_date_says_nothing_of_one() -> None:
    cheque = {
        "kind": "payment",
        "xero_id": "p-1",
        "xero_number": "",
        "removed": False,
        "amount": "19.95",
        "date": None,
        "reference": "Cheque 1181",
    }
    shown = fragment("rows.html", "objects", [cheque, cheque | {"date": "2026-03-02", "reference": None}])
    assert "None" not in shown
    assert ">Cheque 1181<" in shown and ">2026-03-02<" in shown
