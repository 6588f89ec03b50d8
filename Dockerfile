# One image for every service of docker-compose.yml. Not built by the authors: see "Servers" in README.md.
FROM python:3.11-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends git libgl1 libglib2.0-0 libxcb1 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -e ".[postgres,dask]" -c constraints.txt \
 && pip install --no-cache-dir --no-deps jupedsim -c constraints.txt \
 && useradd --create-home --uid 10001 app \
 && mkdir -p /data/runs /data/mlflow /keys /lake \
 && chown -R app /data /keys /lake \
 && chmod 700 /keys /lake
USER app
