"""What a fresh portal has: object types, properties, owners and pipelines, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .shapes import Json


class ObjectType(NamedTuple):
    """One CRM object type, by each name the API calls it."""

    plural: str
    singular: str
    type_id: str
    shown: tuple[str, ...]
    modified: str


OBJECT_TYPES = {
    row.plural: row
    for row in (
        ObjectType(
            "contacts", "contact", "0-1", ("email", "firstname", "lastname"), "lastmodifieddate"
        ),
        ObjectType("companies", "company", "0-2", ("name", "domain"), "hs_lastmodifieddate"),
        ObjectType(
            "deals",
            "deal",
            "0-3",
            ("amount", "closedate", "dealname", "dealstage", "pipeline"),
            "hs_lastmodifieddate",
        ),
        ObjectType("tasks", "task", "0-27", ("hs_task_subject",), "hs_lastmodifieddate"),
        ObjectType("notes", "note", "0-46", ("hs_note_body",), "hs_lastmodifieddate"),
        ObjectType("leads", "lead", "0-136", ("hs_lead_name",), "hs_lastmodifieddate"),
    )
}
"""`shown` comes without being asked for; `modified` is the name of the modified time (2.2)."""

ALIASES = {
    name: row.plural
    for row in OBJECT_TYPES.values()
    for name in (row.plural, row.singular, row.type_id)
}

# lifecyclestage, in HubSpot's order (section 3; knowledge base "Use contact lifecycle stages").
LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
LEAD_STATUS = (
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
)
YES_NO = (("true", "Yes"), ("false", "No"))
TASK_STATUS = (
    ("NOT_STARTED", "Not started"),
    ("IN_PROGRESS", "In progress"),
    ("COMPLETED", "Completed"),
    ("WAITING", "Waiting"),
    ("DEFERRED", "Deferred"),
)
TASK_TYPE = (("TODO", "To-do"), ("CALL", "Call"), ("EMAIL", "Email"))
TASK_PRIORITY = (("NONE", "None"), ("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"))

# Default deal stages and the probability each carries (section 2.5); 1.0 is won, 0.0 lost.
DEAL_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)

_OPTIONS = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": LEAD_STATUS,
    "hs_task_status": TASK_STATUS,
    "hs_task_type": TASK_TYPE,
    "hs_task_priority": TASK_PRIORITY,
}

# name:type, "!" at the end for read-only. Types are those of section 2.5.
_EVERYWHERE = """
hs_object_id:number! hs_createdate:datetime! hubspot_owner_id:enumeration
hubspot_owner_assigneddate:datetime! hs_object_source:string! hs_object_source_id:string!
hs_object_source_label:string! hs_merged_object_ids:string!
"""
_PEOPLE = """
lifecyclestage:enumeration hs_lead_status:enumeration phone:string city:string state:string
zip:string country:string address:string website:string closedate:datetime createdate:datetime!
hs_analytics_source:string! hs_latest_source:string! notes_last_contacted:datetime!
notes_last_updated:datetime! num_associated_deals:number! num_notes:number!
num_contacted_notes:number!
hs_last_sales_activity_timestamp:datetime! days_to_close:number! hs_pipeline:string
"""
_BY_TYPE = {
    "contacts": _PEOPLE
    + """
email:string firstname:string lastname:string company:string jobtitle:string
mobilephone:string salutation:string message:string hs_language:string industry:string
lastmodifieddate:datetime! hs_additional_emails:string hs_email_optout:bool!
hs_email_optout_1001:bool! hs_email_optout_1002:bool! associatedcompanyid:number!
hs_all_contact_vids:string! num_unique_conversion_events:number!
hs_sales_email_last_replied:datetime! hs_email_domain:string!
""",
    "companies": _PEOPLE
    + """
name:string domain:string industry:string numberofemployees:number annualrevenue:number
description:string hs_lastmodifieddate:datetime! num_associated_contacts:number!
""",
    "deals": """
dealname:string dealstage:enumeration pipeline:enumeration amount:number closedate:datetime
dealtype:string description:string closed_lost_reason:string closed_won_reason:string
createdate:datetime! hs_lastmodifieddate:datetime! hs_is_closed:bool! hs_is_closed_won:bool!
""",
    "tasks": """
hs_task_subject:string hs_task_body:string hs_timestamp:datetime hs_task_status:enumeration
hs_task_type:enumeration hs_task_priority:enumeration hs_lastmodifieddate:datetime!
""",
    "notes": "hs_note_body:string hs_timestamp:datetime hs_lastmodifieddate:datetime!",
    "leads": """
