"""Verbs about time, faults, the request log and how the API behaves."""

from __future__ import annotations

from typing import Any

import msgspec

from quantconnect_provider.sandbox.control.registry import verb
from quantconnect_provider.sandbox.faults import FaultSpec
from quantconnect_provider.sandbox.scenario import overwrite
from quantconnect_provider.sandbox.settings import RateLimit
from quantconnect_provider.sandbox.traffic import LimitWindow
from quantconnect_provider.sandbox.world import World


@verb
def _now(world: World, now: float) -> float:
    return now


@verb
def _advance(world: World, now: float, *, seconds: float) -> float:
    world.clock.advance(seconds)
    return world.tick()


@verb
def _set_speed(world: World, now: float, *, speed: float) -> None:
    world.clock.set_speed(speed)


@verb
def _add_fault(world: World, now: float, **fields: Any) -> int:
    return world.faults.add(msgspec.convert(fields, FaultSpec))


@verb
def _clear_faults(world: World, now: float, *, fault_id: int | None = None) -> int:
    return world.faults.clear(fault_id)


@verb
def _faults(world: World, now: float) -> list[dict[str, Any]]:
    return [fault.describe() for fault in world.faults.active]


@verb
def _requests(
    world: World, now: float, *, endpoint: str | None = None, after: int = 0
) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(entry) for entry in world.requests.found(endpoint, after)]


@verb
def _counters(world: World, now: float) -> dict[str, Any]:
    return world.requests.counters()


@verb
def _clear_requests(world: World, now: float) -> None:
    world.requests.clear()


@verb
def _set_rate_limit(world: World, now: float, *, requests: int | None = None, **fields: Any) -> None:
    if requests is None:
        world.limit = None
    else:
        world.limit = LimitWindow(msgspec.convert({"requests": requests, **fields}, RateLimit))


@verb
def _set_api(world: World, now: float, **fields: Any) -> None:
    overwrite(world.api, fields)
    if "rate_limit" in fields:
        world.limit = LimitWindow(world.api.rate_limit) if world.api.rate_limit else None


@verb
def _reset(world: World, now: float, *, scenario: dict[str, Any] | None = None) -> None:
    world.load(scenario)
