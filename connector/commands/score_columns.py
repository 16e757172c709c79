"""Which of the score's columns each type of event feeds, and the platform's rule that posts it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

# The platform's rules that post our types: what an admin calls each one there.
RULES: Mapping[str, str] = {
    "page_view": "Page viewed",
    "engagement": "Engagement on a page",
    "custom": "Custom event",
    "form_submitted": "Form submitted",
    "contact_us": "Contact us sent",
    "identity_conversion": "E-mail captured",
    "verified_conversion": "Signed up",
    "authentication": "Signed in",
    "incentive_offered": "Reward shown",
    "incentive_claimed": "Reward claimed",
    "incentive_expired": "Reward expired",
    "opt_out": "Opted out",
    "deidentified": "Person de-identified",
    "stage_changed": "Lead stage changed",
}
# What each type tells besides that it happened; the scorer's columns ask for it by these names.
_TELLS: Mapping[str, frozenset[str]] = {
    "page_view": frozenset({"url", *("source", "medium", "campaign", "referrer"), "device"}),
    "custom": frozenset({"code"}),
    "form_submitted": frozenset({"form"}),
    "contact_us": frozenset({"form"}),
    "engagement": frozenset({"amount"}),
}
# What moves slots, and says nothing of the score.
_MOVES = frozenset({"incentive_expired", "opt_out", "deidentified", "stage_changed"})


def fed_by_any() -> list[str]:
    """Return the groups of columns that every event feeds, whatever it is."""
    from scorer.features import KINDS  # noqa: PLC0415 - numpy: only who asks waits for it
    from scorer.signs import SINGLE  # noqa: PLC0415

    kinds = (kind for kind in KINDS if kind not in SINGLE and kind != "amount")
    return _titles(kinds)


def fed_by(kind: str) -> list[str]:
    """Return the groups of columns that a type of event feeds besides; none where it only moves."""
    from scorer.features import ALWAYS, KINDS, group_of  # noqa: PLC0415
    from scorer.signs import SINGLE  # noqa: PLC0415

    if kind in _MOVES:
        return []
    told = _TELLS.get(kind, frozenset())
    kinds = [one for one, (column, _) in SINGLE.items() if column in told]
    kinds += ["amount"] if "amount" in told else []
    own = f"type:{kind}"
    seat = "" if own in ALWAYS else ", if many visitors have it"
    return [*_titles(one for one in KINDS if one in kinds), group_of(own) + seat]


def advice(seen: Collection[str]) -> Iterator[str]:
    """Say which rules to create in the platform for the types that never came."""
    for kind, title in RULES.items():
        if kind not in seen:
            brings = ", ".join(fed_by(kind)) or "moves slots"
            yield f"{kind} ({brings}): create a platform rule {title!r} that calls this webhook"


def _titles(kinds: Collection[str] | Iterator[str]) -> list[str]:
    """Return the names of groups, each once, without the place for a single page or code."""
    from scorer.features import KINDS  # noqa: PLC0415

    told = (KINDS[kind].group.replace("{}", "").strip(" :") for kind in kinds)
    return list(dict.fromkeys(told))
