# syntax=docker/dockerfile:1
# The gateway as an image: a wheel is built, then installed without a compiler in sight.
#
#   docker build -t llmgw .
#   docker run --read-only --tmpfs /tmp --cap-drop=ALL -p 4000:4000 -v llmgw:/data -e LLMGW_MASTER_KEY llmgw

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libhyperscan-dev pkg-config python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /build && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    /build/bin/maturin build --release --out /wheels

FROM python:3.11-slim-bookworm AS install
COPY requirements/run.txt /run.txt
RUN python -m venv /llmgw && /llmgw/bin/pip install --no-cache-dir --require-hashes -r /run.txt
COPY --from=build /wheels /wheels
RUN /llmgw/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-log-init --home-dir /data --create-home llmgw
COPY --from=install /llmgw /llmgw
# Everything that is written goes to /data; nothing else need be writable.
ENV LLMGW_HOME=/data PATH=/llmgw/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
WORKDIR /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:4000/health/liveliness', timeout=2)"]
ENTRYPOINT ["llmgw"]
CMD ["serve", "--host", "0.0.0.0", "--port", "4000"]
