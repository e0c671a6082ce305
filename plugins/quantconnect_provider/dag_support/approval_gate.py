"""The gate in front of money: asks a person where one must be asked, and lets nothing pass otherwise."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from quantconnect_provider import config
from quantconnect_provider.retry import QuantConnectRetryPolicy
from quantconnect_provider.tasks.failures import plain_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

_NOBODY = ("", "anonymous")


@dataclass(frozen=True)
class Question:
    """What a gate has to decide.

    :param needed: whether a person must be asked.
    :param because: why, or why not, in a few words for the log.
    :param subject: one line for the list of required actions; no Markdown.
    :param page: what is about to happen, in Markdown.
    :param is_paper: whether it is proven that no real money moves.
    """

    needed: bool
    because: str
    subject: str
    page: str
    is_paper: bool


class ApprovalGate(ApprovalOperator):
    """Asks a person to approve what comes after it, unless nobody has to.

    Rejected: everything behind it is skipped. Not answered in time: it fails. Either way nothing was sent.
    An answer that nobody can be held to (without a login) is refused where real money moves. Returns whether
    it was asked, who approved, and whether it was about paper money only.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", QuantConnectRetryPolicy())
        kwargs.setdefault("response_timeout", timedelta(seconds=config.load().approval_timeout_seconds))
        super().__init__(subject="Asked when the run gets here", **kwargs)

    @abstractmethod
    def question(self, context: Context) -> Question:
        """Look at what is about to happen, and say whether and what to ask; sends nothing."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, and wait without a worker; or pass at once."""
        with plain_errors():
            asked = self.question(context)
        for line in asked.page.splitlines():
            self.log.info("%s", line)
        if not asked.needed:
            self.log.info("Nobody is asked: %s.", asked.because)
            return {"asked": False, "approved_by": None, "is_paper": asked.is_paper}
        self.log.info("A person is asked: %s. Required actions are listed in the UI.", asked.because)
        self.subject, self.body = asked.subject, asked.page
        try:
            super().execute(context)
        except TaskAwaitingInput as waiting:
            waiting.kwargs = {**(waiting.kwargs or {}), "is_paper": asked.is_paper}
            raise
        raise AssertionError("the approval did not wait")

    def execute_complete(
        self, context: Context, event: dict[str, Any], is_paper: bool = False
    ) -> dict[str, Any]:
        """Go on after the answer, or after nobody gave one in time."""
        if event.get("error_type") == "timeout":
            raise AirflowFailException(
                f"Nobody answered within {self.response_timeout}. Nothing was sent. Trigger a new run, and "
                "approve it under required actions."
            )
        name = _name_of(event.get("responded_by_user"))
        approved = self.APPROVE in (event.get("chosen_options") or [])
        if approved and not is_paper and name is None:
            raise AirflowFailException(
                "The approval came without a login, and this is real money. Nothing was sent. Run Airflow "
                "with a login, so that an approval has a name, and trigger a new run."
            )
        result = {"asked": True, "approved": approved, "approved_by": name, "is_paper": is_paper}
        if approved:
            self.log.info("Approved by %s.", name or "somebody without a login")
        else:
            # Skipping what comes next leaves this method at once, so the result goes ahead.
            self.log.warning("Rejected by %s. Nothing was sent.", name or "somebody without a login")
            context["ti"].xcom_push(key="return_value", value=result)
        super().execute_complete(context, event)
        return result


def _name_of(user: Any) -> str | None:
    """Return who answered; None for nobody in particular."""
    name = str((user or {}).get("name") or (user or {}).get("id") or "")
    return None if name.strip().lower() in _NOBODY else name
