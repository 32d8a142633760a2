"""SalesBinder's API 2.0: what it answers, read with distrust."""
