"""Apache Airflow provider for useapi.net: gate, read and audit the account behind a pipeline."""

__version__ = "0.1.0"
