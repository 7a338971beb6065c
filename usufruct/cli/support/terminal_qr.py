"""QR codes in the terminal: an address is scanned instead of typed."""

import io

import segno


def qr_lines(text: str) -> list[str]:
    """Return a QR code as lines of half-block characters, for a dark or a light terminal."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n").split("\n")
