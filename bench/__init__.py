"""Measurements that anyone can run again: `make bench` prints them as JSON."""
