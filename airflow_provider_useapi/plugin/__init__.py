"""The page *useapi.net* in Airflow's own UI (Airflow 3.1+): what audits recorded, which gates wait."""
