"""Bindings: one typed Python module for each contract, from what forge compiled.

`bound` says which contracts; `artifact` reads them and refuses stale ones; `definitions` sorts their structs, enums and
errors by module; `natspec` finds their documentation; `names` and `shapes` translate names and types; `render` writes
the modules; `package` puts the folder together.
"""
