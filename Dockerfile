# Two images of one shop. "web" answers pages and has no torch; "worker" embeds photos and has.
#
#   docker build --target web .
#   docker build --target worker .

FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PATH=/venv/bin:$PATH \
    DEMO_DATA=/data \
    HOME=/data
# The shop runs as this account; /data holds photos, weights and the secret key.
RUN useradd --system --uid 10001 --home-dir /data shop \
    && install -d -o shop -g shop /data
WORKDIR /app

FROM base AS web-packages
RUN python -m venv /venv
COPY pyproject.toml README.md LICENSE ./
COPY imgrec imgrec
RUN pip install --no-cache-dir ".[api]" "psycopg[binary]" gunicorn whitenoise

FROM web-packages AS worker-packages
RUN pip install --no-cache-dir ".[worker,lite]"

FROM base AS web
COPY --from=web-packages /venv /venv
COPY manage.py ./
COPY demo_shop demo_shop
USER shop
EXPOSE 8000
CMD ["gunicorn", "demo_shop.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
    "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-"]

FROM base AS worker
COPY --from=worker-packages /venv /venv
COPY manage.py ./
COPY demo_shop demo_shop
USER shop
CMD ["celery", "-A", "demo_shop", "worker", "-Q", "imgrec", "-c", "2", "-l", "INFO"]
