"""Everything that touches Xero: the command ledger, the planner, the lanes that make the calls, and
recovery.
"""
