"""Make every connection to Xero, SalesBinder, a webhook or a mail server.

One place, so that the company's proxy and its own authority hold for all of them.
"""
