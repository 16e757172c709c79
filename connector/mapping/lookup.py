"""One mapping bound to a pipeline and a portal's vocabulary: CRM words in, slots out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from connector.domain.slots import Funnel, Pipeline, Role, Slot, furthest
from connector.mapping.table import (
    Deal,
    Disposition,
    Mapping,
    Meaning,
    SlotRow,
    Vocabulary,
    plain,
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a record says at one instant."""

    lifecycle: str = ""
    status: str = ""
    deals: frozenset[Deal] = frozenset()
    companies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Answers for one version of one connection's mapping; `version` names it."""

    mapping: Mapping
    pipeline: Pipeline = field(default_factory=Pipeline)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    version: int = 1
    _asked_deals: frozenset[Deal | None] = field(init=False, repr=False, compare=False)
    _asked_companies: frozenset[str] = field(init=False, repr=False, compare=False)
    _statuses: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Gather what the rows ask about: every fact that comes in needs it."""
        rows = self.mapping.slots
        statuses = _every(row.status or () for row in rows)
        object.__setattr__(self, "_asked_deals", frozenset(row.deal for row in rows))
        object.__setattr__(self, "_asked_companies", plains(_every(r.company for r in rows)))
        object.__setattr__(self, "_statuses", plains(statuses))

    @property
    def funnel(self) -> Funnel:
        """The account's funnel order at this version."""
        return self.pipeline.funnel

    def address(self, target: Role | Slot) -> Slot:
        """Return the slot behind a role under this layout."""
        return self.pipeline.slot_of(target) if isinstance(target, Role) else target

    def slot(self, words: Words) -> Slot | None:
        """Return the slot that the first fitting row names; None changes nothing."""
        row = next((row for row in self.mapping.slots if _fits(row, words)), None)
        return None if row is None or row.target is None else self.address(row.target)

    def may_give(self, slot: Slot, connection_id: str) -> bool:
        """Say whether a connection may put people into a slot: no other CRM is its master."""
        master = self.pipeline.masters.get(slot)
        return master in {None, self.mapping.system, connection_id}

    def is_mapped_status(self, status: str) -> bool:
        """Say whether a lead status stands in the slot table."""
        return plain(status) in self._statuses

    def is_new(self, status: str, kind: str = "contact") -> bool:
        """Say whether a lead status is the one of a lead that sales has not answered yet."""
        name = self.mapping.name_of(kind, Meaning.LEAD_STATUS)
        rows = (row for row in self.mapping.outbound if self.address(row.source) is self._mql)
        given = {plain(row.lead_status.value) for row in rows if row.lead_status}
        shown = {plain(status), plain(self.vocabulary.label(kind, name, status))}
        return not status or bool(shown & (NEW | given))

    def is_touch(self, status: str, disposition: Disposition | None, kind: str) -> bool:
        """Say whether an answer of sales says more than that the lead is new."""
        return disposition is not None or not self.is_new(status, kind)

    @property
    def _mql(self) -> Slot:
        return self.pipeline.slot_of(Role.MQL)

    def asked(self, words: Words) -> Words:
        """Return only what some row asks about, so that nothing else can change a slot."""
        if not words.deals and not words.companies:
            return words
        companies = {stage for stage in words.companies if plain(stage) in self._asked_companies}
        deals = words.deals & self._asked_deals
        return replace(words, deals=deals, companies=frozenset(companies))

    def disposition(
        self, status: str, deals: Collection[Deal], kind: str = "contact"
    ) -> Disposition | None:
        """Return the disposition of a lead status (value or label) or of the deals."""
        name = self.mapping.name_of(kind, Meaning.LEAD_STATUS)
        shown = {plain(status), plain(self.vocabulary.label(kind, name, status))} - {""}
        lost = Deal.LOST in deals and not {Deal.OPEN, Deal.WON} & set(deals)
        for row in self.mapping.dispositions:
            if shown & plains(row.status) or (row.deal is Deal.LOST and lost):
                return row.disposition
        return None

    def channel(self, name: str, value: str, kind: str = "contact") -> str:
        """Return the channel that a CRM field's value opts out of, "" if none."""
        rows = self.mapping.opt_out_rows(kind)
        return next(
            (r.channel for r in rows if r.field == name and plain(r.value) == plain(value)), ""
        )

    def deal(self, stage: str) -> Deal:
        """Return how a deal in this stage stands."""
        default = self.mapping.deal_stages.get(stage, Deal.OPEN)
        return self.vocabulary.deal_stages.get(stage, default)

    def won_stages(self) -> set[str]:
        """Return the stages in which a deal is won."""
        known = {*self.mapping.deal_stages, *self.vocabulary.deal_stages}
        return {stage for stage in known if self.deal(stage) is Deal.WON}

    def targets(self) -> set[Slot]:
        """Return every slot that inbound rows send profiles to."""
        return {self.address(row.target) for row in self.mapping.slots if row.target is not None}

    @property
    def uses_company(self) -> bool:
        """Say whether any row looks at the company's stage."""
        return bool(self._asked_companies)

    def is_unmapped(self, meaning: Meaning, value: str) -> bool:
        """Say whether no row knows a lifecycle stage or lead status."""
        if not value:
            return False
        if meaning is Meaning.LIFECYCLE:
            return plain(value) not in plains(_every(row.lifecycle for row in self.mapping.slots))
        known = self.is_mapped_status(value)
        return not known and self.disposition(value, ()) is None

    def suggest(self, meaning: Meaning, value: str) -> Slot | None:
        """Guess the slot that an unmapped value's label means, None without an idea."""
        name = self.mapping.name_of("contact", meaning)
        label = plain(self.vocabulary.label("contact", name, value))
        for slot, own in self.pipeline.labels.items():
            if own and plain(own) in {label, plain(value)}:
                return slot
        guesses = [slot for hint, slot in self._hints() if hint in label]
        return furthest(self.funnel, guesses) if guesses else None

    def _hints(self) -> Iterator[tuple[str, Slot]]:
        for hint, role in _HINTS:
            slot = self.address(role)
            if not self.pipeline.is_empty(slot):
                yield hint, slot


# What CRMs call a lead that nobody has answered, as words compare: HubSpot, then Salesforce.
NEW = frozenset({"new", plain("Open - Not Contacted")})

# Parts of stage names that admins use; only ever a suggestion.
_HINTS = (
    ("marketingqualified", Role.MQL),
    ("mql", Role.MQL),
    ("salesaccepted", Role.SAL),
    ("sal", Role.SAL),
    ("salesqualified", Role.SQL),
    ("sql", Role.SQL),
    ("opportunity", Role.SQL),
    ("customer", Role.SUCCESS),
    ("client", Role.SUCCESS),
    ("partner", Role.POST_SALE),
    ("churn", Role.POST_SALE),
    ("former", Role.POST_SALE),
    ("lead", Role.QUALIFIED),
    ("subscriber", Role.QUALIFIED),
)


@lru_cache(maxsize=4096)
def plains(words: frozenset[str]) -> frozenset[str]:
    """Return words as they compare."""
    return frozenset(plain(word) for word in words)


def _every(groups: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(word for group in groups for word in group)


def _fits(row: SlotRow, words: Words) -> bool:
    return (
        (not row.lifecycle or plain(words.lifecycle) in plains(row.lifecycle))
        and (row.status is None or plain(words.status) in plains(row.status))
        and (row.deal is None or row.deal in words.deals)
        and (not row.company or bool(plains(words.companies) & plains(row.company)))
    )
