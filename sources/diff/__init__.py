"""What changed between what was published last of a record and what SalesBinder shows of it now. Pure."""
