"""Paying by x402 `batch-settlement`: its headers, and what it takes for a wallet's payment to be good for a call."""
