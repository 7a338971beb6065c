"""The call ledger; its face is `usufruct.payments`."""
