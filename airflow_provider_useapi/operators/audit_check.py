"""The operator that fails on what an audit found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class UseApiAuditCheckOperator(BaseOperator):
    """
    Fail, without retries, if an audit found something severe.

    Apart from the audit, so that the audit succeeds and is remembered on the bad days, too.

    :param audit: what :class:`UseApiAuditOperator` returned, as ``audit.output``, or a list of
        such, as that of a mapped audit. (templated)
    :param fail_on: the least severity to fail on, ``critical`` or ``warning``.
    """

    template_fields: Sequence[str] = ("audit",)
    ui_color = "#f2dfc3"

    def __init__(self, *, audit: Any, fail_on: str = "critical", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.audit = audit
        self.fail_on = _severity(fail_on)

    def execute(self, context: Context) -> None:
        """
        Fail if a finding is as severe as ``fail_on``.

        :raises AirflowFailException: with every finding that is severe enough.
        """
        from airflow_provider_useapi.audit.finding import read_findings
        from airflow_provider_useapi.audit.rules import severe
        from airflow_provider_useapi.audit.table import line

        is_one = isinstance(self.audit, Mapping) or not isinstance(self.audit, Iterable)
        audits = [self.audit] if is_one else list(self.audit)
        bad: list[str] = []
        for audit in audits or [None]:
            findings = read_findings(audit)
            if findings is None:
                raise AirflowFailException(
                    "audit is not what a UseApiAuditOperator returned; pass the output of its task,"
                    " such as audit=audit.output."
                )
            found = severe(findings, self.fail_on)
            if found:
                bad += [audit["summary"], *map(line, found)]
        if bad:
            raise AirflowFailException("\n".join(bad))
        self.log.info("Audits checked: %d; no finding fails on %r.", len(audits), self.fail_on)


def _severity(fail_on: str) -> str:
    """Refuse a slip in the DAG file, before it lets everything pass."""
    from airflow_provider_useapi.audit.rules import severe

    severe((), fail_on)
    return fail_on
