"""Answers as callers get them: decoded when they are looked at, and not before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, Union, overload

from ray_router import errors
from ray_router.core.ladder import fits
from ray_router.core.operations import Answer, Answers, Refused, Resolve
from ray_router.core.record import RecordFormat
from ray_router.errors import DeadlineExceededError, InvalidInputError, PartitionUnavailableError
from ray_router.handle.promise import Failure, FailureKind
from ray_router.model import (
    Confidence,
    FallbackReason,
    Resolution,
    ResolutionSource,
    Route,
    Scope,
    SessionKey,
)

Item = Union[str, Answer, Refused]


class Share(NamedTuple):
    """What one partition said to its share of a resolve: its answers, or why there are none.

    ``positions``: where its keys stood in the submission; None when all of them were its own.
    ``standby``: it is not their owner.
    """

    partition: int
    positions: Sequence[int] | None
    answers: Answers | Failure
    standby: bool = False


class AnswerTerms(NamedTuple):
    """What it takes to read answers: what was wished, and what is known of the router."""

    wishes: Resolve
    epoch: int
    records: RecordFormat


class Resolutions(Sequence[Resolution]):
    """The answers for many keys, in the order asked. Each is decoded when it is looked at.

    Args:
        keys: what was asked for, as the caller wrote it.
        shares: what each partition said.

    Raises:
        InvalidInputError: a partition refused the input.
    """

    __slots__ = ("_items", "_keys", "_share_of", "_shares", "_terms")

    def __init__(self, keys: Sequence[SessionKey | str], shares: Sequence[Share], terms: AnswerTerms) -> None:
        self._keys = keys
        self._terms = terms
        self._shares = shares
        self._share_of: list[int] | None = None
        if len(shares) == 1:
            self._items = _items_of(shares[0], len(keys))
            return
        self._items = [None] * len(keys)
        self._share_of = [0] * len(keys)
        for number, share in enumerate(shares):
            positions = share.positions or ()
            for position, item in zip(positions, _items_of(share, len(positions)), strict=True):
                self._items[position] = item
                self._share_of[position] = number

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Resolution: ...
    @overload
    def __getitem__(self, index: slice) -> list[Resolution]: ...
    def __getitem__(self, index: int | slice) -> Resolution | list[Resolution]:
        if isinstance(index, slice):
            return [self._resolution(position) for position in range(*index.indices(len(self)))]
        return self._resolution(range(len(self))[index])

    def __iter__(self) -> Iterator[Resolution]:
        return map(self._resolution, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Resolutions | list | tuple):
            return len(self) == len(other) and all(
                ours == theirs for ours, theirs in zip(self, other, strict=True)
            )
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a sequence with equality, like a list

    def __repr__(self) -> str:
        return f"<{len(self)} resolutions>"

    def _repr_html_(self) -> str:
        from ray_router.model.html.answers import resolutions_html

        return resolutions_html(self)

    def routes(self) -> list[Route | None]:
        """The routes alone, which is what reading everything costs least."""
        return [self._route(item, position) for position, item in enumerate(self._items)]

    def _route(self, item: Item | None, position: int) -> Route | None:
        if type(item) is str:
            return Route.from_text(RecordFormat.route(item))
        return self._resolution(position).route

    def _resolution(self, position: int) -> Resolution:
        share = self._shares[0 if self._share_of is None else self._share_of[position]]
        return resolution(self._keys[position], self._items[position], share, self._terms)


def resolution(key: SessionKey | str, item: Item | None, share: Share, terms: AnswerTerms) -> Resolution:
    """One answer, with its key."""
    answers = share.answers
    if type(item) is str and type(answers) is Answers:
        return exact_resolution(key, item, answers.now, share.partition, share.standby, terms)
    its_key = named(key)
    if isinstance(answers, Failure):
        answer = _fallback(str(its_key), answers, terms.wishes)
    else:
        assert isinstance(item, Answer)
        answer = item
    return answered(its_key, answer, share, terms)


def answered(key: SessionKey, answer: Answer, share: Share, terms: AnswerTerms) -> Resolution:
    """A partition's answer, with its key."""
    return Resolution(
        key,
        None if answer.route is None else Route.from_text(answer.route),
        answer.source,
        answer.reason,
        answer.stale,
        answer.confidence,
        answer.matched_scope,
        answer.age_s,
        answer.expires_in_s,
        share.partition,
        terms.epoch,
        share.standby,
    )


