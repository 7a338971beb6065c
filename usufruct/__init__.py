"""Sell your AI by the token; the owners are paid automatically."""

__version__ = "0.1.0"
__all__ = ["__version__"]
