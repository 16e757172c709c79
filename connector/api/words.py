"""The words that requests and answers are made of."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

LONGEST_TEXT = 500
LONGEST_PAGE = 200
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Word = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=_PRINTABLE)]
Sentence = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT, pattern=_PRINTABLE
    ),
]
SlotNumber = Annotated[int, Field(ge=1, le=10)]


class Body(BaseModel):
    """What a caller sends; what we do not know of it is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Nothing(Body):
    """Neither parameters nor a body."""


class DryRun(Body):
    """Whether to say only what would happen."""

    dry_run: bool = False


class ListQuery(Body):
    """Which part of a list to return: `cursor` is the `next_cursor` of the page before."""

    cursor: Word = ""
    limit: int = Field(default=50, ge=1, le=LONGEST_PAGE)


class Answer(BaseModel):
    """What we answer with."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class Document(RootModel[dict[str, object]]):
    """A configuration as a plain JSON object."""


class Problem(Answer):
    """What went wrong (RFC 9457); `faults` names each thing wrong with what was sent."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: list[str] | None = None
