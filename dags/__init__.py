"""Airflow DAGs: they declare order, schedule and assets, and call the pipelines. No logic lives here."""
