"""What people do to tasks: clear them and mark them, after the end and in the middle."""

from __future__ import annotations

from tests.chaos.cases import SLOW_TO_END, SLOW_TO_START, Case, Script, hold
from tests.chaos.run import Run


def cleared_after_success(run: Run) -> None:
    """Clear the task when all is done."""
    done = run.until_task("success")
    run.until_run("success")
    run.clear()
    run.until_task("success", after_try=done["try_number"])


def cleared_while_deferred(run: Run) -> None:
    """Clear the task while it waits in the triggerer."""
    waiting = run.until_task("deferred")
    run.clear()
    run.until_task("deferred", after_try=waiting["try_number"])
    run.get_going()


def cleared_while_running(run: Run) -> None:
    """Clear the task while its worker waits."""
    run.watch.until(run.is_waiting, f"{run.case} to wait")
    run.clear()
    run.until_task("running", after_try=1)
    run.get_going()


def cleared_while_sending(run: Run) -> None:
    """Clear the task when its request has taken effect and is not answered."""
    run.until_struck()
    run.clear()
    run.until_task("running", "success", after_try=1)  # what it finds may run already
    run.let_go()


def marked_while_deferred(state: str) -> Script:
    """Mark the task while it waits in the triggerer, let the deployment go on, and clear the task."""

    def script(run: Run) -> None:
        waiting = run.until_task("deferred")
        run.mark(state)
        run.until_run(state)
        run.get_going()
        run.clear()
        run.until_task("success", after_try=waiting["try_number"])

    return script


def marked_while_sending(run: Run) -> None:
    """Mark the task failed when its request has taken effect and is not answered, and clear it."""
    run.until_struck()
    run.mark("failed")
    run.until_run("failed")
    run.let_go()
    run.clear()
    run.until_task("success", after_try=1)


SLOW = {
    "deploy": SLOW_TO_START,
    "redeploy": SLOW_TO_START,
    "stop": SLOW_TO_END,
    "liquidate": SLOW_TO_END,
}

CASES = [
    *(
        Case(f"{flow}-cleared-after-success-{where}", flow, where, script=cleared_after_success)
        for flow, where in [
            ("deploy", "deferred"),
            ("redeploy", "worker"),
            ("adopt", "deferred"),
            ("stop", "worker"),
            ("liquidate", "deferred"),
        ]
    ),
    *(
        Case(f"{flow}-cleared-while-deferred", flow, script=cleared_while_deferred, project=slow)
        for flow, slow in SLOW.items()
    ),
    *(
        Case(
            f"{flow}-marked-failed-while-deferred", flow, script=marked_while_deferred("failed"), project=slow
        )
        for flow, slow in SLOW.items()
    ),
    Case(
        "deploy-marked-success-while-deferred",
        "deploy",
        script=marked_while_deferred("success"),
        project=SLOW_TO_START,
    ),
    Case(
        "deploy-cleared-while-running",
        "deploy",
        "worker",
        script=cleared_while_running,
        project=SLOW_TO_START,
    ),
    Case("stop-cleared-while-running", "stop", "worker", script=cleared_while_running, project=SLOW_TO_END),
    Case(
        "deploy-cleared-while-sending",
        "deploy",
        "worker",
        (hold("live/create", "after"),),
        cleared_while_sending,
        patient=True,
    ),
    Case(
        "deploy-marked-failed-while-sending",
        "deploy",
        "worker",
        (hold("live/create", "after"),),
        marked_while_sending,
        patient=True,
    ),
]
