"""What a scenario file may contain: the parts of a sandbox, with their defaults."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec

from quantconnect_provider.sandbox.api_spec import Api, Part
from quantconnect_provider.sandbox.faults import FaultSpec

SYMBOLS = ("SPY R735QTJ8XC9X", "AAPL R735QTJ8XC9X", "BTCUSD 2XR")
START_LINES = (
    "Setup: loading the algorithm's settings",
    "Setup: brokerage connected",
    "Setup: data feed connected",
    "Algorithm.Initialize(): adding securities",
    "Algorithm.Initialize(): warming up indicators",
    "Algorithm.Initialize(): scheduling events",
    "Algorithm initialized",
    "Live trading started",
)


class ClockSettings(Part):
    """Sandbox time: `start` (ISO text with zone; None is the real time) and `speed`."""

    start: Annotated[dt.datetime, msgspec.Meta(tz=True)] | None = None
    speed: float = 1.0


class Account(Part):
    """The account and organization that the API answers for."""

    organization_id: str = "5cad178b20a1d52567b534553413b691"
    organization_name: str = "Sandbox"
    user_name: str = "Sandbox User"
    email: str = "sandbox@example.com"


class Node(Part):
    """A machine. `busy` is another user's work; the sandbox's deployments occupy their node themselves.

    An `active` one is selected in every project from the start.
    """

    name: str
    id: str | None = None
    sku: str = "L-MICRO"
    busy: bool = False
    active: bool = False
    used_by: str = ""
    has_gpu: bool = False


class Nodes(Part):
    """The organization's machines."""

    live: list[Node] = msgspec.field(default_factory=lambda: [Node(name="L-MICRO node 1")])
    backtest: list[Node] = msgspec.field(default_factory=lambda: [Node(name="B-MICRO node 1", sku="B-MICRO")])
    research: list[Node] = msgspec.field(default_factory=lambda: [Node(name="R1-4 node 1", sku="R1-4")])
    auto_select: bool = True


class Build(Part):
    """compile/read answers InQueue for `polls` reads, then `result` with `logs`."""

    polls: int = 2
    result: Literal["BuildSuccess", "BuildError"] = "BuildSuccess"
    logs: list[str] = msgspec.field(default_factory=list)


class StartFailure(Part):
    """A deployment that never gets to Running: it ends when stage `at` is over (None: the last one)."""

    status: str = "DeployError"
    at: str | None = None
    message: str = "Algorithm.Initialize() Error: the brokerage refused the login"
    logs: list[str] = msgspec.field(default_factory=list)


class RuntimeFailure(Part):
    """A deployment that fails after it ran for `after_seconds`, and may come back by itself.

    Restarts happen only for deployments created with `automaticRedeploy`. `restart_as` says whether
    the restarted algorithm keeps its deploy id or is a new deployment.
    """

    after_seconds: float
    message: str = "Runtime Error: the algorithm raised an exception"
    logs: list[str] = msgspec.field(default_factory=list)
    restarts: int = 5
    restart_seconds: float = 1.0
    restart_as: Literal["same", "new"] = "same"


class Drawdown(Part):
    """A loss of this fraction of equity, `after_seconds` of running."""

    after_seconds: float
    fraction: float


class Deploy(Part):
    """How deployments of a project start and end; all times in sandbox seconds.

    A deployment logs `log_lines` when it starts to run, then a line every `log_every_seconds` (0: none).
    """

    starting: dict[str, float] = msgspec.field(
        default_factory=lambda: {"InQueue": 0.4, "LoggingIn": 0.3, "Initializing": 0.5}
    )
    listed_after_seconds: float = 0.0
    refuse: str | None = None
    fail: StartFailure | None = None
    runtime_error: RuntimeFailure | None = None
    stop_seconds: float = 0.5
    liquidate_seconds: float = 1.0
    sell_seconds: float = 0.5
    log_lines: list[str] = msgspec.field(default_factory=lambda: list(START_LINES))
    log_every_seconds: float = 0.0
    charts: list[str] = msgspec.field(default_factory=list)
    drawdown: Drawdown | None = None
    stale_after_seconds: float | None = None
    disconnect_after_seconds: float | None = None
    unsellable: list[str] = msgspec.field(default_factory=list)


