"""Verbs about insights."""

from __future__ import annotations

from typing import Any

from quantconnect_provider.sandbox.control.registry import deployment_named, verb
from quantconnect_provider.sandbox.rows import Row
from quantconnect_provider.sandbox.world import World


@verb
def _insights(
    world: World, now: float, *, deploy_id: str, start: int = 0, end: int | None = None, removed: bool = False
) -> dict[str, Any]:
    book = deployment_named(world, deploy_id).book
    book.settle(now)
    view = book.everything(now) if removed else book.view(now)
    found = book.rows(view, start, view.length if end is None else end)
    return {"total": view.length, "rows": [row._asdict() for row in found]}


@verb
def _add_insights(
    world: World,
    now: float,
    *,
    deploy_id: str,
    count: int = 1,
    every_seconds: float = 0.0,
    period_seconds: float | None = None,
    position: int | None = None,
    fields: dict[str, Any] | None = None,
) -> list[str]:
    book = deployment_named(world, deploy_id).book
    serials = book.add(count, now, every=every_seconds, period=period_seconds, position=position)
    if fields:
        book.change_serials(serials, _checked(fields))
    return [book.identity(serial) for serial in serials[:1000]]


@verb
def _change_insights(
    world: World, now: float, *, deploy_id: str, positions: list[int], fields: dict[str, Any]
) -> int:
    return deployment_named(world, deploy_id).book.change(positions, now, _checked(fields))


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(fields) - set(Row._fields))
    if unknown:
        raise ValueError(f"insights have no {', '.join(unknown)}; they have {', '.join(Row._fields)}")
    return fields


@verb
def _close_insights(world: World, now: float, *, deploy_id: str, positions: list[int]) -> int:
    return deployment_named(world, deploy_id).book.change(positions, now, {"closes_at": float(int(now)) - 1})


@verb
def _remove_insights(world: World, now: float, *, deploy_id: str, start: int, end: int) -> int:
    return deployment_named(world, deploy_id).book.remove(start, end, now)


@verb
def _clear_insights(world: World, now: float, *, deploy_id: str) -> None:
    deployment_named(world, deploy_id).book.reset(now)


@verb
def _refresh_insights(world: World, now: float, *, deploy_id: str) -> None:
    deployment_named(world, deploy_id).book.refresh(now)
