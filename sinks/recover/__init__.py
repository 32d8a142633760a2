"""When the database knows less than Xero and Kafka do: noticing it, and finding out what was perhaps sent.

``generation`` notices it and holds all accounts; ``taking_up`` puts back what the topics know; ``clearing``
has the account's lane read Xero, and ``matching`` says what of it is what was sent.
"""
