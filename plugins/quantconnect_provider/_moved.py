"""Import paths of version 0.1.0 that have moved: they work for one more release, and warn.

Found last, after every real module, so that an import of today costs nothing. `CHANGELOG.md` lists the moves.
"""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any

_PACKAGE = "quantconnect_provider"

MODULES: dict[str, str] = {
    "settings": "config",
    "client.settings": "client.account",
    "client.envelope": "client.response",
    "client.secrets": "client.redaction",
    "live.statuses": "client.status",
    "live.looks": "live.observation",
    "live.wait": "live.waiting",
    "live.failures": "live.post_mortem",
    "live.ledger": "live.notes",
    "live.errors": "live.deployment_errors",
    "live.build": "live.deploy.build",
    "live.create": "live.deploy.create",
    "live.record": "live.deploy.journal",
    "live.certainty": "live.deploy.outcome",
    "live.options": "live.deploy.options",
    "live.redeploy": "live.deploy.redeploy",
    "live.nodes": "live.deploy.nodes",
    "live.carry_over": "live.deploy.carry_over",
    "live.flat": "live.wind_down.holdings",
    "live.plan": "live.approval.deploy_preview",
    "live.wind_down_plan": "live.approval.wind_down_preview",
    "live.markdown": "live.approval.markdown",
    "live.brokerage_table": "live.brokerages.table",
    "harvest.settings": "harvest.options",
    "harvest.errors": "harvest.harvest_errors",
    "harvest.model": "store.commit_unit",
    "harvest.store": "store.store",
    "harvest.schema": "store.schema",
    "harvest.database": "store.database",
    "harvest.migrate": "store.migrate",
    "harvest.summary": "store.queries",
    "pacing": "store.rate_limit",
    "operators.base": "tasks.operator",
    "operators.errors": "tasks.failures",
    "operators.inputs": "tasks.inputs",
    "operators.ledger": "tasks.notes",
    "operators.request": "tasks.deploy_request",
    "operators.create": "operators.create_live",
    "operators.wind_down": "operators.live",
    "dag_support.params": "dag_support.deploy_form",
    "dag_support.approval": "dag_support.approval_gate",
    "sandbox.settings": "sandbox.scenario_spec",
    "sandbox.deployments": "sandbox.deployment",
    "sandbox.insights": "sandbox.insight_book",
    "sandbox.rows": "sandbox.insight_rows",
    "sandbox.spelling": "sandbox.insight_json",
    "dag_support.log_table": "plain_text",
}
"""Modules by their old name, below the package."""

NAMES: dict[str, str] = {
    "AccountSettings": "Account",
    "Clock": "live.polling.Clock",
    "CreateOptions": "DeployOptions",
    "DeploymentPlan": "DeployPreview",
    "HarvestSettings": "HarvestOptions",
    "Intent": "SendAttempt",
    "Judgement": "WaitResult",
    "Ledger": "TaskNotes",
    "MemoryLedger": "MemoryNotes",
    "Pace": "live.polling.Polling",
    "ProjectLook": "ProjectObservation",
    "Record": "DeployJournal",
    "StoreSchedule": "SharedSlots",
    "Verdict": "WaitState",
    "WaitingOperator": "tasks.waiting.WaitingOperator",
    "WindDownPlan": "WindDownPreview",
    "judge": "evaluate",
    "look_at_deployment": "observe_deployment",
    "look_at_project": "observe_project",
    "note_of": "portfolio_snapshot",
    "pace_key": "rate_limit_key",
    "plan_deployment": "preview_deployment",
    "plan_wind_down": "preview_wind_down",
    "shared_schedule": "shared_slots",
    "harvest_params": "dag_support.harvest_form.harvest_params",
    "wind_down_params": "dag_support.wind_down_form.wind_down_params",
    "wait_result_of": "tasks.waiting.wait_result_of",
    "watch": "poll_until",
}
"""Names by their old one: in the module that took the old one's place, or where the path says."""


class _MovedModule(types.ModuleType):
    """Looks each name up where it is now."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        now = MODULES[self.__name__.removeprefix(f"{_PACKAGE}.")]
        for path in (f"{now}.{name}", NAMES.get(name, name)):
            module, _, found = (path if "." in path else f"{now}.{path}").rpartition(".")
            try:
                return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), found)
            except AttributeError:
                continue
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class _MovedFinder:
    """Finds the old names; on `sys.meta_path` after all other finders."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Return how to load a module that has moved."""
        if name.removeprefix(_PACKAGE + ".") not in MODULES or not name.startswith(_PACKAGE + "."):
            return None
        return ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Make the stand-in, and warn its importer."""
        now = f"{_PACKAGE}.{MODULES[spec.name.removeprefix(_PACKAGE + '.')]}"
        warnings.warn(f"{spec.name} has moved: import {now}.", DeprecationWarning, stacklevel=5)
        return _MovedModule(spec.name, f"Moved to {now}.")

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


def install() -> None:
    """Let old import paths work; a second call does nothing."""
    if not any(isinstance(finder, _MovedFinder) for finder in sys.meta_path):
        sys.meta_path.append(_MovedFinder())
