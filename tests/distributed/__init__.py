"""
Gates on a distributed Airflow under faults: ``make system-full``.

PostgreSQL, Redis, two Celery workers, two schedulers, two triggerers, API server and DAG processor,
each a process of its own on loopback. A scenario lets gates, watchers and audits wait there beside
tasks of Airflow's own, does something bad to all of them, opens the gates, and judges what became
of each by what the database and the API's stand-ins have recorded.
"""
