"""One edit is followed from the webhook's answer to the write in the CRM, by one id."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.conftest import SECRET, Installation, Make, wait_for

EMAIL = "ann.quillfeather@example.com"


def lines(own: Installation, event: str) -> list[dict[str, Any]]:
    """Return what the processes logged under a name."""
    own.log.flush()
    said = Path(own.log.name).read_text().splitlines()
    rows = [json.loads(line) for line in said if line.startswith("{")]
    return [row for row in rows if row["event"] == event]


def traces(own: Installation, query: str, *values: str) -> set[str]:
    """Return the traces that a query finds."""
    path = Path(own.environment["CONNECTOR_DATA_DIR"], "connector.db")
    with closing(sqlite3.connect(path, timeout=30)) as store:
        return {row[0] for row in store.execute(query, values)}


def followed(own: Installation) -> set[str]:
    """Return the traces that the lines of what was sent name."""
    said = lines(own, "writes_sent")
    return {one for line in said for one in [line.get("trace"), *line.get("traces", [])] if one}


def test_one_edit_is_followed_by_its_trace(make: Make) -> None:
    own = make({}, ["up"])
    contact = own.twin.edit("contacts", email=EMAIL, lifecyclestage="marketingqualifiedlead")
    wait_for(lambda: own.slot(contact) == "6")
    wait_for(lambda: bool(lines(own, "writes_sent")))
    kept = {line["trace"] for line in lines(own, "delivery_kept")}
    sent = traces(own, "SELECT trace FROM outbox WHERE record_id = ?", contact)

    assert sent
    assert sent <= kept
    assert sent <= traces(own, "SELECT trace FROM delivery")
    wait_for(lambda: sent <= followed(own))
    read = "SELECT trace FROM event WHERE record_id = ? AND happening = 'read'"
    wait_for(lambda: bool(traces(own, read, contact) & kept))
    said = Path(own.log.name).read_text()
    secrets = (EMAIL, SECRET, "twin-token", own.token, "marketingqualifiedlead")
    assert [word for word in secrets if word in said] == []
