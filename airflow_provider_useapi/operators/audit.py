"""Operators that audit the useapi.net account behind an Airflow connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_useapi import clock
from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiConnectionNotFoundError,
    UseApiError,
)
from airflow_provider_useapi.operators.audit_check import UseApiAuditCheckOperator
from airflow_provider_useapi.operators.links import AUDIT_LINKS
from airflow_provider_useapi.validation import check_whole_number

__all__ = ["UseApiAuditCheckOperator", "UseApiAuditOperator"]

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_useapi.api.account import Account
    from airflow_provider_useapi.audit.linked import Reading
    from airflow_provider_useapi.audit.snapshot import Snapshot
    from airflow_provider_useapi.hooks.useapi import UseApiHook


class UseApiAuditOperator(BaseOperator):
    """
    Audit an account: look once, compare with the last audit of the same connection, and record it.

    Findings do not fail the task, because a failed task leaves neither an XCom nor an event of the
    account's asset, and the bad days are the ones to remember: put a
    :class:`UseApiAuditCheckOperator` behind it. So any answer is a result, even that the token is
    refused. No answer is no result: if the API cannot be reached, the task fails and Airflow's
    ``retries`` apply; if the connection cannot be used at all, it fails without retries.

    The XCom: ``{"version", "findings": [{"code", "severity", "service", "message", "since"}],
    "snapshot", "summary"}``; a finding about a linked account has its ``ref`` as well. The
    snapshot, which holds no personal data, is also the ``extra`` of an event of
    :func:`~airflow_provider_useapi.assets.account_asset`.

    :param useapi_conn_id: id of the connection. (templated)
    :param services: slugs or keys of the services whose findings count; all when not given.
        (templated)
    :param renewal_max_age_days: a subscription that was renewed longer ago is a finding.
    :param report_path: where to write a report, one self-contained HTML file: a local path or the
        URL of an object in any storage that Airflow can write to. With a slash at its end it is a
        folder, and the file is named after the connection. A local path may begin with ``~``, the
        home of the user that the worker runs as. (templated)
    :param linked_accounts: whether to ask each service that the account lists for its linked
        accounts: which are in trouble, and why. One request a service.
    :param session_min_days: a login of a linked account that expires sooner is a finding, where
        useapi.net does not renew it by itself.
    :param min_credits: by slug or key, how many credits each linked account should have:
        ``{"kling": 500}``. One live request for each account of the services named there; not
        given, no credits are read.
    """

    template_fields: Sequence[str] = ("useapi_conn_id", "services", "report_path")
    operator_extra_links = AUDIT_LINKS
    ui_color = "#e3ecd9"
    written_to: str | None = None  # where the report is, once there is one

    def __init__(
        self,
        *,
        useapi_conn_id: str = DEFAULT_CONN_ID,
        services: Sequence[str] | None = None,
        renewal_max_age_days: int = 35,
        report_path: str | None = None,
        linked_accounts: bool = True,
        session_min_days: int = 3,
        min_credits: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**_with_alias(kwargs))
        self.useapi_conn_id = useapi_conn_id
        self.services = services
        check_whole_number("renewal_max_age_days", renewal_max_age_days)
        check_whole_number("session_min_days", session_min_days)
        self.renewal_max_age_days = renewal_max_age_days
        self.report_path = report_path
        self.linked_accounts = linked_accounts
        self.session_min_days = session_min_days
        self.min_credits = _least_credits(min_credits, linked_accounts=linked_accounts)

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """
        Prepare a mapped audit, with the alias of its events in the DAG file.

        Airflow would make the alias with the first event; of mapped tasks that end at the same time
        it then fails all but one.
        """
        return super().partial(**_with_alias(kwargs))

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask for the account, compare it with the last audit, log and record what was found."""
        from airflow_provider_useapi import metrics
        from airflow_provider_useapi.assets import ALIAS, account_asset
        from airflow_provider_useapi.audit.rules import audited, summary
        from airflow_provider_useapi.compat.assets import emit
        from airflow_provider_useapi.operators.report_file import write_report

        asset = account_asset(self.useapi_conn_id)
        wanted = self._wanted()
        snapshot = audited(
            self._look(wanted),
            self._last(asset),
            services=wanted,
            renewal_max_age_days=self.renewal_max_age_days,
            session_min_days=self.session_min_days,
            min_credits=self.min_credits,
        )
        found = summary(snapshot)
        self._tell(snapshot, found)
        if self.report_path:
            self.written_to = write_report(snapshot, self.report_path)
            self.log.info("Wrote the report to %s.", self.written_to)
        metrics.send(snapshot)
        extra = snapshot.to_extra()
        emit(self, context, asset, ALIAS, extra)
        return {
            "version": extra["version"],
            "findings": extra["findings"],
            "snapshot": extra,
            "summary": found,
        }

    def _wanted(self) -> dict[str, str] | None:
        """The services that count: what was written for each slug."""
        from airflow_provider_useapi.api.service_names import slug_of

        if self.services is None:
            return None
        if isinstance(self.services, str) or not all(map(_is_name, self.services)):
            raise AirflowFailException(
                f"services must be a list of slugs or keys, such as ['kling', 'minimax']; it is"
                f" {self.services!r:.100}."
            )
        return {slug_of(name): name for name in self.services}

    def _look(self, wanted: Mapping[str, str] | None) -> Snapshot:
        from airflow_provider_useapi.audit.snapshot import Snapshot
        from airflow_provider_useapi.gate.messages import not_listed
        from airflow_provider_useapi.hooks.useapi import UseApiHook

        try:
            with UseApiHook(self.useapi_conn_id) as hook:
                account = hook.get_account()
                reading = self._read(hook, account)
        except UseApiConnectionNotFoundError:
            raise  # Airflow says so as well while its database is away: its retries apply
        except UseApiError as e:
            if not e.permanent:
                raise
            if e.status_code is None:
                raise AirflowFailException(str(e)) from e
            # An answer, and one that will not change by itself: worth a place in the history.
            return Snapshot.of_refusal(str(e), self.useapi_conn_id, _now())
        for name in wanted.values() if wanted and account.is_recognisable else ():
            if account.service(name) is None:
                self.log.warning("%s", not_listed(account, name))
        for sentence in reading.unread:
            self.log.warning("Not read: %s", sentence)
        return Snapshot.of_account(account, self.useapi_conn_id, _now(), reading)

    def _read(self, hook: UseApiHook, account: Account) -> Reading:
        """What there is to read beyond the account."""
        from airflow_provider_useapi.audit.linked import Reading, read_linked
        from airflow_provider_useapi.hooks.calls import request_all

        if not self.linked_accounts:
            return Reading()
        return request_all(hook, read_linked(account, self.min_credits or ()))

    def _last(self, asset: Any) -> Snapshot | None:
        """The newest snapshot of this connection, whichever DAG took it."""
        from airflow_provider_useapi.audit.snapshot import read_snapshot
        from airflow_provider_useapi.compat.assets import newest_extras

        return next(filter(None, map(read_snapshot, newest_extras(asset))), None)

    def _tell(self, snapshot: Snapshot, found: str) -> None:
        from airflow_provider_useapi.audit.finding import CRITICAL
        from airflow_provider_useapi.audit.table import line, table

        for row in table(snapshot):
            self.log.info("%s", row)
        for finding in snapshot.findings:
            say = self.log.error if finding.severity == CRITICAL else self.log.warning
            say("%s", line(finding, snapshot.checked_at))
        self.log.info("%s", found)


