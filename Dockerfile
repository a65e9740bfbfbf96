# One image for web, worker and dispatcher; they differ in their command (see compose.yaml).
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /srv/prodapp
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN /opt/venv/bin/pip install --only-binary :all: -r requirements.txt
COPY . .
# The root file system is read-only at run time: what Python would write there is written now.
RUN /opt/venv/bin/python -m compileall -q -j 0 prodapp migrations wsgi.py /opt/venv/lib

FROM python:${PYTHON}-slim-bookworm AS runtime
ARG REVISION=unknown
LABEL org.opencontainers.image.title="prodapp" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin prodapp \
    && install -d -o prodapp -g prodapp -m 0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/prodapp /srv/prodapp
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLASK_APP=wsgi \
    HOST=0.0.0.0 \
    PORT=8001 \
    PRODAPP_INSTANCE=/data \
    METRICS_FOLDER=/tmp/metrics
WORKDIR /srv/prodapp
USER 10001:10001
VOLUME /data
EXPOSE 8001 9101
HEALTHCHECK --interval=15s --timeout=10s --start-period=90s --retries=3 \
    CMD ["python", "-m", "prodapp.healthcheck", "web"]
CMD ["python", "-m", "prodapp.server"]
