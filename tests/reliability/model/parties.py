"""Customers and suppliers: what each field may show in Xero."""

from dataclasses import dataclass, field

from tests.reliability.model.order import Event, Stamp

FIELDS = ("name", "office_email", "office_phone", "office_fax", "billing_address_1")


@dataclass
class Party:
    """A customer or supplier: every version known, in the order of arrival, and the oldest one that Xero
    may still show.
    """

    versions: dict[Stamp, Event] = field(default_factory=dict)
    floor: Stamp | None = None
    old: bool = True
    """Only documents from before the cut-off have named it: they bring no contact along."""
    named: set[str] = field(default_factory=set)
    """Names that it was called by, in records without ``modified`` too: such a one may make a contact."""
    undated: bool = False
    """A document told of it without ``modified``, and no more than its name."""

    @property
    def names(self) -> set[str]:
        return self.named | {record["name"] for record in self.versions.values() if "name" in record}

    def may_show(self, name: str) -> set[str]:
        """The values that a field may have: any that was the newest told, at some moment, among versions from
        the floor on. A key that is absent says nothing.
        """
        told: list[tuple[Stamp, Event]] = []
        allowed: set[str] = set()
        if self.floor is None and self.undated:
            allowed = set(self.named) if name == "name" else {""}
        for version in self.versions.items():  # as they arrived
            told = sorted((*told, version), key=lambda item: item[0])
            value = ""
            for stamp, record in told:
                value = str(record[name] or "") if name in record else value
                if self.floor is None or stamp >= self.floor:
                    allowed.add(value)
        return allowed