def named(key: SessionKey | str) -> SessionKey:
    """The key itself, whichever way the caller wrote it."""
    return key if isinstance(key, SessionKey) else SessionKey.parse(key)


def exact_resolution(
    key: SessionKey | str, record: str, now: float, partition: int, standby: bool, terms: AnswerTerms
) -> Resolution:
    """What a record says of its own session, while it is fresh: what the ladder would say of it.

    It is read when it is looked at, and until then keeps nothing of the batch but its own.
    """
    return Resolution.unread(partial(_read, key, record, now, partition, standby, terms))


def _read(
    key: SessionKey | str,
    record: str,
    now: float,
    partition: int,
    standby: bool,
    terms: AnswerTerms,
    resolution: Resolution,
    field: str,
) -> None:
    if field == "route":
        resolution.fill_in("route", Route.from_text(RecordFormat.route(record)))
    elif field == "key":
        resolution.fill_in("key", named(key))
    else:
        observed_at, ttl_s, _, confirmed_at, _ = terms.records.read(record)
        confirmed = now <= confirmed_at + ttl_s
        expires_at = max(observed_at, confirmed_at) + ttl_s
        resolution.fill_in_rest(
            ResolutionSource.EXACT,
            None,
            False,
            Confidence.CONFIRMED if confirmed else Confidence.OBSERVED,
            Scope.ROOM if named(key).thread is None else Scope.THREAD,
            max(0.0, now - observed_at),
            expires_at - now,
            partition,
            terms.epoch,
            standby,
        )


def only_resolution(key: SessionKey | str, share: Share, terms: AnswerTerms) -> Resolution:
    """The answer for one key.

    Raises:
        InvalidInputError: the partition refused the input.
        PartitionUnavailableError, DeadlineExceededError: no answer, and no fallback that would do.
    """
    answer = resolution(key, _items_of(share, 1)[0], share, terms)
    if not answer and isinstance(share.answers, Failure):
        raise unanswered(share.partition, share.answers)
    return answer


def refusal(refused: Refused) -> InvalidInputError:
    """The error that a refusal stands for."""
    kind = getattr(errors, refused.kind, InvalidInputError)
    error = kind(refused.field, refused.problem)
    assert isinstance(error, InvalidInputError)
    return error


def unanswered(partition: int, failure: Failure) -> errors.RouterError:
    """The error for a partition that gave no answer."""
    if failure.kind is FailureKind.DEADLINE:
        return DeadlineExceededError(f"partition {partition}: {failure.problem}")
    return PartitionUnavailableError(partition, failure.problem)


def _items_of(share: Share, count: int) -> list[Item | None]:
    if isinstance(share.answers, Failure):
        return [None] * count
    items = share.answers.items
    for kind in set(map(type, items)):
        if kind is Refused:
            raise refusal(next(item for item in items if isinstance(item, Refused)))
    return items  # type: ignore[return-value]  # of a sequence that nobody else holds


def _fallback(key: str, failure: Failure, wishes: Resolve) -> Answer:
    """What can be answered without the partition: the first fallback that fits, if that is sure enough."""
    overloaded = failure.kind is FailureKind.OVERLOADED
    reason = FallbackReason.OVERLOADED if overloaded else FallbackReason.UNAVAILABLE
    sure_enough = wishes.min_confidence <= Confidence.PROVIDED
    route = next((each for each in wishes.fallbacks if sure_enough and fits(each, key)), None)
    if route is None:
        return Answer(None, ResolutionSource.NONE, reason, False, Confidence.NONE)
    return Answer(route, ResolutionSource.PROVIDED, reason, False, Confidence.PROVIDED)
