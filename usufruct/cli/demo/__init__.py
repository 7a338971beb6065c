"""`usufruct demo`: the main job, end to end, on a chain of our own; every figure at the end comes from its logs."""
