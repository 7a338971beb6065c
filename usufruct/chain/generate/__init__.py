"""Bindings: one typed Python module for each contract, from what forge compiled.

`artifact` reads it and refuses what is stale; `documentation` turns NatSpec into docstrings; `names` translates names
and types; `render` writes classes; `package` sorts them into modules, and lists which contracts have bindings.
"""
