"""The processes: web, worker, clock, the embedded Valkey, and the supervisor of them all."""
