"""What an account's own answers tell of the questions that SalesBinder's API leaves open. It only reads."""
