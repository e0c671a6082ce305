"""The gate before money moves: asks a person where the run says so, and lets nothing else pass."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import TaskAwaitingInput

from quantconnect_provider import config
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import TaskFailed, plain_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

_NO_NAME = ("", "anonymous")
_WITHOUT_LOGIN = "a user without a login"
_LOGIN_NEEDED = (
    "**Approve with a login.** Without one an approval has no name, and is refused for real money."
)


@dataclass(frozen=True)
class Question:
    """What a gate has to decide.

    :param needed: whether a person must be asked.
    :param because: why, or why not, in a few words for the log.
    :param subject: one line for the list of required actions; no Markdown.
    :param page: what is about to happen, in Markdown.
    :param is_paper: whether it is proven that no real money moves.
    :param log_lines: what is about to happen, in plain lines, where no task upstream has logged it.
    """

    needed: bool
    because: str
    subject: str
    page: str
    is_paper: bool
    log_lines: Sequence[str] = ()


class ApprovalGate(ApprovalOperator):
    """Asks a person to approve the tasks downstream, unless no approval is needed.

    Rejected: the tasks downstream are skipped. Not answered in time: it fails. Either way nothing was sent.
    An approval without a login has no name, and is refused where real money moves. Returns whether it asked,
    who approved, and whether it was about paper money only.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        kwargs.setdefault("response_timeout", timedelta(seconds=config.load().approval_timeout_seconds))
        super().__init__(subject="Asked when the run gets here", **kwargs)

    @abstractmethod
    def question(self, context: Context) -> Question:
        """Read what is about to happen, and say whether and what to ask; sends nothing."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, and wait without a worker; or pass at once."""
        with plain_errors():
            asked = self.question(context)
        for line in asked.log_lines:
            self.log.info("%s", line)
        if not asked.needed:
            self.log.info("No approval is needed: %s.", asked.because)
            return {"asked": False, "approved_by": None, "is_paper": asked.is_paper}
        self.log.info("Waiting for approval under Required Actions: %s.", asked.because)
        self.subject = asked.subject
        self.body = asked.page if asked.is_paper else f"{asked.page}\n\n{_LOGIN_NEEDED}"
        try:
            super().execute(context)
        except TaskAwaitingInput as waiting:
            waiting.kwargs = {**(waiting.kwargs or {}), "is_paper": asked.is_paper}
            raise
        raise AssertionError("the approval did not wait")

    def execute_complete(
        self, context: Context, event: dict[str, Any], is_paper: bool = False
    ) -> dict[str, Any]:
        """Go on after the answer, or after the time for it."""
        if event.get("error_type") == "timeout":
            raise TaskFailed(
                f"No answer within {self.response_timeout}. Nothing was sent. Trigger a new run, and approve "
                "it under Required Actions."
            )
        name = _name_of(event.get("responded_by_user"))
        approved = self.APPROVE in (event.get("chosen_options") or [])
        if approved and not is_paper and name is None:
            raise TaskFailed(
                "The approval came without a login, and this is real money. Nothing was sent. Switch on "
                "logins in Airflow, so that an approval has a name, and trigger a new run."
            )
        result = {"asked": True, "approved": approved, "approved_by": name, "is_paper": is_paper}
        if approved:
            self.log.info("Approved by %s.", name or _WITHOUT_LOGIN)
        else:
            # Skipping the tasks downstream leaves this method at once, so the result is pushed before.
            self.log.warning("Rejected by %s. Nothing was sent.", name or _WITHOUT_LOGIN)
            context["ti"].xcom_push(key="return_value", value=result)
        super().execute_complete(context, event)
        return result


def _name_of(user: Any) -> str | None:
    """Return who answered; None without a login."""
    name = str((user or {}).get("name") or (user or {}).get("id") or "")
    return None if name.strip().lower() in _NO_NAME else name
