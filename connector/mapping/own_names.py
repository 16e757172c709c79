"""What our own fields are called in each CRM, and how they are shown there."""

from __future__ import annotations

from collections.abc import Mapping

SLOT = "lead_slot"
SINCE = "slot_since"
PROFILE = "profile_id"
SCORE = "lead_score"
SCORE_STATE = "score_state"
REASONS = "score_reasons"
SCORED_AT = "scored_at"
LEVER = "set_slot"

NAMES: Mapping[str, Mapping[str, str]] = {
    "hubspot": {
        name: f"bnb_{name}"
        for name in (SLOT, SINCE, PROFILE, SCORE, SCORE_STATE, REASONS, SCORED_AT, LEVER)
    },
}

# What marks a deal of ours, so that it is made once. No two deals hold the same.
DEAL_KEYS: Mapping[str, str] = {"hubspot": "bnb_handoff_key"}

# Our name -> label, kind and what a rep reads about it.
SHOWN: Mapping[str, tuple[str, str, str]] = {
    SCORE: ("Lead score", "number", "1 to 10, learned from those who became Customers"),
    SCORE_STATE: ("Lead score state", "text", "How far the score can be trusted"),
    REASONS: ("Lead score reasons", "text", "What speaks for and against this lead"),
    SCORED_AT: ("Lead scored at", "datetime", "When the score was computed"),
    SLOT: ("Lead slot", "choice", "Where this lead stands in the pipeline"),
    SINCE: ("Lead slot since", "datetime", "Since when"),
    PROFILE: ("Bread & Butter profile", "text", "The profile behind this record"),
    LEVER: ("Set lead slot", "choice", "Pick a slot to move this lead by hand"),
}
