"""Facts about keys, hosts and permissions (reference §1, §5, §8)."""

import base64

import pytest

from sandbox.fake_salesbinder import acts
from sandbox.fake_salesbinder.access import PERMISSIONS

from .conftest import Stage

LISTS = {
    ("customers.json", 2): "View Customers",
    ("customers.json", 8): "View Prospects",
    ("customers.json", 10): "View Suppliers",
    ("documents.json", 5): "View Invoices",
    ("documents.json", 4): "View Estimates",
    ("documents.json", 11): "View Purchase Orders",
}


def test_the_key_is_the_user_of_http_basic_and_x_its_password(stage: Stage) -> None:
    """§1: "HTTP Basic: key as user, `x` as password"."""
    token = base64.b64encode(f"{stage.shop.key}:x".encode()).decode()
    headers = {"authorization": f"Basic {token}"}
    assert stage.call("GET", "customers.json", headers=headers, contextId=2).status == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer demo"}, {"authorization": "Basic !!"}])
def test_without_a_key_it_is_401(stage: Stage, headers: dict[str, str]) -> None:
    """§8: "401 key missing, wrong, revoked"."""
    assert stage.call("GET", "customers.json", headers=headers, contextId=2).status == 401


def test_both_hosts_take_the_same_key(stage: Stage) -> None:
    """§1: "app.salesbinder.com/api/2.0/… takes the same key": without a sub-domain the key decides."""
    assert stage.call("GET", "customers.json", prefix="", contextId=2).json["count"] == "1"


def test_a_key_of_another_account_is_refused(stage: Stage) -> None:
    stage.world.add_shop("other")
    assert stage.call("GET", "customers.json", prefix="other/", contextId=2).status == 401


def test_an_account_that_is_gone_is_404(stage: Stage) -> None:
    del stage.world.shops["acme"]
    assert stage.get("customers.json", contextId=2).status == 404


def test_a_new_key_replaces_the_old_one(stage: Stage) -> None:
    """§1: "A new key replaces the old one: revocation shows as 401"."""
    old = stage.shop.key
    new = stage.shop.new_key()
    assert stage.call("GET", "customers.json", key=old, contextId=2).status == 401
    assert stage.call("GET", "customers.json", key=new, contextId=2).status == 200


@pytest.mark.parametrize(("setting", "status"), [("401", 401), ("403", 403), ("302", 302)])
def test_a_wrong_key_is_a_switch(setting: str, status: int) -> None:
    """§14 (9): wrong key, code and body not known; §1: redirects not known."""
    reply = Stage(wrong_key=setting).call("GET", "customers.json", key="wrong", contextId=2)
    assert (reply.status, "Location" in reply.headers) == (status, status == 302)


@pytest.mark.parametrize(("where", "permission"), LISTS.items())
def test_each_context_needs_its_permission(stage: Stage, where: tuple[str, int], permission: str) -> None:
    """§1 Permissions."""
    path, context = where
    stage.shop.owner.permissions = set(PERMISSIONS) - {permission}
    assert stage.get(path, contextId=context).status == 403
    stage.shop.owner.permissions = set(PERMISSIONS)
    assert stage.get(path, contextId=context).status == 200


@pytest.mark.parametrize("context", [4, 5, 11])
def test_documents_need_billing_management(stage: Stage, context: int) -> None:
    """§1 Permissions: "documents need Billing Management and View Invoices / Estimates"."""
    stage.shop.owner.permissions = set(PERMISSIONS) - {"Billing Management"}
    assert stage.get("documents.json", contextId=context).status == 403


def test_orders_may_need_the_permission_of_invoices() -> None:
    """§1 Permissions: "orders: [U]"."""
    stage = Stage(orders_permission="View Invoices")
    stage.shop.owner.permissions = {"Billing Management", "View Invoices"}
    assert stage.get("documents.json", contextId=11).status == 200


@pytest.mark.parametrize(
    ("setting", "of_list", "of_detail"), [("403", 403, 403), ("401", 401, 401), ("empty", 200, 404)]
)
def test_a_missing_permission_is_a_switch(setting: str, of_list: int, of_detail: int) -> None:
    """§5: "A user who loses a permission makes records vanish just so"; §8: 403."""
    stage = Stage(missing_permission=setting)
    stage.shop.owner.permissions = set()
    reply = stage.get("customers.json", contextId=2)
    assert (reply.status, stage.get(f"customers/{stage.customer}.json").status) == (of_list, of_detail)
    if of_list == 200:
        assert reply.json == {"count": "0", "page": "1", "pages": "0", "customers": []}


def test_who_sees_assigned_records_only_loses_the_others(stage: Stage) -> None:
    """§1: "Sales people may see only what is assigned to them"; §5: an assignment lost, records vanish."""
    invoice, user = stage.invoice(), stage.shop.owner
    user.assigned_only = True
    assert stage.rows("customers.json", contextId=2) == []
    assert stage.get(f"documents/{invoice}.json").status == 404
    acts.assign(stage.shop, stage.customer, user.id)
    assert [row["id"] for row in stage.rows("documents.json", contextId=5)] == [invoice]
    assert stage.get(f"customers/{stage.supplier}.json").status == 404


@pytest.mark.parametrize(
    ("setting", "kind", "part"),
    [
        ("message", "application/json", b'"message":'),
        ("cake", "application/json", b'"url":"/acme/api/2.0/customers.json"'),
        ("html", "text/html; charset=UTF-8", b"<!DOCTYPE html>"),
        ("empty", "application/json", b""),
    ],
)
def test_bodies_of_errors_are_a_switch(setting: str, kind: str, part: bytes) -> None:
    """§8: bodies of 401 and 403 not known, HTML possible."""
    reply = Stage(error_body=setting).call("GET", "customers.json", key="wrong", contextId=2)
    assert reply.headers["Content-Type"] == kind
    assert part in reply.body
    assert bool(reply.body) == bool(part)


def test_the_key_is_not_in_the_call_log(stage: Stage) -> None:
    stage.get("customers.json", contextId=2)
    assert stage.shop.key not in repr(stage.world.call_log())
