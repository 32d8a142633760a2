"""Handle a database that knows less than Xero and Kafka do: notice it, and find out what was perhaps sent.

``sinks.ledger.generation`` notices it and holds all accounts; ``taking_up`` puts back what the topics know;
``clearing`` has the account's lane read Xero, and the modules for each record recognise the objects that we
sent.
"""
