"""`make bench-index`: the index engine beside vectorbt, bt, a bare loop and hmmlearn."""
