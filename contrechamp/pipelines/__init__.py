"""The platform's operation: one function per task of the DAG and per verb of the command line."""
