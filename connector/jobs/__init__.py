"""RQ entry points: ids in, a few lines each."""
