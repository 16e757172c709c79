"""One twin, put together: portal, tokens, limits, faults and the webhook sender."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

from flask import current_app, g

from . import derived
from .faults import API_FAULTS, Faults
from .limits import Limits
from .portal import Portal
from .tokens import Tokens
from .webhooks import Sender

if TYPE_CHECKING:
    from .config import Config
    from .records import Source
    from .shapes import Json


class World:
    """Everything that one running twin is made of."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._initial = copy.deepcopy(config)
        self.sender = Sender(config)
        self.portal = Portal(config, self.sender.tell, derived.follow)
        self.tokens = Tokens(config)
        self.limits = Limits(config)
        self.faults = Faults(API_FAULTS)
        self.calls: list[Json] = []
        self.stopping = threading.Event()

    def reset(self) -> None:
        """Go back to how it was started."""
        self.config.change(copy.deepcopy(vars(self._initial)))
        with self.portal.lock:
            self.portal.reset()
        self.sender.reset()
        self.tokens.reset()
        self.limits.reset()
        self.faults.clear()
        self.calls.clear()


def world() -> World:
    """Return the twin that serves this request."""
    found: World = current_app.extensions["twin"]
    return found


def portal() -> Portal:
    """Return the portal of this request."""
    return world().portal


def caller() -> Source:
    """Return the app that makes this call."""
    found: Source = g.source
    return found
