"""Figures about the services of this installation, by the market API: calls, revenue, owners, concentration."""