hs_lead_name:string hs_lead_type:string hs_lead_label:string hs_pipeline:string
hs_pipeline_stage:string hs_lastmodifieddate:datetime!
""",
}
_GROUPS = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
    "tasks": "taskinformation",
    "notes": "noteinformation",
    "leads": "leadinformation",
}
_FIELDS = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "date": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
}


def options(rows: tuple[tuple[str, str], ...]) -> list[Json]:
    """Write (value, label) rows as property options."""
    return [
        {"value": value, "label": label, "displayOrder": place, "hidden": False}
        for place, (value, label) in enumerate(rows)
    ]


def definition(name: str, kind: str, group: str, *, read_only: bool = False) -> Json:
    """Write one HubSpot-defined property."""
    rows = _OPTIONS.get(name, YES_NO if kind == "bool" else ())
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").title(),
        "description": "",
        "type": kind,
        "fieldType": _FIELDS[kind],
        "groupName": group,
        "options": options(rows),
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": kind == "enumeration" and not rows,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "formField": not read_only,
        "dataSensitivity": "non_sensitive",
        "archived": False,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyOptions": False,
            "readOnlyValue": read_only,
        },
    }


def default_properties(object_type: str) -> dict[str, Json]:
    """Return the properties that HubSpot defines on an object, by name."""
    group = _GROUPS[object_type]
    found: dict[str, Json] = {}
    for word in (_EVERYWHERE + _BY_TYPE[object_type]).split():
        name, kind = word.rstrip("!").split(":")
        found[name] = definition(name, kind, group, read_only=word.endswith("!"))
    for name in stage_dates(object_type):
        found[name] = definition(name, "datetime", group, read_only=True)
    return found


def stage_dates(object_type: str) -> list[str]:
    """Name the read-only dates of the default stages (section 3, "Stage dates")."""
    if object_type == "deals":
        return [f"hs_v2_date_entered_{stage}" for stage, *_ in DEAL_STAGES]
    if object_type not in {"contacts", "companies"}:
        return []
    new = [f"hs_v2_date_entered_{stage}" for stage, _ in LIFECYCLE]
    return new + [f"hs_lifecyclestage_{stage}_date" for stage, _ in LIFECYCLE]


def default_group(object_type: str) -> Json:
    """Return the property group that every object starts with."""
    name = _GROUPS[object_type]
    label = f"{OBJECT_TYPES[object_type].singular.title()} information"
    return {"name": name, "label": label, "displayOrder": 0, "archived": False}


def deal_pipeline() -> Json:
    """Return the default sales pipeline."""
    return {
        "id": "default",
        "label": "Sales Pipeline",
        "displayOrder": 0,
        "stages": [
            {
                "id": stage,
                "label": label,
                "displayOrder": place,
                "metadata": {
                    "isClosed": "true" if chance in {"1.0", "0.0"} else "false",
                    "probability": chance,
                },
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                "archived": False,
            }
            for place, (stage, label, chance) in enumerate(DEAL_STAGES)
        ],
        "archived": False,
    }


def lifecycle_pipeline(stages: list[Json]) -> Json:
    """Show the lifecycle options as the contact pipeline of the Pipelines API (section 3)."""
    return {
        "id": "contacts-lifecycle-pipeline",
        "label": "Lifecycle Stage Pipeline",
        "displayOrder": 0,
        "stages": [
            {
                "id": stage["value"],
                "label": stage["label"],
                "displayOrder": stage.get("displayOrder", -1),
                "metadata": {},
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                "archived": False,
            }
            for stage in stages
        ],
        "archived": False,
    }


def default_owners() -> list[Json]:
    """Return two people; an owner's id is not the user's id (section 2.5)."""
    people = (
        ("71001", 9001, "ada@owners.example", "Ada", "Rep", "PERSON"),
        ("71002", 9002, "bob@owners.example", "Bob", "Rep", "PERSON"),
    )
    return [
        {
            "id": owner,
            "userId": user,
            "userIdIncludingInactive": user,
            "email": email,
            "firstName": first,
            "lastName": last,
            "type": kind,
            "teams": [],
            "archived": False,
        }
        for owner, user, email, first, last, kind in people
    ]


SUBSCRIPTION_TYPES = (("1001", "Marketing Information"), ("1002", "One to One"))
"""Communication Preferences definitions; each has an hs_email_optout_{id} property."""
