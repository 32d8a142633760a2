"""SalesBinder, what should be in Xero by the settings, and Xero, side by side."""
