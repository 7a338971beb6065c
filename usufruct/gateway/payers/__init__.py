"""How a call is paid for: bearer keys, pass grants, x402."""
