"""The Streamlit dashboard: app.py, pure views, one file per page."""