class History(Part):
    """Insights that are there already when the sandbox starts, `every_seconds` apart.

    Of a deployment the last one was made just now.
    """

    count: int = 0
    every_seconds: float = 600.0
    period_seconds: float = 86_400.0


class Growth(Part):
    """Insights that a running algorithm emits: some at once, then one `every_seconds` (0: no more)."""

    immediate: int = 0
    every_seconds: float = 0.0
    period_seconds: float = 3_600.0


class Insights(Part):
    """What a project's algorithm predicts, and how its predictions are scored.

    An insight is final `score_seconds` after it closed, if `scored`; every `never_expiring_every`-th
    closes in 2050 (0: none does).
    """

    history: History = msgspec.field(default_factory=History)
    growth: Growth = msgspec.field(default_factory=Growth)
    scored: bool = True
    score_seconds: float = 0.0
    never_expiring_every: int = 0
    flush_seconds: float = 0.0
    symbols: list[str] = msgspec.field(default_factory=lambda: list(SYMBOLS))
    model: str = "ConstantAlphaModel(Price,Up,30.00:00:00,0.1,0.2)"


class OrderHistory(Part):
    """Orders that are there already when the sandbox starts, `every_seconds` apart, the last a minute ago."""

    count: int = 0
    every_seconds: float = 600.0


class Orders(Part):
    """Orders that a running algorithm places: some at once, then one `every_seconds` (0: no more).

    `value` is about what one is worth, `fee` what each fill costs, both in USD.
    """

    history: OrderHistory = msgspec.field(default_factory=OrderHistory)
    immediate: int = 0
    every_seconds: float = 0.0
    symbols: list[str] = msgspec.field(default_factory=lambda: list(SYMBOLS))
    value: float = 1_000.0
    fee: float = 1.0


class Cash(Part, rename="camel"):
    """An amount of one currency, as in live/create."""

    currency: str
    amount: float


class Holding(Part, rename="camel"):
    """A position, as in live/create, with the `price` at which it stands now."""

    symbol: str
    symbol_id: str | None = None
    quantity: float = 0.0
    average_price: float = 0.0
    price: float | None = None

    @property
    def mark(self) -> float:
        """The price at which it stands now."""
        return self.average_price if self.price is None else self.price


class DeploymentSpec(Part):
    """A deployment that exists when the sandbox starts."""

    status: str = "Running"
    launched_ago_seconds: float | None = None
    stopped_ago_seconds: float | None = None
    brokerage: str = "QuantConnectBrokerage"
    automatic_redeploy: bool = False
    message: str = ""
    node: str | None = None
    insights: Insights | None = None
    orders: Orders | None = None
    cash: list[Cash] | None = None
    holdings: list[Holding] | None = None


class Backtest(Part):
    """A backtest that is over."""

    id: str
    insights: History = msgspec.field(default_factory=History)


class Project(Part):
    """A project; with `count`, that many of them, `{n}` in the name being the number."""

    name: str
    id: int | None = None
    count: int = 1
    language: Literal["Py", "C#"] = "Py"
    source: str = "# sandbox\n"
    build: Build = msgspec.field(default_factory=Build)
    deploy: Deploy = msgspec.field(default_factory=Deploy)
    insights: Insights = msgspec.field(default_factory=Insights)
    orders: Orders = msgspec.field(default_factory=Orders)
    cash: list[Cash] = msgspec.field(default_factory=lambda: [Cash(currency="USD", amount=100_000.0)])
    holdings: list[Holding] = msgspec.field(default_factory=list)
    deployments: list[DeploymentSpec] = msgspec.field(default_factory=list)
    backtests: list[Backtest] = msgspec.field(default_factory=list)


class Scenario(Part):
    """A whole sandbox. `defaults` holds fields of a project that every project starts from."""

    seed: int = 0
    clock: ClockSettings = msgspec.field(default_factory=ClockSettings)
    account: Account = msgspec.field(default_factory=Account)
    api: Api = msgspec.field(default_factory=Api)
    nodes: Nodes = msgspec.field(default_factory=Nodes)
    defaults: dict[str, Any] = msgspec.field(default_factory=dict)
    projects: list[Project] = msgspec.field(default_factory=list)
    faults: list[FaultSpec] = msgspec.field(default_factory=list)
