"""Words that every face of an action shares."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``1 event``, ``1,200 events``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
