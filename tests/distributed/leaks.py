"""Whether a token has got out, anywhere in the logs and the database of the distributed Airflow."""

from __future__ import annotations

from tests.distributed.api import CANARY
from tests.distributed.cluster import Cluster
from tests.system.leaks import base64_forms, holding, holds, logs, stored

TOKENS = {CANARY, *base64_forms(CANARY)}
THERE = {"gates_00"}
"""What stands in both by right: a search that does not find it finds nothing."""


def leaks(cluster: Cluster) -> tuple[list[str], str]:
    """
    Search all that was written, by all components, since the cluster is there.

    :return: where a token stands, and what was searched.
    :raises AssertionError: if the search finds nothing at all.
    """
    files = logs(cluster)
    assert holding(files, THERE)
    found = [str(file.relative_to(cluster.logs)) for file in holding(files, TOKENS)]
    columns, values, is_there = set(), 0, False
    for column, text in stored(cluster):
        is_there |= holds(text, THERE)
        values += 1
        if holds(text, TOKENS):
            columns.add(column)
    assert is_there
    return [*found, *sorted(columns)], f"{len(files)} logs and {values} values of the database"
