"""Everything that can be set on a portal, when it starts or while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shapes import Json


def _short_retries() -> list[float]:
    return [0.2, 0.4, 0.8, 1.5, 3.0, 5.0, 8.0, 10.0, 10.0, 10.0]


@dataclass
class Config:
    """The settings of one portal and of the app installed in it."""

    portal_id: int = 4242
    app_id: int = 1001
    app_name: str = "Twin app"
    client_id: str = "twin-client"
    client_secret: str = "twin-secret"
    token: str = "twin-token"
    refresh_token: str = "twin-refresh"
    tokens: dict[str, int] = field(default_factory=dict)
    """More bearers, each with the id of its app: how another integration is played."""
    token_seconds: float = 1800
    missing_scopes: list[str] = field(default_factory=list)
    time_zone: str = "US/Eastern"

    limit: int = 110
    """Calls per window; 110 per 10 s is what a public OAuth app gets per account (section 6)."""
    limit_seconds: float = 10.0
    search_limit: int = 5
    daily_limit: int = 0
    """0: no daily limit and no daily headers, as for OAuth apps (section 6)."""
    index_lag_seconds: float = 0.0
    clock_offset_ms: int = 0

    target: str = ""
    signed_url: str = ""
    """The URL that goes into the v3 signature; empty: the target itself."""
    signatures: list[str] = field(default_factory=lambda: ["v1", "v3"])
    signature_offset_ms: int = 0
    target_down: bool = False
    collect_seconds: float = 0.05
    webhook_timeout: float = 5.0
    retry_delays: list[float] = field(default_factory=_short_retries)
    """Seconds before each retry; HubSpot makes up to ten within 24 hours (section 1.3)."""
    concurrency: int = 10

    event_forms: list[str] = field(default_factory=lambda: ["classic"])
    """"classic" sends contact.*, "generic" sends object.* with objectTypeId (section 1.2)."""
    event_types: list[str] | None = None
    """Which actions are subscribed ("creation", "contact.merge", ...); null: all."""
    event_properties: dict[str, list[str]] | None = None
    """Which properties are subscribed, per object; null: every one that people can edit."""
    epoch_dates_in_events: bool = True
    association_object_id: bool = False

    default_lifecycle: str = "lead"
    deal_won_makes_customers: bool = False
    deal_created_makes_opportunities: bool = False
    company_stage_reaches_contacts: bool = False
    merge_makes_new_id: bool = False
    unique_conflict_status: int = 409
    """How a unique value that another record holds is refused; 400 has been seen too."""
    ui_back_clears_first: bool = False
    required_properties: dict[str, list[str]] = field(default_factory=dict)
    """Admin validation rules, enforced on writes by 2026-09 paths and later (section 0)."""

    def change(self, wanted: Json) -> None:
        """Set some settings by name; KeyError names one that does not exist."""
        known = {item.name for item in fields(self)}
        for name in wanted:
            if name not in known:
                raise KeyError(name)
        for name, value in wanted.items():
            setattr(self, name, value)
