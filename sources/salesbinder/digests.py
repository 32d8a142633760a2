"""Digests by which two states of a document are compared, however SalesBinder writes them. Pure."""

from collections.abc import Sequence

from contracts.events import records
from sources.salesbinder.documents import Detail
from sources.salesbinder.rows import DocumentEntity, hash_of, number_text


def edit_digest(detail: Detail) -> str:
    """Return a digest of all that makes an edit: the contract's own fields of header and lines.

    Left out: what has events of its own (status, money, receipts), other records' data (customer, items), ids
    and order of the lines, which an unchanged document may return in another way, and the cost of an
    invoice's lines, which is not what the customer pays.
    """
    document, entity = detail.document, detail.entity
    return hash_of((_header_digest(document, entity), _lines_digest(document.document_items, entity)))


def _header_digest(document: records.Document, entity: DocumentEntity) -> str:
    d = document
    cost = d.total_cost if entity == "purchase_order" else None
    totals = [number_text(value) for value in (cost, d.total_price, d.total_tax, d.total_tax2)]
    texts = [str(d.document_number), d.customer_id, (d.name or "").strip(), (d.currency or "").upper()]
    days = [str(d.issue_date), str(d.due_date or "")]
    return hash_of([*texts, *days, *totals, number_text(d.currency_rate)])


def _lines_digest(lines: Sequence[records.DocumentItem], entity: DocumentEntity) -> str:
    return hash_of(sorted(_line_digest(line, entity) for line in lines))


def _line_digest(line: records.DocumentItem, entity: DocumentEntity) -> str:
    amounts = [line.quantity, line.price, line.tax, line.tax2, line.discount_percent]
    # SalesBinder shows either 0 or the price itself where there is no discount.
    amounts.append(line.discounted_price if line.discount_percent else None)
    amounts.append(line.cost if entity == "purchase_order" else None)
    texts = [line.name, line.description, line.item_id, line.item_variation_data]
    return hash_of([*map(number_text, amounts), *(str(each or "") for each in texts)])
