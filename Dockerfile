# docker build -t muster . && docker run -p 8080:8080 -v muster:/data muster
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY migrations migrations
RUN cargo build --locked --profile dist --bin muster && mkdir /data

FROM debian:bookworm-slim
# Whom webhooks are sent to must be who they say.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin muster
COPY --from=build /src/target/dist/muster /usr/local/bin/muster
COPY --from=build --chown=muster:muster /data /data
COPY LICENSE /usr/share/doc/muster/LICENSE
USER muster
WORKDIR /data
VOLUME /data
ENV MUSTER_LISTEN=0.0.0.0:8080 MUSTER_DATABASE=sqlite:/data/muster.db
EXPOSE 8080
# The image has no HTTP client; the shell's own sockets will do.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["muster"]
CMD ["serve"]
