"""Which systems there are, and which of them are CRMs: those hold records that we call for."""

from __future__ import annotations

PLATFORM = "platform"
CRMS = frozenset({"hubspot", "salesforce"})
