"""Reasons why an entry waits: they end automatically or through an operator, and cost nothing."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who


def _waiting(code: ReasonCode, sentence: str, cause: str, remedy: str, who: Who, retry: str) -> Reason:
    return Reason(code, "waiting", sentence, cause, remedy, who, retry)


_NOTHING = "nothing."

REASONS = (
    _waiting(
        "account_paused",
        "the account '{account}' is paused: {message}.",
        "Somebody paused it, or it paused itself after a run of unknown errors; the message says which.",
        "resume it on the Overview page, or with 'sbx resume {account}', when it may continue.",
        "us",
        "Everything is kept in order and sent when the account is resumed.",
    ),
    _waiting(
        "xero_minute_limit",
        "waiting until {until}: Xero allows 60 calls per minute.",
        "Xero limits how often a program may call it, per organisation.",
        _NOTHING,
        "xero",
        "Continues automatically within a minute.",
    ),
    _waiting(
        "xero_day_limit",
        "waiting until {until}: today's calls to Xero are used up.",
        "Xero limits the calls per day and organisation to 1,000 or 5,000, depending on the plan; other "
        "programs do not count.",
        "nothing; if it happens often, a larger Xero plan for the app helps.",
        "xero",
        "Continues automatically when Xero's next day begins.",
    ),
    _waiting(
        "xero_unavailable",
        "waiting until {until}: Xero is not responding, or responds with an internal error.",
        "Xero is down or cannot be reached from here.",
        "nothing; Xero's status page says whether the problem is known.",
        "xero",
        "Retried at growing intervals until Xero responds.",
    ),
    _waiting(
        "proxy_refuses",
        "waiting until {until}: the proxy through which Xero is reached lets nothing through.",
        "The proxy that HTTPS_PROXY names cannot be reached, asks for another login, or does not allow Xero. "
        "Nothing has left for Xero.",
        "have the proxy allow Xero's API and identity server, or correct HTTPS_PROXY or NO_PROXY and start "
        "the workers again; their log quotes the proxy.",
        "us",
        "Retried at growing intervals until the proxy lets it through.",
    ),
    _waiting(
        "kafka_unavailable",
        "waiting until {until}: Kafka does not accept the record that must be there before Xero is called.",
        "Kafka is unavailable or refuses access. Each call to Xero is first recorded there, so that a "
        "restored database can be recognised as older than what was sent.",
        "bring Kafka back; 'sbx status' says what is wrong with it.",
        "us",
        "Retried at growing intervals until Kafka accepts the record.",
    ),
    _waiting(
        "ledger_behind",
        "nothing is sent for '{account}': the database is older than what was sent to Xero from it, since "
        "{message}.",
        "A backup was restored, or a server took over that did not have the latest changes. Changes missing "
        "from the database may already be in Xero, and sending them again would duplicate them.",
        "the operator of the workers can see what is missing with 'sbx recover', and recover it with 'sbx "
        "recover --yes': whatever may have been sent is looked up in Xero before anything is sent.",
        "us",
        "Nothing is taken in or sent for any account until then. Nothing is lost: Kafka has it.",
    ),
    _waiting(
        "secret_key_missing",
        "waiting until {until}: the workers lack the key for the credentials of '{account}': {message}.",
        "The credentials in the database were encrypted with another key than the workers have: a rotation "
        "is under way and not all workers have both keys, or a key was mistaken.",
        "give the workers the key that the message names as SBX_SECRET_KEY_OLD, and start them again; if "
        "nobody has it any more, connect the account again with 'sbx connect {account}'.",
        "us",
        "Tried again at growing intervals until the credentials can be read.",
    ),
    _waiting(
        "connection_lost",
        "Xero no longer accepts our access to '{account}': {message}",
        "The connection was revoked in Xero, its secret was changed, or a permission is missing.",
        "connect it again on the page, or with 'sbx connect {account}' (for a custom connection, with its "
        "--client-id).",
        "xero",
        "Everything is kept in order and sent once the account is connected again.",
    ),
    _waiting(
        "command_lost",
        "queued since {since} UTC, but its command never reached the ledger: it was lost on the way.",
        "Messages were removed from the commands topic before they were read, or a backup older than them "
        "was restored. The event itself still exists.",
        "bring it back with '{replay}'. If that no longer finds the event, have the change published again "
        "with the same id.",
        "us",
        "Nothing: it waits until it is brought back.",
    ),
    _waiting(
        "waiting_for_answer",
        "the response to '{step}' was lost; looking it up in Xero before anything is sent again.",
        "The connection broke while Xero was working. A guess could enter the same thing twice.",
        _NOTHING,
        "xero",
        "Settled automatically within minutes.",
    ),
)
