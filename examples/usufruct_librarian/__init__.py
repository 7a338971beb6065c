"""A service to sell without a model: it answers questions about Markdown documents by quoting them.

It speaks the OpenAI format, needs no network, states that it is a retrieval service, and counts text tokens with a
own vocabulary that anyone may fetch. It imports nothing of `usufruct`.
Start it with `python -m usufruct_librarian`.
"""
