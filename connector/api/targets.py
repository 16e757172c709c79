"""Where a connection's moves are told, as an admin sets it."""

from connector.api.routes import Call, Route
from connector.api.words import Answer, Body, Nothing, Word
from connector.pipeline import notifying


class TargetBody(Body):
    """The address; a secret of the admin's own, and whether bulk changes are told too."""

    url: Word
    secret: Word = ""
    silent: bool = False


class TargetAnswer(Answer):
    """Where moves are told, and how many wait or were put aside; never with the secret."""

    connection_id: str
    url: str
    silent: bool
    pending: int
    parked: int


class AimedAnswer(Answer):
    """A target that was set, with the secret that the receiver checks signatures with."""

    connection_id: str
    url: str
    silent: bool
    secret: str


class GoneAnswer(Answer):
    """A target that is no more."""

    connection_id: str


def get_target(call: Call[Nothing, Nothing]) -> TargetAnswer:
    """Return where a connection's moves are told."""
    target, counts = notifying.aimed(call.services, call.connection())
    return TargetAnswer(
        connection_id=target.connection_id,
        url=target.url,
        silent=target.silent,
        pending=counts.get("pending", 0),
        parked=counts.get("parked", 0),
    )


def put_target(call: Call[Nothing, TargetBody]) -> AimedAnswer:
    """Set where a connection's moves are told; what was put aside is tried again."""
    told = call.body
    connection = call.connection()
    target = notifying.aim(call.services, connection, told.url, told.secret, silent=told.silent)
    return AimedAnswer(
        connection_id=target.connection_id,
        url=target.url,
        silent=target.silent,
        secret=target.secret,
    )


def delete_target(call: Call[Nothing, Nothing]) -> GoneAnswer:
    """Tell a connection's moves nobody any more."""
    connection = call.connection()
    notifying.unaim(call.services, connection)
    return GoneAnswer(connection_id=connection.id)


ONE = "/connections/{connection_id}/target"
ROUTES = (
    Route("GET", ONE, "See where moves are told", get_target, TargetAnswer, refusals=(404,)),
    Route(
        "PUT",
        ONE,
        "Set where moves are told",
        put_target,
        AimedAnswer,
        body=TargetBody,
        refusals=(404,),
    ),
    Route("DELETE", ONE, "Tell moves nobody", delete_target, GoneAnswer, refusals=(404,)),
)
