"""The kinds of service that the gateway sells: one file each."""
