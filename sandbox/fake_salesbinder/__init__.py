"""A stand-in for SalesBinder to test and demonstrate with."""
