"""The garbage collector in a process that serves."""

import gc

_YOUNG = 20_000
"""Objects made and not freed before the collector looks at the young ones; Python's own number is 700."""


def spare_collector() -> None:
    """Let the collector pass over all that is there now, and look less often at what comes.

    Modules and settings stay for the process's life. A call makes few cycles, and most of its objects are freed when
    it ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
