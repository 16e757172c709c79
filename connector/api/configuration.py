"""The pipeline and the mappings: read, checked, kept."""

from datetime import datetime

from pydantic import Field

from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, Body, Document, ListQuery, Nothing, Page
from connector.domain.errors import ConfigurationRefused
from connector.mapping.pipelines import dump_pipeline, parse_pipeline
from connector.pipeline import configuring, documents

_SWITCHES = ("dry_run", "reevaluate")


class MappingQuery(Body):
    """Whether only to look, and whether what is known already may move."""

    dry_run: bool = False
    reevaluate: bool = False


class WouldMove(Answer):
    """A profile that a mapping puts somewhere else."""

    profile_id: str
    start: int | None = Field(serialization_alias="from")
    to: int | None


class MappingSaved(Answer):
    """The version that counts now, and who would move (who did, where a batch is named)."""

    version: int
    would_move: int
    items: list[WouldMove]
    batch_id: str | None


class UnmappedAnswer(Answer):
    """A value that no row of the mapping knows; `suggestion` is a slot."""

    field: str
    value: str
    label: str
    records: int
    suggestion: int | None


class Unmapped(Page[UnmappedAnswer]):
    """A page of unmapped values, the most frequent first."""


def get_pipeline(call: Call[Nothing, Nothing]) -> Document:
    """Return the account's pipeline."""
    return Document(dump_pipeline(call.account.pipeline))


def put_pipeline(call: Call[Nothing, Document]) -> Document:
    """Keep a pipeline; what the document leaves out stays as it is."""
    wanted = parse_pipeline(call.body.root, call.account.pipeline)
    return Document(
        dump_pipeline(configuring.save_pipeline(call.services, call.account.id, wanted))
    )


def get_mapping(call: Call[Nothing, Nothing]) -> Document:
    """Return a connection's current mapping, of the platform how its bodies are read."""
    return Document(documents.current(call.services, call.connection()))


def put_mapping(call: Call[MappingQuery, Document]) -> MappingSaved:
    """Keep a mapping, the plain document or {"mapping", "reevaluate", "dry_run"}."""
    connection = call.connection()
    document, switches = _opened(call.body.root)
    told = documents.save(
        call.services,
        connection,
        document,
        dry_run=call.query.dry_run or "dry_run" in switches,
        reevaluate=call.query.reevaluate or "reevaluate" in switches,
    )
    items = [
        WouldMove(profile_id=one["profile_id"], start=one["from"], to=one["to"])
        for one in told["items"]
    ]
    return MappingSaved(**{**told, "items": items})


def _opened(sent: dict[str, object]) -> tuple[object, set[str]]:
    """Return the mapping in a body, and which switches are on."""
    if "mapping" not in sent:
        return sent, set()
    wrong = [name for name in _SWITCHES if not isinstance(sent.get(name, False), bool)]
    if wrong:
        raise ConfigurationRefused([f"{name}: must be true or false" for name in wrong])
    return sent["mapping"], {name for name in _SWITCHES if sent.get(name)}


def list_unmapped(call: Call[ListQuery, Nothing]) -> Unmapped:
    """Return the values that records hold and no row knows."""
    connection = call.connection()
    rows = configuring.unmapped(call.services, call.account.id, connection.id)
    page, after = sliced(rows, call.query)
    return Unmapped(items=[UnmappedAnswer(**row) for row in page], next_cursor=after)


class CapturedBody(Answer):
    """What a body of the platform looked like: keys and shapes, and no values of anybody's."""

    id: int
    received_at: datetime
    body: object


class CapturedBodies(Page[CapturedBody]):
    """The last bodies, the newest first."""


def list_captured(call: Call[ListQuery, Nothing]) -> CapturedBodies:
    """Return the bodies that came while the mapping said `capture`."""
    connection = call.connection()
    with call.services.store.reading() as unit:
        rows = unit.wordings.captured(connection.id)
    page, after = sliced(rows, call.query)
    items = [CapturedBody(id=one.id, received_at=one.received_at, body=one.shape) for one in page]
    return CapturedBodies(items=items, next_cursor=after)


ONE = "/connections/{connection_id}"
ROUTES = (
    Route("GET", "/pipeline", "Get the pipeline", get_pipeline, Document),
    Route("PUT", "/pipeline", "Change the pipeline", put_pipeline, Document, body=Document),
    Route("GET", f"{ONE}/mapping", "Get a mapping", get_mapping, Document, refusals=(404,)),
    Route(
        "PUT",
        f"{ONE}/mapping",
        "Change a mapping",
        put_mapping,
        MappingSaved,
        MappingQuery,
        Document,
        refusals=(404,),
    ),
    Route(
        "GET",
        f"{ONE}/captured",
        "List what the platform's last bodies looked like",
        list_captured,
        CapturedBodies,
        ListQuery,
        refusals=(404,),
    ),
    Route(
        "GET",
        f"{ONE}/unmapped",
        "List values that no row of the mapping knows",
        list_unmapped,
        Unmapped,
        ListQuery,
        refusals=(404, 409),
    ),
)
