"""The `api` part of a scenario file: how the API behaves, with a choice where its documentation is open."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every part refuses fields it does not know, so that a typing error is found at once."""


class RateLimit(Part):
    """How many requests are let through, and how one too many is answered.

    `window` fixed opens with the first request after the last window closed; sliding looks back
    `per_seconds` from every request. `answer` http429 or text (HTTP 200, success false).
    `retry_after` puts the header on a 429. `count_refused` lets refused requests use up the limit too.
    """

    requests: int
    per_seconds: float = 60.0
    window: Literal["fixed", "sliding"] = "fixed"
    answer: Literal["http429", "text"] = "http429"
    retry_after: bool = True
    count_refused: bool = False


class InsightApi(Part):
    """How live/insights/read answers where the real API's behaviour is not documented.

    See docs/sandbox.md for each; every reading of the documentation can be selected.
    """

    end: Literal["exclusive", "inclusive"] = "exclusive"
    past_end: Literal["empty", "error", "clamp"] = "empty"
    window: int = 100
    window_rule: Literal["at_most", "below"] = "at_most"
    spelling: Literal["original", "openapi", "engine"] = "openapi"
    length: Literal["total", "page"] = "total"
    refresh_seconds: float = 0.0
    on_restart: Literal["append", "reset"] = "append"
    export: Literal["array", "object", "off"] = "array"
    export_limit: int = 1_000_000
    export_dashes: bool = False
    extra_fields: dict[str, Any] = {}


class RowApi(Part):
    """How live/orders/read and live/trades/read answer where the documentation is open.

    :param window: the widest window
    :param loading_reads: how many reads of a project come before its cache is there
    :param loading: what those answer: no rows, or a body that says loading
    :param refresh_seconds: answers come from a snapshot of that age until the stop; 0 is the truth
    """

    window: int = 1000
    past_end: Literal["empty", "error", "clamp"] = "empty"
    length: Literal["total", "page"] = "total"
    loading_reads: int = 0
    loading: Literal["empty", "loading"] = "empty"
    refresh_seconds: float = 0.0
    extra_fields: dict[str, Any] = msgspec.field(default_factory=dict)


class ChartApi(Part):
    """How the first `loading_reads` reads of a chart are answered: by a loading body, or a null chart."""

    loading_reads: int = 0
    loading: Literal["loading", "null"] = "loading"


class Overlay(Part):
    """Fields that are laid over every answer of an endpoint; see :func:`.overlay.lay_over`.

    :param project_id: only over answers to requests for this project
    """

    endpoint: str
    fields: dict[str, Any]
    project_id: int | None = None


class Api(Part):
    """How the API behaves as a whole."""

    latency_seconds: float = 0.0
    auth_window_seconds: float = 7200.0
    auth_failure: Literal["success_false", "http401"] = "success_false"
    clock_skew_seconds: float = 0.0
    rate_limit: RateLimit | None = None
    never_deployed: Literal["error", "undefined"] = "error"
    create_while_running: Literal["refuse", "second"] = "refuse"
    update_when_over: Literal["error", "success"] = "error"
    portfolio_refresh_seconds: float = 0.0
    empty_portfolio: Literal["object", "list"] = "object"
    empty_objects: Literal["object", "list", "null"] = "object"
    overlays: list[Overlay] = msgspec.field(default_factory=list)
    insights: InsightApi = msgspec.field(default_factory=InsightApi)
    orders: RowApi = msgspec.field(default_factory=RowApi)
    trades: RowApi = msgspec.field(default_factory=RowApi)
    charts: ChartApi = msgspec.field(default_factory=ChartApi)
