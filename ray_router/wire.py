"""The wire format: batches and responses as bytes, MessagePack arrays of plain values, version 1.

::

    batch     [version, epoch, fingerprint, incarnation, waited_s, [group, ...]]
              and, where calls are traced, one more: [traceparent, ...]
    group     [now, [operation, ...]] or, with flags: 1 copy, 2 astray, [now, [operation, ...], flags]
    operation [code, field, ...]                     fields as in ``core.operations``, in order
    response  [version, epoch, incarnation, service_s, [[result, ...], ...]]
              and, once a partition was restarted, one more: {partition: incarnation}
    result    true | false | nil | [code, field, ...]

The keys of a ``Resolve`` travel as one text, joined by newlines, and its answers, where all are records
(see ``core.record``), as one text too: nothing is packed or unpacked for each key, and an answer costs
nothing until it is read. Golden vectors pin the format in the tests. Whoever reads a version that it does
not know says so and reads no further. Reading executes nothing and is bounded by the size of its input;
what the fields hold is checked by ``core.admission``, as if it had never travelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgpack

from ray_router.core.operations import (
    USUAL_WISHES,
    Answer,
    Answers,
    Considered,
    Delete,
    Elsewhere,
    Explain,
    Explained,
    Get,
    Group,
    Look,
    Moved,
    Operation,
    Refused,
    Report,
    Resolve,
    Result,
    Set,
    Written,
)
from ray_router.core.record import BETWEEN
from ray_router.errors import InvalidCallError
from ray_router.model import (
    Confidence,
    FallbackReason,
    Freshness,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
    Verdict,
)

VERSION = 1
_BETWEEN_KEYS = "\n"

_OPERATIONS: dict[int, type[Any]] = dict(enumerate((Resolve, Set, Get, Delete, Report, Explain)))
_CODES = {kind: code for code, kind in _OPERATIONS.items()}
_WRITTEN, _ANSWERS, _RECORDS, _LOOK, _REFUSED, _REPORTED, _ELSEWHERE, _EXPLAINED, _MOVED = range(9)


class Batch(NamedTuple):
    """One call to one partition: what several submissions ask, and what the sender knows.

    Args:
        epoch: that of the decree of who owns what by which the sender goes.
        fingerprint: of the config that the sender knows.
        incarnation: the life of the actor that the sender last heard from, 0 for none yet: an earlier
            life that reads it knows that it has been replaced.
        waited_s: how long the sender's last call waited in front of the partition; None: not known.
        traceparents: of the spans that record the calls in it (https://www.w3.org/TR/trace-context/).
    """

    epoch: int
    fingerprint: int
    incarnation: int
    groups: Sequence[Group]
    waited_s: float | None = None
    traceparents: Sequence[str] = ()


class Question(NamedTuple):
    """A batch that asks for the routes of some keys, wishes nothing, and does nothing else: most do."""

    epoch: int
    fingerprint: int
    incarnation: int
    waited_s: float | None
    keys: tuple[str, ...]

    def as_batch(self) -> Batch:
        """The same in general terms."""
        group = Group((Resolve(self.keys),))
        return Batch(self.epoch, self.fingerprint, self.incarnation, [group], self.waited_s)


class Response(NamedTuple):
    """A partition's answer to a batch: results group by group, and what it did to get them.

    ``lives``: the incarnations of those partitions that it knows to have been born more than once.
    """

    epoch: int
    incarnation: int
    service_s: float
    results: Sequence[Sequence[Result]]
    lives: Mapping[int, int] = {}


def pack_batch(batch: Batch) -> bytes:
    """A batch as bytes."""
    groups = [_pack_group(group) for group in batch.groups]
    message = (VERSION, batch.epoch, batch.fingerprint, batch.incarnation, batch.waited_s, groups)
    if batch.traceparents:
        return bytes(msgpack.packb((*message, batch.traceparents)))
    return bytes(msgpack.packb(message))


def unpack_batch(data: object) -> Batch:
    """The batch that these bytes are.

    Raises:
        InvalidCallError: they are none, or of a version that is not read here.
    """
    read = unpack_call(data)
    return read if isinstance(read, Batch) else read.as_batch()


def unpack_call(data: object) -> Batch | Question:
    """The batch that these bytes are, in its shorter form where it has one.

    Raises:
        InvalidCallError: they are no batch, or of a version that is not read here.
    """
    fields = _unpack(data, "batch")
    try:
        epoch, fingerprint, incarnation, waited_s, groups, *traced = fields
        (traceparents,) = traced or ((),)
        keys = None if traced else _only_keys(groups)
        read = [_unpack_group(group) for group in groups] if keys is None else []
    except (LookupError, TypeError, ValueError):
        raise InvalidCallError("batch", "does not have the form of its version") from None
    if not type(epoch) is type(fingerprint) is type(incarnation) is int:
        raise InvalidCallError("batch", "must give its epoch, fingerprint and incarnation as integers")
    if keys is not None:
        return Question(epoch, fingerprint, incarnation, waited_s, keys)
    return Batch(epoch, fingerprint, incarnation, read, waited_s, traceparents)


def _only_keys(groups: Any) -> tuple[str, ...] | None:
    """The keys of a batch that does nothing but ask for them, without a time or wishes; None for others."""
    if len(groups) != 1 or len(groups[0]) != 2 or groups[0][0] is not None or len(groups[0][1]) != 1:
        return None
    operation = groups[0][1][0]
    asks = len(operation) == 2 and operation[0] == 0 and type(operation[1]) is str
    return tuple(operation[1].split(_BETWEEN_KEYS)) if asks else None


def pack_response(response: Response) -> bytes:
    """A response as bytes."""
    results = [[_pack_result(each) for each in group] for group in response.results]
    message = (VERSION, response.epoch, response.incarnation, response.service_s, results)
    if response.lives:
        return bytes(msgpack.packb((*message, response.lives)))
    return bytes(msgpack.packb(message))


def unpack_response(data: object) -> Response:
    """The response that these bytes are.

    Raises:
        InvalidCallError: they are none, or of a version that is not read here.
    """
    fields = _unpack(data, "response")
    try:
        epoch, incarnation, service_s, results, *restarted = fields
        (lives,) = restarted or ({},)
        read = [[_unpack_result(each) for each in group] for group in results]
    except (LookupError, TypeError, ValueError):
        raise InvalidCallError("response", "does not have the form of its version") from None
    if type(epoch) is not int or type(incarnation) is not int or type(service_s) is not float:
        raise InvalidCallError("response", "must give its epoch, incarnation and service time as numbers")
    if type(lives) is not dict or not {type(each) for item in lives.items() for each in item} <= {int}:
        raise InvalidCallError("response", "must give its peers' lives by their numbers")
    return Response(epoch, incarnation, service_s, read, lives)


def _unpack(data: object, what: str) -> list[Any]:
    if not isinstance(data, bytes):
        raise InvalidCallError(what, f"must be bytes, not {type(data).__name__}")
    try:
        message = msgpack.unpackb(data, use_list=False, strict_map_key=False)
    except Exception as error:  # the library raises a dozen kinds, RecursionError among them
        raise InvalidCallError(what, f"is not MessagePack: {type(error).__name__}") from None
    if not isinstance(message, tuple) or not message:
        raise InvalidCallError(what, "must be an array that begins with its version")
    version, *fields = message
    if type(version) is not int:
        raise InvalidCallError(what, "must be an array that begins with its version")
    if version != VERSION:
        raise InvalidCallError(what, f"is of wire version {version}; this side reads {VERSION}")
    return fields


def _pack_group(group: Group) -> tuple[Any, ...]:
    operations, now, copy, astray = group
    packed = (now, [_pack_operation(each) for each in operations])
    return (*packed, copy + 2 * astray) if copy or astray else packed


def _unpack_group(packed: tuple[Any, ...]) -> Group:
    now, operations, *flags = packed
    read = tuple(map(_unpack_operation, operations))
    if not flags:
        return Group(read, now)
    (bits,) = flags
    return Group(read, now, bool(bits & 1), bool(bits & 2))


def _pack_operation(operation: Operation) -> tuple[Any, ...]:
    if type(operation) is Resolve:
        keys: str | tuple[str, ...] = _BETWEEN_KEYS.join(operation.keys)
        if keys.count(_BETWEEN_KEYS) != len(operation.keys) - 1:
            keys = operation.keys
        return (0, keys) if operation[1:] == USUAL_WISHES else (0, keys, *operation[1:])
    return (_CODES[type(operation)], *operation)


def _unpack_operation(packed: tuple[Any, ...]) -> Operation:
    code, *fields = packed
    if code == 0 and isinstance(fields[0], str):
        fields[0] = tuple(fields[0].split(_BETWEEN_KEYS))
    operation: Operation = _OPERATIONS[code](*fields)
    return operation


def _pack_result(result: Result) -> Any:
    if type(result) is Answers:
        if None not in result.items and set(map(type, result.items)) == {str}:
            return (_RECORDS, result.now, BETWEEN.join(result.items))  # type: ignore[arg-type]
        return (_ANSWERS, result.now, [_pack_item(item) for item in result.items])
    if type(result) is Written:
        return (_WRITTEN, *result)
    if type(result) is Look:
        return (_LOOK, *result)
    if type(result) is Explained:
        now, answer, expired, considered = result
        return (_EXPLAINED, now, tuple(answer), expired, [tuple(each) for each in considered])
    if type(result) is Refused:
        return (_REFUSED, *result)
    if type(result) is Elsewhere:
        return (_ELSEWHERE, *result)
    if type(result) is Moved:
        return (_MOVED, *result)
    return (_REPORTED, result) if isinstance(result, ReportOutcome) else result


def _pack_item(item: str | Answer | Refused) -> Any:
    return item if type(item) is str else tuple(item)


def _unpack_result(packed: Any) -> Result:
    if type(packed) is not tuple:
        if packed is None or type(packed) is bool:
            return packed
        raise ValueError("no result")
    code, *fields = packed
    if code == _RECORDS:
        now, records = fields
        if type(records) is not str:
            raise ValueError("no records")
        return Answers(now, records.split(BETWEEN))
    if code == _ANSWERS:
        now, items = fields
        return Answers(now, [_unpack_item(item) for item in items])
    if code == _WRITTEN:
        outcome, evicted = fields
        return Written(_SET_OUTCOMES[outcome], evicted)
    if code == _LOOK:
        routes, freshness, *others = fields
        return Look(routes, Freshness(freshness), *others)
    if code == _REFUSED:
        return Refused(*fields)
    if code == _ELSEWHERE:
        return Elsewhere(*fields)
    if code == _EXPLAINED:
        return _unpack_explained(*fields)
    if code == _MOVED:
        (since,) = fields
        if type(since) is not int:
            raise ValueError("no epoch")
        return Moved(since)
    if code == _REPORTED:
        return ReportOutcome(fields[0])
    raise ValueError("no result")


_SET_OUTCOMES = {outcome.value: outcome for outcome in SetOutcome}
_REFUSED_FIELDS = len(Refused._fields)


def _unpack_item(item: Any) -> str | Answer | Refused:
    if type(item) is str:
        return item
    if type(item) is not tuple:
        raise ValueError("no answer")
    if len(item) == _REFUSED_FIELDS:
        return Refused(*item)
    return _unpack_answer(item)


def _unpack_answer(fields: Any) -> Answer:
    route, source, reason, stale, confidence, scope, age_s, expires_in_s = fields
    return Answer(
        route,
        ResolutionSource(source),
        None if reason is None else FallbackReason(reason),
        stale,
        Confidence(confidence),
        None if scope is None else Scope(scope),
        age_s,
        expires_in_s,
    )


def _unpack_explained(now: Any, answer: Any, expired: Any, considered: Any) -> Explained:
    return Explained(now, _unpack_answer(answer), expired, tuple(map(_unpack_considered, considered)))


def _unpack_considered(fields: Any) -> Considered:
    source, route, verdict, confidence, scope, *others = fields
    return Considered(
        ResolutionSource(source),
        route,
        Verdict(verdict),
        Confidence(confidence),
        None if scope is None else Scope(scope),
        *others,
    )
