#!/bin/sh
# kill -9 under load: every observation that a client was told is kept is there afterwards, whole.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server.sh"

tiny data
# shellcheck disable=SC2086 # a list of words
run 0 train data -o model $train_options
photo=$(find data -name '*.jpg' | sort | head -n 1)

# client NAME: keeps photos until the server is gone; acknowledged ids go to acknowledged.NAME
client() {
    while answer=$(curl -sf -F "images=@$photo" -F "images=@$photo" -F keep=1 "$url/v1/identify"); do
        case $answer in
        *'"kept":true'*) printf '%s\n' "$answer" | sed 's/^{"id":"\([0-9a-f]*\)".*/\1/' ;;
        esac
    done >>"acknowledged.$1"
}

claim "three times killed under load, the server has every observation that it has acknowledged"
for round in 1 2 3; do
    serve model --db observations.db
    clients=
    for name in a b c d; do
        client $name &
        clients="$clients $!"
    done
    sleep "$round"
    stop KILL
    # shellcheck disable=SC2086 # a list of words
    wait $clients
done
cat acknowledged.* | sort -u >all
echo "$(wc -l <all) acknowledged"
at_least "$(wc -l <all)" 20

serve model --db observations.db
lost=0
while read -r id; do
    code=$(curl -s -o one.json -w '%{http_code}' "$url/v1/observations/$id")
    urls=$(grep -o '/photos/[01]"' one.json 2>/dev/null | wc -l)
    [ "$code" = 200 ] && [ "$urls" = 2 ] || lost=$((lost + 1))
done <all
equal "$lost" 0
ask 200 "/v1/observations/$(head -n 1 all)/photos/1"

claim "the file is sound"
stop
if command -v sqlite3 >/dev/null; then
    equal "$(sqlite3 observations.db 'PRAGMA integrity_check')" ok
    equal "$(sqlite3 observations.db 'SELECT count(*) FROM photos')" \
        "$(sqlite3 observations.db 'SELECT 2 * count(*) FROM observations')"
fi
finish
