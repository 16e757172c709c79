"""A twin for tests: on a free loopback port, in threads of the test process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .app import Running
from .client import Control
from .config import Config

if TYPE_CHECKING:
    from .world import World


class Twin(Control):
    """`with Twin(limit=5) as twin:` runs a portal with those settings."""

    def __init__(self, **settings: Any) -> None:
        self.config = Config()
        self.config.change(settings)
        self._running = Running(self.config)
        super().__init__(self._running.url)

    @property
    def token(self) -> str:
        """Return a bearer that always works."""
        return self.config.token

    @property
    def world(self) -> World:
        """Return the twin's insides, for what the control API does not show."""
        return self._running.world

    def close(self) -> None:
        """Stop the twin."""
        super().close()
        self._running.stop()
