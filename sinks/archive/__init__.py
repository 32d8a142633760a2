"""Take what ended long ago out of the ledger: which rows go, what stays of them, the lines of their files.

``streams.archiving`` does it together with the log's rows, in small bites.
"""
