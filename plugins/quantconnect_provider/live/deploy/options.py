"""How a deployment is made: the choices that an operator passes on."""

from __future__ import annotations

from dataclasses import dataclass

from quantconnect_provider.client.errors import InvalidSettingError

IF_RUNNING = ("fail", "adopt", "redeploy")
ON_CLEAR = ("reuse", "deploy")


@dataclass(frozen=True)
class DeployOptions:
    """How a deployment is made.

    :param if_running: what to do about a running deployment that is not this task's: ``fail``, ``adopt``
        it, or ``redeploy``: stop it and deploy anew with its cash and holdings.
    :param on_clear: what a cleared task does when the deployment that it had made is over: ``reuse``
        fails and says so, ``deploy`` deploys again. While it runs, both go on with it.
    :param certainty_seconds: how long after an unclear answer a deployment may still turn up.
    :param stop_seconds: how long a redeploy waits for the old deployment to end.
    :param resend_seconds: see ``wind_down.WindDown``.
    :raises InvalidSettingError: if a choice does not exist.
    """

    if_running: str = "fail"
    on_clear: str = "reuse"
    certainty_seconds: float = 300.0
    stop_seconds: float = 900.0
    resend_seconds: float = 90.0

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("if_running", self.if_running, IF_RUNNING),
            ("on_clear", self.on_clear, ON_CLEAR),
        ):
            if value not in allowed:
                raise InvalidSettingError(f"{name} is {value!r}.", advice=f"Use {' or '.join(allowed)}.")
