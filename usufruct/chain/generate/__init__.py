"""Bindings: one typed Python module for each contract, from what forge compiled.

`artifact` reads it and refuses what is stale; `definitions` sorts structs, enums and errors by module; `documentation`
turns NatSpec into docstrings; `names` and `shapes` translate names and types; `render` writes classes; `package` puts
the folder together, and lists which contracts have bindings.
"""
