"""Cells of CSV files that spreadsheets open."""

__all__ = ["safe_cell"]


def safe_cell(text: str) -> str:
    """Return text that a spreadsheet does not run: names come from others."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