def _with_alias(arguments: dict[str, Any]) -> dict[str, Any]:
    from airflow.providers.common.compat.sdk import AssetAlias

    from airflow_provider_useapi.assets import ALIAS

    outlets = arguments.get("outlets") or ()
    outlets = outlets if isinstance(outlets, Sequence) else [outlets]
    alias = AssetAlias(ALIAS)
    return {**arguments, "outlets": [*(each for each in outlets if each != alias), alias]}


def _is_name(service: object) -> bool:
    return isinstance(service, str) and bool(service.strip())


def _now() -> str:
    return clock.now().isoformat()


def _least_credits(
    min_credits: Mapping[str, int] | None, *, linked_accounts: bool
) -> dict[str, int] | None:
    """The least credits by slug; what can never be told is an error in the DAG file."""
    if min_credits is None:
        return None
    if not isinstance(min_credits, Mapping):
        raise UseApiConfigError(
            f"min_credits is a number for each service, such as {{'kling': 500}}; it is"
            f" {min_credits!r:.100}."
        )
    if not linked_accounts:
        raise UseApiConfigError("min_credits needs linked_accounts=True, whose credits it reads.")
    from airflow_provider_useapi.api.credits import credits_service

    for service, least in min_credits.items():
        check_whole_number(f"min_credits[{service!r:.40}]", least)
    return {
        credits_service(service, total_needed=True)[0].slug: least
        for service, least in min_credits.items()
    }
