"""What must outlive a call: the ledger, kept conversations, and what was spent."""
