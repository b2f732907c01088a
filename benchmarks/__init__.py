"""Benchmarks against real worker processes."""
