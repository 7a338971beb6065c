"""Payments: `pricing` (pure), `ledger`, `settlement` and `x402`, each a package with its own public interface."""
