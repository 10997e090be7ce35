"""Whom to ask and how, from the plain fields of a connection. No Airflow."""
