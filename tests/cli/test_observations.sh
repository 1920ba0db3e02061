#!/bin/sh
# Observations from a user's photo to training data: kept, listed, judged, exported, trained on;
# and who may do which of it.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server.sh"

tiny data
# shellcheck disable=SC2086 # a list of words
run 0 train data -o model $train_options
label=$(ls data | head -n 1)
other=$(ls data | tail -n 1)
photo=$(find "data/$label" -name '*.jpg' | sort | head -n 1)
second=$(find "data/$label" -name '*.jpg' | sort | tail -n 1)

# keep PHOTO [CURL OPTIONS...]: its id and token
keep() {
    file=$1
    shift
    ask 200 /v1/identify -F "images=@$file" -F keep=1 "$@"
    id=$(field id)
    token=$(field token)
}
# judge STATUS ID JSON
judge() {
    ask "$1" "/v1/observations/$2/review" -H 'Content-Type: application/json' -d "$3"
}

claim "without --db nothing is kept, and the server says how"
serve model --open-review
ask 409 /v1/identify -F "images=@$photo" -F keep=1
prints "--db"
ask 404 /v1/observations
prints "--db"
stop

claim "without --keys nobody reviews, from this machine neither, unless --open-review says so"
serve model --db observations.db
keep "$photo"
ask 403 /v1/review
prints "--open-review"
ask 403 /v1/observations
judge 403 "$id" '{"verdict": "confirm"}'
ask 403 "/v1/observations/$id" -X DELETE
ask 200 "/v1/observations/$id"
ask 204 "/v1/observations/$id" -X DELETE -H "X-Delete-Token: $token"
stop

claim "what is kept is there with its words, as text, and its place blurred"
serve model --db observations.db --blur 0.1 --open-review
evil="<script>alert(1)</script>'); DROP TABLE observations; --"
keep "$photo" -F "images=@$second" -F organs=flower -F lat=48.1371 -F lon=-11.5754 \
    -F date=2026-05-31 -F lang=de --form-string "note=$evil" --form-string "label=$evil"
ask 200 "/v1/observations/$id"
equal "$(field note)" "$evil"
equal "$(field suggested)" "$evil"
equal "$(field status)" pending
equal "$(field organs.0)" flower
awk -v v="$(field lat)" 'BEGIN { exit !(v > 48.09999 && v < 48.10001) }' || fail "lat $(field lat)"
ask 200 "/v1/observations/$id/photos/1"
grep -qi '^content-type: image/jpeg' "$work/.stderr" || fail "no image/jpeg"
ask 404 "/v1/observations/$id/photos/2"
ask 200 /v1/observations
equal "$(field observations.0.id)" "$id"

claim "bad fields are refused by name"
for bad in lat=91 lat=nan date=2026-02-30 lang=- keep=7; do
    ask 400 /v1/identify -F "images=@$photo" -F "$bad"
    prints "${bad%%=*}"
done

claim "ids with SQL or paths in them find nothing"
ask 404 "/v1/observations/%27%20OR%201=1--"
ask 404 "/v1/observations/..%2f..%2fetc"
ask 404 "/v1/observations/$id/photos/-1"

claim "verdicts are given once for what was seen"
first=$id
judge 200 "$first" '{"verdict": "confirm", "seen": "pending", "note": "clear"}'
equal "$(field status)" confirmed
equal "$(field reviewer)" local
judge 409 "$first" '{"verdict": "reject", "seen": "pending"}'
judge 400 "$first" '{"verdict": "burn"}'
judge 400 "$first" '{"verdict": "correct"}'
judge 404 nobody '{"verdict": "confirm"}'
judge 422 "$first" '{"verdict": '
ask 415 "/v1/observations/$first/review" -H 'Content-Type: text/plain' -d '{"verdict": "confirm"}'
keep "$second"
judge 400 "$id" '{"verdict": "correct", "label": "   "}'
named=$(basename "$(dirname "$photo")")
judge 200 "$id" "{\"verdict\": \"correct\", \"label\": \" $(printf %s "$named" | tr 'a-z-' 'A-Z-') \"}"
equal "$(field label)" "$named"
judge 200 "$id" "{\"verdict\": \"correct\", \"label\": \"../../$other\\\"x\"}"
equal "$(field label)" "../../$other\"x"

claim "from another machine nobody reviews or lists; a token takes one back"
keep "$photo"
ask 403 /v1/review -H 'X-Forwarded-For: 192.0.2.1'
ask 403 /v1/observations -H 'Via: 1.1 proxy'
ask 403 /v1/review -H 'Host: rebound.example'
ask 403 "/v1/observations/$id" -X DELETE -H 'X-Forwarded-For: 192.0.2.1'
ask 403 "/v1/observations/$id" -X DELETE -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Delete-Token: x'
ask 204 "/v1/observations/$id" -X DELETE -H 'X-Forwarded-For: 192.0.2.1' -H "X-Delete-Token: $token"
ask 404 "/v1/observations/$id"

