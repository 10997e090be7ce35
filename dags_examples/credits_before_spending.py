"""
A pipeline that looks at the credits before it spends anything on the steps before.

Scripts, voices and pictures cost money, too. Whoever finds out at the last step that no account has
the credits for the videos has paid for all of them. Credits are read live at the service with the
login of each account: once, before the pipeline begins, and not as a poll.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, task

from airflow_provider_useapi.hooks.useapi import UseApiHook

NEEDED = 200
"""Credits that the videos of one run take, all of them on one account."""

with DAG(
    "useapi_credits_before_spending",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["useapi"],
):

    @task(retries=3)
    def look_at_credits() -> None:
        """End here, for good, unless one account has enough: accounts may share one pool."""
        with UseApiHook() as hook:
            healthy = {each.hint for each in hook.get_linked_accounts("kling") if each.healthy}
            found = hook.get_credits("kling")
        for each in found:
            print(f"{each.hint}: {each.total} {each.unit}")
        if not any(each.has(NEEDED) for each in found if each.hint.split(" #")[0] in healthy):
            raise AirflowFailException(f"No account has the {NEEDED} credits that this run takes.")

    @task
    def write_script() -> str:
        """Your own work goes here; this one is free."""
        return "a cat looks out of the window"

    @task
    def make_videos(script: str) -> None:
        """The step that takes the credits; this one prints what it would submit."""
        print(f"submitting: {script}")

    script = write_script()
    look_at_credits() >> script
    make_videos(script)
