"""Measurements that anyone can run again: `make bench`. docs/benchmarks.md is made from them."""
