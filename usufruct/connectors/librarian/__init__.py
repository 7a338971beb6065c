"""A service to sell without a model: a process that answers questions about Markdown documents by quoting them.

It speaks the OpenAI format, needs no network, says plainly that it is a retrieval service, and counts text tokens with
a vocabulary of its own that anyone may fetch. Start it with `python -m usufruct.connectors.librarian`.
"""
