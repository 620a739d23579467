# Two stages: packages are built in the first, the second holds only what runs. No weights inside.
FROM python:3.12-slim AS build
ARG EXTRAS=model
WORKDIR /src
RUN python -m venv /opt/es-rerank
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY es_rerank ./es_rerank
RUN /opt/es-rerank/bin/pip install --no-cache-dir -c constraints.txt ".[${EXTRAS}]"

FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 es-rerank \
 && mkdir -p /home/es-rerank/.cache && chown es-rerank /home/es-rerank/.cache
COPY --from=build /opt/es-rerank /opt/es-rerank
COPY plugin_config /etc/es-rerank
ENV PATH=/opt/es-rerank/bin:$PATH ES_RERANK_CONFIG=/etc/es-rerank \
    ES_RERANK_LISTEN=0.0.0.0:9201 ES_RERANK_API=0.0.0.0:9202
USER es-rerank
EXPOSE 9201 9202
HEALTHCHECK --interval=10s --timeout=3s --start-period=15m --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9202/healthz', timeout=2)"]
ENTRYPOINT ["es-rerank"]
CMD ["serve"]
