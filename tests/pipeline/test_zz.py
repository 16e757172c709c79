from connector.store import tables as t
from tests.pipeline.acts import before, lead
from tests.pipeline.house import House
from tests.pipeline.test_human_edits import edit
def test_x(house: House) -> None:
    profile = lead(house, lifecyclestage="subscriber")
    before(house, "write", lambda: edit(house, lifecyclestage="lead"), "lifecyclestage")
    house.move(profile, 6)
    house.sync()
    for r in house.rows(t.written): print("W", r.value, r.seen, r.seen_at, r.intent_at, r.written_at, r.restored)
    for r in house.rows(t.fact, field="lifecyclestage"): print("F", r.value, r.happened_at, r.event_id, r.ours, r.learned_at)
    for r in house.rows(t.audit): print("A", r.what, r.detail, r.at)
    for r in house.rows(t.outbox): print("O", r.purpose, r.fields, r.state, r.created_at)
    assert 0
