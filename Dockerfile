# `ocellus serve` in a container that has nothing but it: built in one stage, run from the next, as a
# user without rights, on a file system that may be read-only. /healthz and /readyz are for probes.
#
#   docker build -t ocellus .
#   docker run --rm --read-only -p 8080:8080 -v "$PWD/model:/model:ro" ocellus
#   ... -v ocellus-data:/data ocellus /model --listen 0.0.0.0:8080 --db /data/observations.db
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/deps.sh scripts/
RUN scripts/deps.sh
COPY . .
RUN cmake -S . -B /build -G Ninja -DOC_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr && \
    ninja -C /build && DESTDIR=/out cmake --install /build --strip

FROM debian:12-slim
RUN apt-get update -q && apt-get install -qy --no-install-recommends libdnnl2 libgomp1 libhdf5-103-1 \
    libjansson4 libjpeg62-turbo libspng0 libwebp7 libxxhash0 liblmdb0 libmicrohttpd12 libgnutls30 \
    libsqlite3-0 && rm -rf /var/lib/apt/lists/* && \
    useradd --system --uid 10001 ocellus && install -d -o ocellus -m 0700 /data
COPY --from=build /out/usr/bin/ocellus /usr/bin/ocellus
USER ocellus
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["ocellus", "serve"]
CMD ["/model", "--listen", "0.0.0.0:8080"]
