"""`connector demo`: the whole product beside a HubSpot twin, and a story played through them."""
