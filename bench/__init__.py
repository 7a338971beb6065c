"""Benchmarks: each measures us and the peers in one run and writes build/bench-<name>.json."""