claim "what experts have named is exported, harmlessly, while the server runs"
for file in data/*/*.jpg; do
    keep "$file"
    judge 200 "$id" "{\"verdict\": \"correct\", \"label\": \"$(basename "$(dirname "$file")")\"}"
done
keep "$photo"
run 0 export-observations observations.db reviewed --json
equal "$(field observations)" 32
equal "$(field photos)" 33
equal "$(find reviewed -name '*.jpg' | wc -l)" 33
equal "$(wc -l <reviewed/observations.csv)" 34
equal "$(grep -c "\"$first\"" reviewed/observations.csv)" 2
[ ! -e "$other" ] || fail "a label has led out of the folder"
run 1 export-observations observations.db reviewed
says "not empty"
run 1 export-observations observations.db elsewhere --status pending
run 2 export-observations nothing.db elsewhere
run 0 export-observations observations.db confirmed --status confirmed --json
equal "$(field photos)" 2
stop

claim "train takes what was exported, photos of one observation as one group"
grep -vF "../../$other" reviewed/observations.csv >reviewed/clean.csv
equal "$(head -n 1 reviewed/observations.csv | cut -d, -f1-3)" path,label,group
equal "$(cut -d, -f3 reviewed/clean.csv | sort | uniq -d)" "\"$first\""
run 0 train reviewed/clean.csv -o again --from model --epochs 1 --batch 8 --threads 1 --seed 3
run 0 predict again "$photo" --json

claim "with --keys each role may do its own, and a quota ends"
cat >keys <<LIST
# who may come in
key-of-anna anna user 2
sha256:$(printf key-of-berta | sha256sum | cut -d' ' -f1) berta expert
LIST
serve model --db observations.db --keys keys
ask 401 /v1/models
grep -qi '^www-authenticate: bearer' "$work/.stderr" || fail "no WWW-Authenticate"
ask 401 /v1/models -H 'Authorization: Bearer key-of-ann'
ask 200 /v1/models -H 'Authorization: Bearer key-of-anna'
ask 200 /v1/models -H 'X-API-Key: key-of-anna'
ask 200 '/v1/models?api-key=key-of-anna'
ask 200 /v1/config
ask 200 /healthz
ask 403 /v1/review -H 'X-API-Key: key-of-anna'
ask 200 /v1/review -H 'X-API-Key: key-of-berta'
ask 200 /v1/identify -H 'X-API-Key: key-of-anna' -F "images=@$photo"
ask 200 /v1/identify -H 'X-API-Key: key-of-anna' -F "images=@$photo"
ask 429 /v1/identify -H 'X-API-Key: key-of-anna' -F "images=@$photo"
grep -qi '^retry-after: [1-9]' "$work/.stderr" || fail "no Retry-After"

claim "SIGHUP reads the keys again; a broken file changes nothing"
echo "key-of-carl carl user" >keys
kill -HUP "$server"
tries=0
while [ $tries -lt 50 ] && [ "$(curl -s -o /dev/null -w '%{http_code}' \
    -H 'X-API-Key: key-of-carl' "$url/v1/models")" != 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
ask 200 /v1/models -H 'X-API-Key: key-of-carl'
ask 401 /v1/models -H 'X-API-Key: key-of-anna'
echo broken >keys
kill -HUP "$server"
sleep 0.3
ask 200 /v1/models -H 'X-API-Key: key-of-carl'
stop

claim "an address that asks too often waits; behind a trusted proxy each has its own bucket"
serve model --limit 60:2 --trust-proxy
ask 200 /v1/identify -F "images=@$photo" -H 'X-Forwarded-For: 198.51.100.9, 192.0.2.1'
ask 200 /v1/identify -F "images=@$photo" -H 'X-Forwarded-For: 192.0.2.1'
ask 429 /v1/identify -F "images=@$photo" -H 'X-Forwarded-For: 198.51.100.8, 192.0.2.1'
grep -qi '^retry-after: [1-9]' "$work/.stderr" || fail "no Retry-After"
ask 200 /v1/identify -F "images=@$photo" -H 'X-Forwarded-For: 192.0.2.2'
ask 429 /v1/identify -F "images=@$photo" -H 'X-Forwarded-For: 198.51.100.7' \
    -H 'X-Forwarded-For: 192.0.2.1'
ask 403 /v1/review -H 'X-Forwarded-For: 127.0.0.1' -H 'X-Forwarded-For: 192.0.2.1'
ask 403 /v1/review -H 'X-Forwarded-For: 192.0.2.1, 127.0.0.1'
ask 403 /v1/review -H 'X-Forwarded-For: ::1'
ask 403 /v1/review
ask 200 /v1/models -H 'X-Forwarded-For: 192.0.2.1'
stop

claim "what nobody confirms is removed after its time"
serve model --db old.db
keep "$photo"
stop
if command -v sqlite3 >/dev/null; then
    sqlite3 old.db "UPDATE observations SET created = '2020-01-01T00:00:00Z'"
    serve model --db old.db --retain 30
    tries=0
    while [ $tries -lt 50 ] && [ "$(curl -s -o /dev/null -w '%{http_code}' \
        "$url/v1/observations/$id")" != 404 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    ask 404 "/v1/observations/$id"
    stop
fi

claim "options that make no sense are refused"
run 1 serve model --limit 0
run 1 serve model --open-review --trust-proxy
says "proxy"
run 1 serve model --open-review --keys keys
run 2 serve model --keys missing
run 2 serve model --db "$photo"
run 1 serve model --blur -1
finish
