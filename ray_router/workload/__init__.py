"""Traffic from logs, traces or made up; played against a router, or against one in this process."""

from ray_router.workload.event import Event
from ray_router.workload.faults import BadLineError, LogError, UnreadableLogError
from ray_router.workload.ledger import LedgerLoad, Promise, lost
from ray_router.workload.logs import BadLine, EventLog
from ray_router.workload.play import closing_stats, play
from ray_router.workload.records import LogFormat
from ray_router.workload.simulate import (
    Simulation,
    SimulationResult,
    event_config,
    simulate,
    simulate_router,
)
from ray_router.workload.sweep import Grid, Sweep, SweepPoint, sweep
from ray_router.workload.synthetic import SyntheticTraffic
from ray_router.workload.tally import PartitionTally, Recorder, Tally

__all__ = [
    "BadLine",
    "BadLineError",
    "Event",
    "EventLog",
    "Grid",
    "LedgerLoad",
    "LogError",
    "LogFormat",
    "PartitionTally",
    "Promise",
    "Recorder",
    "Simulation",
    "SimulationResult",
    "Sweep",
    "SweepPoint",
    "SyntheticTraffic",
    "Tally",
    "UnreadableLogError",
    "closing_stats",
    "event_config",
    "lost",
    "play",
    "simulate",
    "simulate_router",
    "sweep",
]
