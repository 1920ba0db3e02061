#!/bin/sh
# Is the container what docs/07-serve.md says? Builds the image, trains a small model in it, and runs it
# as it is told there: without root, without rights, nothing to write to but /data. Asks, keeps, loads
# again, stops. Exits 77 (skipped) where no container can be run.
#   BOX        the program (podman or docker, whichever works)
#   BOX_BUILD  more options of its build, BOX_RUN of its run, for machines that allow less
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
image=ocellus-check
name=ocellus-check-$$
failed=0

for program in ${BOX-podman docker}; do
    "$program" info >/dev/null 2>&1 && box=$program && break
done
if [ -z "${box-}" ] || ! command -v curl >/dev/null; then
    echo 'skipped: no podman or docker that works, or no curl'
    exit 77
fi

tmp=$(mktemp -d)
cleanup() {
    "$box" rm -f "$name" >/dev/null 2>&1 || true
    "$box" volume rm -f "$name-made" "$name-data" >/dev/null 2>&1 || true
    rm -rf "$tmp"
}
trap cleanup EXIT

# bounded OPTIONS...: `run` with as little as the server needs
bounded() {
    bounds='--read-only --cap-drop ALL --security-opt no-new-privileges'
    case $("$box" --version) in podman*) bounds="$bounds --read-only-tmpfs=false" ;; esac
    # shellcheck disable=SC2086 # lists of words
    "$box" run ${BOX_RUN-} $bounds "$@"
}

# claim WORDS COMMAND...: it succeeds
claim() {
    words=$1
    shift
    if "$@" >"$tmp/said" 2>&1; then
        echo "ok      $words"
    else
        failed=1
        echo "FAILED  $words"
        tail -n 5 "$tmp/said"
    fi
}

answers() { # PATH WORDS [CURL OPTIONS...]
    path=$1
    wanted=$2
    shift 2
    curl -sS -m 30 "$@" "$url$path" | tee "$tmp/answer" | grep -F "$wanted" || {
        cat "$tmp/answer"
        return 1
    }
}

logged() { "$box" logs "$name" 2>&1 | grep -F "$1"; }
inside() { "$box" exec "$name" "$@"; }
refused() { ! inside "$@"; }
eventually() { # within five seconds
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! "$@" || return 0
        sleep 0.5
    done
    return 1
}

# started: the server, in the background; its root is $url
started() {
    bounded -d --name "$name" -p 127.0.0.1::8080 -v "$name-made:/made:ro" -v "$name-data:/data" \
        "$image" /made/model --listen 0.0.0.0:8080 --db /data/observations.db
    url=http://$("$box" port "$name" 8080/tcp | head -n 1)
    eventually answers /readyz ready
}

# stopped: by SIGTERM, with nothing left to do, well and within the time that docker gives
stopped() {
    began=$(date +%s)
    "$box" stop -t 10 "$name" && [ $(($(date +%s) - began)) -lt 8 ] || return 1
    [ "$("$box" inspect -f '{{.State.ExitCode}}' "$name")" = 0 ]
}

echo "building $image with $box"
# shellcheck disable=SC2086 # a list of words
"$box" build ${BOX_BUILD-} -t "$image" . >"$tmp/build.log" 2>&1 || {
    tail -n 20 "$tmp/build.log"
    exit 1
}
"$box" image inspect -f '{{.Size}}' "$image" | awk '{ printf "        %.0f MB\n", $1 / 1e6 }'

claim 'what it needs is in it: it draws, trains and writes to /data' \
    bounded --rm -v "$name-made:/data" --entrypoint sh "$image" -c '
        ocellus synth /data/photos --classes 4 --per-class 20 --size 66 --seed 5 &&
        ocellus train /data/photos -o /data/model --arch thesis --size 66 --epochs 8 --seed 3'
bounded --rm -v "$name-made:/made:ro" --entrypoint cat "$image" /made/photos/lemon-daisy/001.jpg \
    >"$tmp/photo.jpg"

claim 'it starts and is ready' started
claim 'it is alive' answers /healthz ok
claim 'it runs as user 10001' sh -c "[ \"\$($box exec $name id -u)\" = 10001 ]"
claim 'it can write nowhere else' refused sh -c 'touch /x || touch /tmp/x || touch /made/x'
claim 'it names a photo' answers /v1/identify '"results":[{"label":' -F "images=@$tmp/photo.jpg"
claim 'it explains it' answers '/v1/identify?explain=1' 'data:image/png' -F "images=@$tmp/photo.jpg"
claim 'it keeps an observation' answers /v1/identify '"kept":true' -F "images=@$tmp/photo.jpg" -F keep=1
id=$(sed 's/.*"id":"\([0-9a-f]*\)".*/\1/; q' "$tmp/answer")
claim 'the health command of the docs finds it well' inside bash -c \
    'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /readyz HTTP/1.0\r\n\r\n" >&3; grep -q "200 OK" <&3'
"$box" kill -s HUP "$name" >/dev/null
claim 'SIGHUP loads the model again' eventually logged 'loaded again'
claim 'SIGTERM ends it well, within seconds' stopped
"$box" rm "$name" >/dev/null
claim 'a new container starts on the old data' started
claim 'what was kept is there' answers "/v1/observations/$id" '"status":"pending"'

# one that drips its photo is waited for, until somebody asks a second time
(printf 'POST /v1/identify HTTP/1.0\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n' && sleep 15) |
    curl -s -m 15 "telnet://${url#http://}" >/dev/null &
slow=$!
sleep 0.5
"$box" kill -s TERM "$name" >/dev/null
claim 'SIGTERM is heard while a photo is on its way' eventually logged stopping
claim 'and that photo is waited for' inside true
"$box" kill -s TERM "$name" >/dev/null
claim 'a second one ends it at once' eventually refused true
kill $slow 2>/dev/null || true
[ $failed = 0 ]
