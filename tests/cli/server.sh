# Helpers of the tests that talk to a server: source it behind lib.sh. Needs curl; skips without.
# SPDX-License-Identifier: BSD-2-Clause
command -v curl >/dev/null || {
    echo "skipped: no curl"
    exit 77
}
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; chmod -R u+rwx "$work"; rm -rf "$work"' EXIT

# serve ARGUMENTS...: a server on a free port; its root is $url
serve() {
    last_command="ocellus serve $*"
    : >"$work/.stderr" # now: the server does so only when it runs
    "$binary" serve "$@" --listen 127.0.0.1:0 --threads 1 >"$work/.stdout" 2>"$work/.stderr" &
    server=$!
    url=
    tries=0
    while [ -z "$url" ] && [ $tries -lt 200 ] && kill -0 "$server" 2>/dev/null; do
        url=$(sed -n 's/^listening on \(http.*\)\/$/\1/p' "$work/.stderr")
        [ -n "$url" ] || sleep 0.05
        tries=$((tries + 1))
    done
    [ -n "$url" ] || fail "the server does not start"
}

# stop [SIGNAL]: the server ends, and well where it is asked to
stop() {
    kill "-${1-TERM}" "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    code=$?
    server=
    [ $code = 0 ] || [ "${1-TERM}" != TERM ] || fail "the server ended with $code"
}

# ask STATUS PATH [CURL OPTIONS...]: the answer has that status; its body is on "standard output"
ask() {
    wanted=$1
    path=$2
    shift 2
    last_command="curl $path $*"
    code=$(curl -s -o "$work/.stdout" -D "$work/.stderr" -w '%{http_code}' "$@" "$url$path")
    [ "$code" = "$wanted" ] || fail "status $code, expected $wanted"
}
