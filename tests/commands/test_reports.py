from __future__ import annotations

from typing import TYPE_CHECKING

from connector import bootstrap
from connector.domain.slots import Slot
from connector.pipeline.moving import move

if TYPE_CHECKING:
    from tests.commands.conftest import Shell


def test_reports_are_read_as_a_table_as_json_and_as_csv(
    shell: Shell, connection: str, profile: str
) -> None:
    services = bootstrap.services()
    with services.store.reading() as unit:
        account_id = unit.connection(connection).account_id
    move(services, account_id, profile, Slot.SIXTH, "by hand")

    [row] = shell.ask("report", "feedback", "--by", "rule")["items"]
    assert (row["key"], row["mql"], row["sql"]) == ("person", 1, 0)
    assert shell.run("report", "feedback", "--by", "rule", "--csv").output.startswith("key,mql,")
    assert shell.ask("report", "funnel")["items"][5]["profiles"] == 1
    assert "from" in shell.refusal("report", "feedback", "--from", "soon")


def test_a_target_belongs_to_the_platform(shell: Shell, connection: str) -> None:
    assert "told nowhere" in shell.refusal("target", connection)
    assert "platform only" in shell.refusal("target", connection, "--url", "https://x.example/")
