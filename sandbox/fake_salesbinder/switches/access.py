"""Keys, permissions, limits, errors, and the two hints."""

from dataclasses import dataclass
from typing import Literal

from .definition import switch


@dataclass(frozen=True)
class AccessSwitches:
    """Questions about who may call, how often, and what a refusal looks like."""

    wrong_key: Literal["401", "403", "302"] = switch(
        "401",
        "A wrong, revoked or missing key: 401; 403; a redirect to the sign-in page.",
        "§1 (shows as 401 [I]; redirects not known), §8 401, §14 (9)",
    )
    missing_permission: Literal["403", "401", "empty"] = switch(
        "403",
        "A missing permission: 403; 401; lists are empty and details 404.",
        "§5, §8 403, §12.11, §14 (9)",
    )
    orders_permission: Literal["View Purchase Orders", "View Invoices"] = switch(
        "View Purchase Orders", "The permission that orders need.", "§1 Permissions (orders: not known)"
    )
    error_body: Literal["message", "cake", "html", "empty"] = switch(
        "message",
        '`{"message": …}`; CakePHP\'s name, message and url; a page; nothing.',
        "§8 (bodies not known), §1 Front, §14 (8), (9)",
    )
    rates: Literal["2026", "older"] = switch(
        "2026", "50 calls a minute and 15 in ten seconds, or 60 and 18.", "§0, §8 Limits, older figures"
    )
    limited_by: Literal["key", "account", "address"] = switch(
        "key",
        "Calls are counted per key, per SalesBinder account, or per address of the caller.",
        "§8 Per what, §12.25, §14 (8)",
    )
    calls_in_block: Literal["prolong", "ignored"] = switch(
        "prolong", "A call during a block begins it again, or does nothing.", "§8 429 (assume yes), §14 (8)"
    )
    block_growth: Literal["doubles", "constant"] = switch(
        "doubles",
        "A block within an hour of the last one is twice as long, or always a minute.",
        "§0 (longer when repeated), §8",
    )
    access_lost: Literal["never", "ten_blocks"] = switch(
        "never", "After ten blocks in an hour the key is refused with 403 for good.", "§0, §8 403"
    )
    retry_after: Literal["absent", "seconds"] = switch(
        "absent", "429 has `Retry-After` or not.", "§0, §8 429 (no promise)"
    )


@dataclass(frozen=True)
class HintSwitches:
    """Questions about v3's change feed and webhooks."""

    sync_on_payment: Literal["upsert", "nothing"] = switch(
        "upsert", "A payment or refund makes an entry in `/sync`.", "§9 GET /sync (65 %), §14 (11)"
    )
    sync_on_reset: Literal["upsert", "nothing"] = switch(
        "upsert", "A reset makes an entry in `/sync`.", "§9 GET /sync, §14 (11)"
    )
    sync_on_archive: Literal["upsert", "delete", "nothing"] = switch(
        "nothing",
        "Archiving makes an entry in `/sync`, as a change or as a deletion, or none.",
        "§9 GET /sync (archived invoice a delete: not known), §14 (11)",
    )
    webhook_body: Literal["id", "record", "nested", "no_id"] = switch(
        "id",
        "A webhook's body: the id under `data`; the whole record; the id deep under another key; no id.",
        "§10 (payload not known), §14 (12)",
    )
    webhook_names: Literal["family", "plain"] = switch(
        "family",
        "Events are called `invoices.invoice_updated`, as the known `inventory.item_updated`, or "
        "`invoice.updated`.",
        "§10 (names of families for invoices, orders and estimates not known), §14 (12)",
    )
    webhook_on_payment: Literal["yes", "no"] = switch(
        "yes", "Payments, refunds and resets send a webhook.", "§10 (payment events not known), §14 (12)"
    )
    webhook_on_accounts: Literal["yes", "no"] = switch(
        "no", "Changes of customers and suppliers send a webhook.", "§10 (accounts not known), §14 (12)"
    )
