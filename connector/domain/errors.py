"""Every error of the product, in one tree.

ConnectorError
|-- Refused                 the caller asked for something that is not allowed
|   |-- ConfigurationRefused    every fault of a configuration, named
|   |-- MoveRefused             a move the pipeline does not allow
|   |-- NotFound                no such row in this account
|   `-- Unauthorized            no or wrong credentials
|-- DeliveryRefused         a webhook that is not authentic, too old or too big
|-- Unreadable              authentic input that makes no sense: it is parked
|-- StoreBusy               the database is locked or full: try again
|-- LeaseLost               another process works here now: stop
`-- CrmError                a call to a CRM failed
    |-- CrmBusy                 rate limit or lock: wait `retry_in` seconds
    |-- CrmDown                 network, 5xx or an answer that makes no sense
    |-- CrmRefused              this request will never succeed as it is
    |-- CrmDenied               a scope is missing: an admin has to act
    `-- CrmRevoked              the credentials are dead: an admin has to reconnect
"""

from __future__ import annotations

from collections.abc import Sequence


class ConnectorError(Exception):
    """Base of all errors; `advice` says what to do next, `retry_in` when to try again."""

    advice: str = ""
    retry_in: float | None = None

    def __init__(self, message: str, *, advice: str = "", retry_in: float | None = None) -> None:
        super().__init__(message)
        self.advice = advice or self.advice
        self.retry_in = retry_in if retry_in is not None else self.retry_in

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; {self.advice}" if self.advice else text


class Refused(ConnectorError):
    """The caller asked for something that is not allowed."""


class ConfigurationRefused(Refused):
    """A configuration that was not saved; `faults` names everything wrong with it."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class MoveRefused(Refused):
    """A move that the pipeline does not allow."""


class NotFound(Refused):
    """No such row in this account."""


class Unauthorized(Refused):
    """No or wrong credentials."""


class DeliveryRefused(ConnectorError):
    """A webhook that is not authentic, too old or too big; `status` is the HTTP answer."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreadable(ConnectorError):
    """Authentic input that makes no sense: it is parked with this reason."""


class StoreBusy(ConnectorError):
    """The database is locked or full."""

    advice = "try again in a moment; if it lasts, check the disk and the database"
    retry_in = 2.0


class LeaseLost(ConnectorError):
    """Another process holds the lease now; what was not committed is dropped."""

    retry_in = 0.5


class CrmError(ConnectorError):
    """A call to a CRM failed."""


class CrmBusy(CrmError):
    """The CRM asked us to wait."""

    retry_in = 10.0


class CrmDown(CrmError):
    """The CRM did not answer, or not in a way that makes sense."""

    retry_in = 1.0


class CrmRefused(CrmError):
    """The CRM says this request will never succeed as it is."""

    def __init__(self, message: str, *, status: int = 400, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.status = status


class CrmDenied(CrmError):
    """A permission is missing."""

    advice = "grant the missing scope to the app in the CRM, then run `connector replay`"


class CrmRevoked(CrmError):
    """The credentials no longer work."""

    advice = "connect the CRM again with `connector connect`"
