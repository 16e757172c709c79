from tests.pipeline.house import House
def test_smoke(either: House) -> None:
    house = either
    house.crm.create("11", email="a@x.io", lifecyclestage="lead")
    house.sync()
    assert house.slot("11") == 3
    assert house.own("11") == "3"
    house.clock.pass_(60)
    house.raise_(house.profile_of("11"), 6)
    house.sync()
    print(house.crm.calls)
    assert house.slot("11") == 6
    assert house.crm.value("11", "lifecyclestage") == "marketingqualifiedlead"
    assert house.own("11") == "6"
