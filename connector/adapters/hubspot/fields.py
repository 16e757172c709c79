"""HubSpot's words, as the code of this folder uses them; all else is mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.ports import Option, OwnField

GROUP = "breadbutter"
GROUP_LABEL = "Bread & Butter"

# Our word for an object -> the word in HubSpot's paths.
PATH_WORDS: Mapping[str, str] = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "lead": "leads",
    "ticket": "tickets",
    "task": "tasks",
}

# HubSpot's own association types; its page "CRM API: associations", section "type ids".
TIE_TYPES: Mapping[tuple[str, str], int] = {
    ("deal", "contact"): 3,
    ("task", "contact"): 204,
}
PRIMARY_COMPANY = 1  # of a contact
OWNER = "hubspot_owner_id"
DEAL_STAGE = "dealstage"

# HubSpot's object type ids -> our word; other ids stay as they are.
TYPE_IDS: Mapping[str, str] = {
    "0-1": "contact",
    "0-2": "company",
    "0-3": "deal",
    "0-136": "lead",
}

# The ids of the records that were merged into this one, with semicolons between them.
MERGED_IDS = "hs_merged_object_ids"

# When a record last changed; HubSpot's page "CRM API: search" names both.
_CHANGED_AT = {"contact": "lastmodifieddate"}
OBJECT_ID = "hs_object_id"

# An own field's kind -> HubSpot's type and fieldType.
FIELD_TYPES: Mapping[str, tuple[str, str]] = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "datetime": ("datetime", "date"),
    "choice": ("enumeration", "select"),
}

# Read-only whatever a portal's metadata says. Opt-outs go through the preferences API.
READ_ONLY = frozenset(
    {
        "hs_object_id",
        "hs_createdate",
        "hs_lastmodifieddate",
        "lastmodifieddate",
        "hs_email_optout",
        "days_to_close",
        "num_unique_conversion_events",
    }
)
READ_ONLY_PREFIXES = (
    "hs_email_optout_",
    "hs_object_source",
    "hs_lifecyclestage_",
    "hs_date_entered_",
    "hs_date_exited_",
    "hs_v2_date_entered_",
    "hs_v2_date_exited_",
    "hs_v2_latest_time_in_",
    "hs_v2_cumulative_time_in_",
)


def path_word(kind: str) -> str:
    """Return the word for an object in HubSpot's paths; a vendor's own word stays."""
    return PATH_WORDS.get(kind, kind)


def changed_at(kind: str) -> str:
    """Return the name of an object's change date."""
    return _CHANGED_AT.get(kind, "hs_lastmodifieddate")


def is_read_only(name: str) -> bool:
    """Say whether HubSpot never lets this field be written."""
    return name in READ_ONLY or name.startswith(READ_ONLY_PREFIXES)


def definition(own: OwnField) -> dict[str, object]:
    """Return an own field as HubSpot defines a property, without its name."""
    kind, field_type = FIELD_TYPES[own.kind]
    return {
        "label": own.label,
        "description": own.description,
        "type": kind,
        "fieldType": field_type,
        "groupName": GROUP,
        "options": [_option(option, place) for place, option in enumerate(own.options)],
        **({"hasUniqueValue": True} if own.unique else {}),
    }


def _option(option: Option, place: int) -> dict[str, object]:
    return {
        "value": option.value,
        "label": option.label,
        "displayOrder": place,
        "hidden": False,
    }


# What changes many records at once; property history sources of the CRM API's reference.
BULK_ORIGINS = frozenset({"BATCH_UPDATE", "CRM_UI_BULK_ACTION", "IMPORT"})
