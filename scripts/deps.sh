#!/bin/sh
# Install the Debian packages that ocellus is built from; --check adds those of the tests.
# What is there already is left alone, so that a second run needs neither network nor root.
# SPDX-License-Identifier: BSD-2-Clause
set -eu

# package, and what it is for
build_parts() {
    cat <<'LIST'
gcc                  compiler
make                 the short commands
cmake                build
ninja-build          build
pkg-config           finds the libraries
libc6-dev            C library
libdnnl-dev          oneDNN: the maths of the fast engine
libjansson-dev       JSON
libxxhash-dev        digests
libjpeg62-turbo-dev  JPEG
libspng-dev          PNG
libwebp-dev          WebP
libmicrohttpd-dev    HTTP and TLS: serve
libgnutls28-dev      SHA-256 of keys: serve (libmicrohttpd's TLS stands on it anyway)
libsqlite3-dev       SQL: observations that serve keeps
zlib1g-dev           gzip: long answers of serve
libhdf5-dev          HDF5: weights from Keras
liblmdb-dev          LMDB: photos as Caffe stores them (optional)
LIST
}

check_parts() {
    cat <<'LIST'
libcmocka-dev        unit tests
curl                 talks to the server: tests of serve
sqlite3              looks into its database: tests of serve
clang                second compiler, fuzzing
libclang-rt-14-dev   sanitizers and fuzzer of clang
clang-format         layout of the code
binutils             objdump: looks for mutable globals
python3-venv         peers of the tests (scripts/peers.sh)
LIST
}

there() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

missing_of() {
    while read -r package what; do
        if ! there "$package"; then
            echo "needs $package ($what)" >&2
            printf '%s ' "$package"
        fi
    done
}

if ! command -v dpkg-query >/dev/null; then
    echo "deps: not a Debian system; these packages, or what your system calls them, are needed:"
    build_parts
    exit 0
fi

missing=$(build_parts | missing_of)
if [ "${1-}" = --check ]; then
    missing="$missing$(check_parts | missing_of)"
fi
if [ -z "$missing" ]; then
    echo "deps: all packages are there"
    exit 0
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: run as root: apt-get install $missing" >&2
        exit 3
    fi
    sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086 # a list of words
$sudo apt-get install -q -y --no-install-recommends $missing
