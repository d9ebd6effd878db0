"""The account, its ledger, and the drivers that run a study through them."""
