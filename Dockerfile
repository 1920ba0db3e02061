# `ocellus serve` in a container that has nothing but it: built in one stage, run from the next, as a
# user without rights, on a file system that may be read-only. /healthz and /readyz are for probes.
#
#   docker build -t ocellus .
#   docker run --rm --read-only -p 8080:8080 -v "$PWD/model:/model:ro" ocellus
#   ... -v ocellus-data:/data ocellus /model --listen 0.0.0.0:8080 --db /data/observations.db
#
# `make box` builds it and runs it so. Weights of Keras (HDF5) and LMDBs are for training and left out:
# HDF5 alone would bring curl, OpenSSL, Kerberos and LDAP into the server.
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/deps.sh scripts/
RUN scripts/deps.sh
COPY . .
RUN cmake -S . -B /build -G Ninja -DOC_TESTS=OFF -DOC_HDF5=OFF -DOC_LMDB=OFF && \
    ninja -C /build && DESTDIR=/out cmake --install /build --prefix /usr --strip

FROM debian:12-slim
RUN apt-get update -q && apt-get install -qy --no-install-recommends libdnnl2 libgomp1 libjansson4 \
    libjpeg62-turbo libspng0 libwebp7 libxxhash0 libmicrohttpd12 libgnutls30 libsqlite3-0 zlib1g && \
    rm -rf /var/lib/apt/lists/* && groupadd --gid 10001 ocellus && \
    useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin ocellus && \
    install -d -o 10001 -g 10001 -m 0700 /data
COPY LICENSE /usr/share/doc/ocellus/
COPY --from=build /out/usr/bin/ocellus /usr/bin/ocellus
# fails where a library is missing
RUN ocellus --version
# a number, for those who check before they start it that it is not root's
USER 10001:10001
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["ocellus", "serve"]
CMD ["/model", "--listen", "0.0.0.0:8080"]
