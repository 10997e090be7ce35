"""Gates for the tests of whole task runs: one DAG for each mode and way of failing."""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_useapi.operators.useapi import UseApiAccountOperator
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

FLAGS = ("soft_fail", "never_fail", "silent_fail")

for mode in ("poke", "reschedule", "deferred"):
    for flag in ("plain", *FLAGS):
        for timeout in (30, 3):
            with DAG(
                f"gate_{mode}_{flag}_{timeout}", schedule=None, start_date=datetime(2026, 1, 1)
            ):
                UseApiAccountSensor(
                    task_id="gate",
                    service="minimax",
                    mode="poke" if mode == "deferred" else mode,
                    deferrable=mode == "deferred",
                    poke_interval=1,
                    timeout=timeout,
                    retries=3,
                    retry_delay=0.1,
                    **({flag: True} if flag in FLAGS else {}),
                )

with DAG("gate_deferrable", schedule=None, start_date=datetime(2026, 1, 1)):
    UseApiAccountSensor(task_id="gate", service="minimax", deferrable=True, poke_interval=1)

with DAG("gate_mapped", schedule=None, start_date=datetime(2026, 1, 1)):
    gates = UseApiAccountSensor.partial(
        task_id="gate", useapi_conn_id="{{ 'useapi_' ~ 'default' }}", poke_interval=1, timeout=9
    ).expand(service=["minimax", "Runway AP"])

with DAG("account_outputs", schedule=None, start_date=datetime(2026, 1, 1)):
    UseApiAccountOperator(task_id="account", multiple_outputs=True)
