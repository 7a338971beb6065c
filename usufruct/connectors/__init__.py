"""Clients of other companies' services, a sub-package for each kind."""
