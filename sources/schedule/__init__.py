"""Which question SalesBinder is asked next, within its limits. Pure."""
