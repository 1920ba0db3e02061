#!/bin/bash
# How well ocellus learns with its defaults: nothing given but data, weights or architecture, epochs
# (where the aim names them), and a seed. Prints a table and appends a row each to
# bench/results/accuracy.csv.
#
#   bench/accuracy.sh [--seed K] [ROW ...]
#
# Rows: flowers17-all flowers17-head groceries landscapes; `flowers17-head` alone takes a minute or
# two, all of them about half an hour on two cores.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh

seed=1 rows=() status=0
while [ $# -gt 0 ]; do
    case $1 in
    --seed) shift && seed=${1-1} ;;
    -*)
        say "accuracy.sh: unknown option $1; usage: bench/accuracy.sh [--seed K] [ROW ...]"
        exit 1
        ;;
    *) rows+=("$1") ;;
    esac
    shift
done
[ ${#rows[@]} -gt 0 ] || rows=(flowers17-all flowers17-head groceries landscapes)

have_ocellus
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
table=$work/table
: >"$table"

# learn ROW REACH MOST_SECONDS DATA OPTION...: train, read the scores of the held-out photos
learn() {
    local row=$1 reach=$2 most=$3 data=$SHARED/data/$4 result n best seconds word options
    shift 4
    if [ ! -e "$data" ]; then
        say "$row: skipped ($data is absent)"
        printf '%s\t-\t-\t-\t-\tskipped: no data\n' "$row" >>"$table"
        return
    fi
    options="$* --seed $seed"
    say "$row: ocellus train $data $options"
    if ! "$OCELLUS" train "$data" -o "$work/$row" "$@" --seed "$seed" --json >"$work/json"; then
        printf '%s\t-\t-\t-\t-\tfailed\n' "$row" >>"$table"
        status=3
        return
    fi
    result=$(cat "$work/json")
    rm -rf "${work:?}/$row"
    n=$(field val_images <<<"$result")
    best=$(field best_accuracy <<<"$result")
    seconds=$(field seconds <<<"$result")
    word=$(verdict "$best" '>=' "$reach")
    [ -z "$most" ] || [ "$(calc "($seconds < $most)")" = 1 ] || word="short: longer than $most s"
    printf '%s\t%s\t%.2f %%\t>= %g %%\t%.1f\t%s\n' "$row" "$n" "$(calc "100 * $best")" \
        "$(calc "100 * $reach")" "$seconds" "$word" >>"$table"
    append accuracy row,n,accuracy,best_epoch,seconds,peak_rss,reach,options \
        "$row,$n,$(calc "$best"),$(field best_epoch <<<"$result"),$(calc "$seconds"),$(
            field peak_rss <<<"$result"),>= $reach,${options//"$SHARED"/\$SHARED}"
}

flowers17-all() { learn flowers17-all 0.96 '' flowers17 --from "$WEIGHTS" --epochs 10; }
flowers17-head() { learn flowers17-head 0.95 '' flowers17 --from "$WEIGHTS" --tune head; }
groceries() {
    learn groceries 0.83 '' groceries/train.txt --val "$SHARED/data/groceries/val.txt" \
        --from "$WEIGHTS" --epochs 8
}
landscapes() { learn landscapes 0.70 180 landscapes --arch thesis; }

for name in "${rows[@]}"; do
    case $name in
    flowers17-all | flowers17-head | groceries | landscapes) "$name" ;;
    *)
        say "accuracy.sh: there is no row $name: known are flowers17-all, flowers17-head, groceries, landscapes"
        exit 1
        ;;
    esac
done

# The head alone is to be five times faster than the whole net.
seconds_of() { awk -F '\t' -v row="$1" '$1 == row && $5 != "-" { print $5 }' "$table"; }
all=$(seconds_of flowers17-all)
head=$(seconds_of flowers17-head)

echo "$(machine), $(nproc) cores, $(commit), $("$OCELLUS" --version | head -n 1), seed $seed"
{ printf 'what\tn\taccuracy\treach\tseconds\tverdict\n' && cat "$table"; } |
    awk -F '\t' '{ printf "%-16s %6s %10s %10s %9s  %s\n", $1, $2, $3, $4, $5, $6 }'
[ -z "$all" ] || [ -z "$head" ] ||
    echo "the head alone is $(calc "$all / $head") times faster than the whole net (reach: 5)"
exit $status
