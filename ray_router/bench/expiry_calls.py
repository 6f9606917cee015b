"""The same storm seen by a caller on Ray: how long is its longest wait, and how long would it be anyway?"""

from __future__ import annotations

import ray

from ray_router.bench.measure import Report, figure, ratio
from ray_router.bench.peers import Bare, peer
from ray_router.bench.rounds import percentile, waits_ms
from ray_router.bench.sessions import load, some_keys
from ray_router.bench.stage import Stage

_ROUNDS_AT_MOST = 3  # each loads everything anew
_LOOK_EVERY = 100  # calls
_TTL_S = 3_600.0


def expiry_calls(stage: Stage) -> Report:
    """Have 1,000,000 times ``scale`` routes of a partition expire at once, and call it all the while.

    The calls take turns with calls of an actor that does nothing, before the storm and until it is over:
    what both have to wait for is the machine's doing.
    """
    entries = stage.count(1_000_000, least=1_000)
    rounds = min(stage.rounds, _ROUNDS_AT_MOST)
    names = ("resolve", "bare actor call")
    calm: dict[str, list[float]] = {name: [] for name in names}
    storm: dict[str, list[float]] = {name: [] for name in names}
    tail: dict[str, list[float]] = {name: [] for name in names}
    lasted: list[float] = []
    for number in range(rounds):
        settings = {"ttl_s": _TTL_S, "max_entries_per_partition": 2 * entries}
        with stage.watched_router(**settings) as (router, actor), peer(Bare) as bare:
            load(router, entries)
            callers = {
                names[0]: lambda key, router=router: router.resolve(key).result(),
                names[1]: lambda key, bare=bare: ray.get(bare.noop.remote()),
            }
            keys = some_keys(max(_LOOK_EVERY, stage.count(2_000)), entries, seed=number)
            for name, waits in waits_ms(callers, keys).items():
                calm[name].append(max(waits))
            seen: dict[str, list[float]] = {name: [] for name in names}
            ray.get(actor.move_on.remote(_TTL_S + 1.0))
            while router.stats().result().holdings.live or not seen[names[0]]:
                for name, waits in waits_ms(callers, keys[:_LOOK_EVERY]).items():
                    seen[name] += waits
            for name, waits in seen.items():
                storm[name].append(max(waits))
                tail[name].append(percentile(waits, 99))
            lasted.append(sum(map(sum, seen.values())) / 1e3)
        stage.progress((number + 1) / rounds)
    return Report(
        "expiry-calls",
        f"{entries:,} routes expire at once: how long does a caller wait?",
        (
            *(figure(f"{name}, longest before", "ms", each) for name, each in calm.items()),
            *(figure(f"{name}, longest meanwhile", "ms", each) for name, each in storm.items()),
            *(figure(f"{name}, p99 meanwhile", "ms", each) for name, each in tail.items()),
            ratio("resolve over bare actor call, longest meanwhile", storm[names[0]], storm[names[1]]),
            figure("time in calls until all had moved on", "s", lasted),
        ),
    )
