"""Reasons for which an entry waits: they end by themselves or by somebody's hand, and cost nothing."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason, Who


def _waiting(code: ReasonCode, sentence: str, cause: str, remedy: str, who: Who, retry: str) -> Reason:
    return Reason(code, "waiting", sentence, cause, remedy, who, retry)


_NOTHING = "nothing."

REASONS = (
    _waiting(
        "account_paused",
        "the account '{account}' is paused: {message}.",
        "Somebody paused it, or it paused itself after a run of errors that nobody foresaw; the sentence "
        "says which.",
        "resume it on the page's overview, or with 'sbx resume {account}', when it may go on.",
        "us",
        "Everything is kept in order and sent when the account is resumed.",
    ),
    _waiting(
        "xero_minute_limit",
        "waits until {until}: Xero takes 60 calls a minute.",
        "Xero limits how often a program may call, per organisation.",
        _NOTHING,
        "xero",
        "Goes on by itself, within a minute.",
    ),
    _waiting(
        "xero_day_limit",
        "waits until {until}: Xero's calls for today are used up.",
        "Xero limits the calls of a day, 1,000 or 5,000 by plan, per organisation; other programs do "
        "not count.",
        "nothing; where it happens often, a larger plan for the app at Xero helps.",
        "xero",
        "Goes on by itself when Xero opens the next day.",
    ),
    _waiting(
        "xero_unavailable",
        "waits until {until}: Xero does not answer or answers with an error of its own.",
        "Xero is out of order or cannot be reached from here.",
        "nothing; Xero's status page tells whether it is known.",
        "xero",
        "Tried again at growing intervals until Xero answers.",
    ),
    _waiting(
        "kafka_unavailable",
        "waits until {until}: Kafka does not take the note that must stand there before Xero is called.",
        "Kafka is away or refuses us. Each call to Xero is noted there first, so that a restored database "
        "shows that it is older than what was sent.",
        "bring Kafka back; 'sbx status' says what is wrong with it.",
        "us",
        "Tried again at growing intervals until Kafka takes the note.",
    ),
    _waiting(
        "ledger_behind",
        "nothing is sent for '{account}': the database is older than what was sent to Xero from it, since "
        "{message}.",
        "A backup was restored, or another server took over that had not got the last changes. What the "
        "database does not know may stand in Xero already, and sent again it would be there twice.",
        "whoever runs the workers shows what is missing with 'sbx recover', and mends it with "
        "'sbx recover --yes': what was perhaps sent is looked up in Xero before anything is sent.",
        "us",
        "Nothing is taken in or sent, for no account, until then. Nothing is lost: Kafka has it.",
    ),
    _waiting(
        "connection_lost",
        "Xero no longer accepts our access to '{account}': {message}",
        "The connection was revoked in Xero, its secret was changed, or a permission is missing.",
        "connect it again on the page, or with 'sbx connect {account}' (of a custom connection, with its "
        "--client-id).",
        "xero",
        "Everything is kept in order and sent once the account is connected again.",
    ),
    _waiting(
        "command_lost",
        "queued since {since} UTC, and no stage has brought its command to the ledger: it was lost on "
        "its way.",
        "Messages were removed from the topic of commands before they were read, or a backup was restored "
        "that is older than they are. The event itself is still there.",
        "bring it back with '{replay}'. Where that finds no event any more, have the change published again "
        "with the id that it had.",
        "us",
        "Nothing: it waits until it is brought back.",
    ),
    _waiting(
        "waiting_for_answer",
        "the answer to '{step}' was lost; looks it up in Xero before anything is sent again.",
        "The connection broke while Xero was at work. A guess could enter the same thing twice.",
        _NOTHING,
        "xero",
        "Settled by itself within minutes.",
    ),
)
