"""The page *useapi.net* in Airflow's UI (3.1+): what audits recorded, and which gates wait."""
