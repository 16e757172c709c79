"""The platform: reads its webhooks, whatever shape their sender gives them."""

from __future__ import annotations

from connector.adapters.platform.captured import shape
from connector.adapters.platform.events import read

__all__ = ["read", "shape"]
