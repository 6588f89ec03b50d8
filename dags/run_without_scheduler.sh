#!/bin/sh
# Run the DAG `audit_quick` once, without scheduler or server, on Airflow's SQLite default.
# Arguments are handed to `airflow dags test`, for instance: --conf '{"seed": 7}'
set -eu
cd "$(dirname "$0")/.."
export AIRFLOW_HOME="${AIRFLOW_HOME:-$PWD/.airflow}"
export AIRFLOW__CORE__DAGS_FOLDER="$PWD/dags"
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__PARALLELISM=4
export CONTRECHAMP_RUNS="${CONTRECHAMP_RUNS:-$PWD/runs}"
export MLFLOW_DISABLE_TELEMETRY=true
airflow db migrate >/dev/null
airflow dags test audit_quick "$@"
echo "Finished runs are in $CONTRECHAMP_RUNS (or in the folder named by --conf)." >&2
