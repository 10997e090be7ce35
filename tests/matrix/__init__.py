"""Every supported Airflow and Python, one after the other: ``make matrix``."""
