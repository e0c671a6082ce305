"""Waits until a build is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quantconnect_provider.triggers.project_poll import ProjectPollTrigger

if TYPE_CHECKING:
    from quantconnect_provider.client import QuantConnectClient

FINISHED = ("BuildSuccess", "BuildError")


class CompileTrigger(ProjectPollTrigger):
    """Polls compile/read until the build has succeeded or failed, or time is up. The worker reads its log.

    :param compile_id: the build; the other parameters are those of `QuantConnectTrigger`.
    """

    def __init__(self, *, compile_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compile_id = compile_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as they are kept in Airflow's database."""
        classpath, kwargs = super().serialize()
        return classpath, {**kwargs, "compile_id": self.compile_id}

    def ask(self, client: QuantConnectClient) -> tuple[bool, str]:
        """Return whether the build is finished, and its state (compile/read)."""
        state = client.read_compile(self.project_id, self.compile_id).state
        return state in FINISHED, f"Build {self.compile_id} of project {self.project_id} is {state}."
