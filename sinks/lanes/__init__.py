"""One per-account worker (lane) per connected account, and the supervisor that runs them."""
