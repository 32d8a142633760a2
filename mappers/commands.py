"""Map a change event to a command."""

from datetime import UTC

import msgspec

from contracts.commands import (
    Command,
    ContactSnapshot,
    DocumentSnapshot,
    EventRef,
    Side,
    TransactionSnapshot,
    command_id,
)
from contracts.events.reader import ChangeEvent
from contracts.events.records import (
    AccountRecord,
    CustomerData,
    CustomerDeletedData,
    DeletedRecord,
    Document,
    DocumentData,
    SupplierData,
    SupplierDeletedData,
    TransactionData,
)
from contracts.money import to_cents
from mappers.contacts import to_contact
from mappers.documents import Kind, to_document
from mappers.payments import to_transaction
from mappers.receipts import RECEIVED, has_status, lines_in_part
from mappers.texts import label
from mappers.totals import totals


def to_command(event: ChangeEvent, topic: str, partition: int, offset: int) -> Command:
    """Return the desired state in Xero after ``event``, which was read at this place in Kafka.

    ``read_event`` has checked the event, so nothing here can be refused.
    """
    command = Command(
        command_id=command_id(event.source, event.id),
        account=event.account,
        entity=event.entity,
        record_id=event.subject,
        action=event.action,
        event=EventRef(
            id=event.id,
            type=event.type,
            source=event.source,
            time=event.time.astimezone(UTC),
            content_hash=event.content_hash,
            topic=topic,
            partition=partition,
            offset=offset,
        ),
    )
    match event.data:
        case CustomerData(customer=record):
            return _with_contact(command, event, record, "customer")
        case SupplierData(supplier=record):
            return _with_contact(command, event, record, "supplier")
        case DocumentData(document=record):
            kind: Kind = "purchase_order" if event.entity == "purchase_order" else "invoice"
            made = _with_document(command, to_document(record, kind, event.time))
            if event.action in ("created", "edited") and has_status(record.status, "cancelled", "canceled"):
                made = msgspec.structs.replace(made, says_cancelled=True)
            return _with_receipt(made, event, record) if event.action == "received" else made
        case TransactionData(document=record, transaction=transaction):
            document = to_document(record, "invoice", event.time)
            refund = event.action == "refund_applied"
            snapshot = to_transaction(transaction, record.transactions or (), event.time, refund=refund)
            return _with_transaction(_with_document(command, document), snapshot)
        case CustomerDeletedData(customer=deleted) | SupplierDeletedData(supplier=deleted):
            return _deleted(command, deleted)
        case data:
            return _deleted(command, data.document)


def _with_contact(command: Command, event: ChangeEvent, record: AccountRecord, side: Side) -> Command:
    contact: ContactSnapshot = to_contact(record, side, event.time)
    return msgspec.structs.replace(
        command,
        contact=contact,
        record_number=label(record.customer_number),
        party_name=label(contact.name),
    )


def _with_document(command: Command, document: DocumentSnapshot) -> Command:
    return msgspec.structs.replace(
        command,
        document=document,
        record_number=document.number,
        party_name=label(document.contact.name),
        amount=to_cents(totals(document).total),
        currency=document.currency or "",
    )


def _with_receipt(command: Command, event: ChangeEvent, record: Document) -> Command:
    return msgspec.structs.replace(
        command,
        received_on=event.time.date(),
        in_part=lines_in_part(record.document_items),
        says_received=has_status(record.status, *RECEIVED),
    )


def _with_transaction(command: Command, transaction: TransactionSnapshot) -> Command:
    return msgspec.structs.replace(command, transaction=transaction, amount=to_cents(transaction.amount))


def _deleted(command: Command, record: DeletedRecord) -> Command:
    return msgspec.structs.replace(
        command, record_number=label(record.document_number), party_name=_name(command, record)
    )


def _name(command: Command, record: DeletedRecord) -> str:
    """Return a deleted customer's or supplier's name; the ``name`` of a document is not its party's."""
    return label(record.name) if command.entity in ("customer", "supplier") else ""
