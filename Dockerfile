# The image of every Airflow component: the official one with the provider installed in it.
# Another version of Airflow or Python:  docker compose build --build-arg AIRFLOW_IMAGE_TAG=3.3.3-python3.12
ARG AIRFLOW_IMAGE_TAG=3.3.2-python3.11
FROM apache/airflow:${AIRFLOW_IMAGE_TAG}

# Connection types, the plugin and the migrations come from an installed package: mounting plugins/ is not enough.
COPY --chown=airflow:0 pyproject.toml README.md LICENSE /opt/airflow/provider/
COPY --chown=airflow:0 requirements /opt/airflow/provider/requirements
COPY --chown=airflow:0 plugins /opt/airflow/provider/plugins

# Without bytecode every start of every component would compile a thousand modules. Some packages ship files for
# other Python versions: they do not compile here and are never imported, so compileall may complain.
RUN cd /opt/airflow/provider \
    && pip install --no-cache-dir --no-input --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: -r requirements/base.txt -r requirements/postgres.txt -r requirements/distributed.txt \
    && pip install --no-cache-dir --no-input --disable-pip-version-check --no-deps --no-build-isolation . \
    && { python -m compileall -qq -j 0 "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true; } \
    && python -c 'import quantconnect_provider, airflow.providers.celery.executors.celery_executor' \
    && rm -rf /opt/airflow/provider

COPY --chown=airflow:0 docker /opt/airflow/docker
COPY --chown=airflow:0 dags /opt/airflow/dags
