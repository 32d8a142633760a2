"""What SalesBinder makes of an API key, before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.environment import Environment
from sbx.actions.refused import bad_request, not_possible
from sources import company
from sources.batch import Kept, Key
from sources.client import Client, NoAnswer, api_address
from sources.problems import Unreadable
from sources.salesbinder.answers import read_list
from sources.salesbinder.verdicts import Answer
from sources.sample import Ask
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES, Question, question

_PERMISSIONS: Final = "accounts, Billing Management, and View Invoices / Estimates"

_NEEDED: Final[tuple[Listing, ...]] = ("customers", "invoices")
"""Asked first: a key that may read neither, and is refused (401), is of no use, or wrong."""
_ORDER: Final = (*_NEEDED, *(each for each in LISTINGS["all"] if each not in _NEEDED))


@dataclass(frozen=True, slots=True)
class Connected:
    """What SalesBinder showed when an account was connected."""

    rows: Mapping[Listing, int]
    """Of each list that the key may read."""
    refused: tuple[Listing, ...]
    unproven: str | None = None
    """Why it is not sure that the key is of this company, which the reader finds out first; None if it is."""


def new_client(environment: Environment, account: str, key: str) -> Client:
    """Return a client with this key.

    Raises:
        ActionRefused: the address or the key cannot be one.
    """
    try:
        address = api_address(account, environment.salesbinder_api_url)
    except ValueError as error:
        raise bad_request(str(error)) from error
    try:
        return Client(address, key)
    except ValueError as error:
        raise bad_request(str(error), field="key") from error


async def look(ask: Ask, account: str, lately: Mapping[Key, Kept]) -> Connected:
    """Ask for the first row of each list; and for records that are known of the account, if there are any.

    Raises:
        ActionRefused: SalesBinder refuses the key, does not answer, or shows another company with it.
    """
    rows: dict[Listing, int] = {}
    refused: list[Listing] = []
    unproven: str | None = None
    try:
        for listing in _ORDER:
            answer = await ask(_first_row(listing))
            count = count_of(answer, listing, account)
            if count is None:
                refused.append(listing)
            else:
                rows[listing] = count
            if answer.verdict == "key_refused" and refused == [*_NEEDED]:
                break
        if rows:
            unproven = await _check_company(ask, account, lately)
    except NoAnswer as error:
        raise not_possible(
            f"SalesBinder does not answer for '{account}': {error}",
            f"check the name, which is the one in https://{account}.salesbinder.com, and the network",
            field="account",
        ) from error
    if not rows:
        raise not_possible(
            f"SalesBinder refuses this key for '{account}'",
            "copy it again from the Profile page of its user in SalesBinder, where a new key replaces the "
            f"old one; and see that this user has the permissions {_PERMISSIONS}",
            field="key",
        )
    shown = {listing: rows[listing] for listing in LISTINGS["all"] if listing in rows}
    return Connected(shown, tuple(each for each in LISTINGS["all"] if each in refused), unproven)


async def _check_company(ask: Ask, account: str, lately: Mapping[Key, Kept]) -> str | None:
    """Refuse a key that shows none of the records that are known of the account; return why that is not sure,
    if SalesBinder does not say it of all of them.
    """
    standing, unclear = company.witnesses(lately), ""
    for witness in standing:
        try:
            answer = await ask(question(company.request_for(witness)))
        except NoAnswer as error:
            return company.in_words(str(error), witness)
        shown = company.is_shown(answer, witness)
        if shown:
            return None
        if answer.verdict == "blocked":
            return company.in_words(str(answer.status), witness)
        unclear = unclear if shown is False else company.in_words(str(answer.status), witness)
    if unclear or not standing:
        return unclear or None
    raise not_possible(
        f"SalesBinder shows this key none of the records that are known of '{account}', such as "
        f"{standing[0][0]} {standing[0][1]}: it may be the key of another company",
        "give the key of a user of this company who sees its customers and documents; if all of these "
        "were archived, bring one back in SalesBinder first",
        field="key",
    )


def _first_row(listing: Listing) -> Question:
    resource = RESOURCES[listing]
    return Question(resource.path, {"contextId": str(resource.context), "page": "1", "pageLimit": "1"})


def count_of(answer: Answer, listing: Listing, account: str) -> int | None:
    """Return how many rows the list has; none if the key may not read it.

    Raises:
        ActionRefused: the answer is of no use.
    """
    if answer.verdict in ("key_refused", "not_permitted"):
        # A missing permission may look like a wrong key, and the other way round.
        return None
    if answer.verdict == "blocked":
        raise not_possible(
            f"SalesBinder has blocked '{account}' for too many calls", "try again in a few minutes"
        )
    try:
        if answer.verdict != "answered":
            raise Unreadable("answer", answer.status, "it is of no use", "", "answer_unreadable")
        page = read_list(answer.body, RESOURCES[listing].names)
    except Unreadable as wrong:
        raise not_possible(
            f"SalesBinder's answer for '{account}' is of no use ({answer.status})",
            f"check the name and the key: open https://{account}.salesbinder.com in a browser",
            field="account",
        ) from wrong
    return page.count if page.count is not None else len(page.rows)
