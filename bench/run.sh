#!/bin/bash
# How fast ocellus is beside what one would otherwise use: PyTorch, torchvision and Pillow on the
# same machine, in turns (ours, theirs, ours, theirs ...), with the same work. A ratio is the median
# of the rounds' ratios. Prints a table and appends a row each to bench/results/speed.csv.
#
#   bench/run.sh [--quick] [--rounds N] [--name NAME] [ROW ...]
#
# Rows: train-NET and infer-NET-bBATCH for each network that torchvision has, too; loader startup
#       finetune. Without any: those that have an aim to reach.
# OCELLUS, SHARED, RESULTS, PYTHON say where things are, if not in their usual places (lib.sh).
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh

rounds=3 reps=5 seconds=1 epochs=2 share=1 starts=20 finetune_rounds=3 file=speed rows=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) reps=3 seconds=0.5 epochs=1 share=2 starts=10 finetune_rounds=1 ;;
    --rounds) shift && rounds=${1-3} finetune_rounds=${1-3} ;;
    --name) shift && file=${1-speed} ;;
    -*)
        say "run.sh: unknown option $1; usage: bench/run.sh [--quick] [--rounds N] [--name NAME] [ROW ...]"
        exit 1
        ;;
    *) rows+=("$1") ;;
    esac
    shift
done
[ ${#rows[@]} -gt 0 ] || rows=(train-mobilenet_v2 train-resnet18 train-resnet50 train-googlenet
    train-squeezenet1_1 train-alexnet infer-mobilenet_v2-b1 infer-mobilenet_v2-b32 loader startup
    finetune)

have_ocellus
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
table=$work/table
status=0
PEER=
have_peer || say "peer: skipped (PyTorch is absent: apt-get install python3-torch python3-torchvision python3-pil)"

# row METRIC UNIT OURS PEER RATIO OP REACH ROUNDS: into the table and the results
row() {
    local judged=${5:-$3} word
    [ -n "$4" ] || [ "$6" = '<' ] || judged= # a ratio is judged, or a limit, never a bare speed
    word=$(verdict "$judged" "$6" "$7")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:--}" "${5:--}" \
        "${7:+$6 }${7:--}" "${word:--}" >>"$table"
    append "$file" metric,unit,ours,peer,ratio,reach,rounds,peer_version \
        "${1//,/},$2,$3,$4,$5,${7:+$6 }$7,$8,${4:+$PEER}"
}
skip() {
    printf '%s\t%s\t-\t-\t-\t-\t%s\n' "$1" - "skipped: $2" >>"$table"
    say "$1: skipped ($2)"
}
failed() {
    status=3
    skip "$1" "$2 failed"
}

# in_turns METRIC FIELD REACH OURS PEER: the two commands print JSON with FIELD, the higher the better
in_turns() {
    local ours=() peers=() ratios=() mine theirs
    for ((i = 1; i <= rounds; i++)); do
        mine=$(eval "$4" | field "$2")
        [ -n "$mine" ] || { failed "$1" "$4"; return; }
        ours+=("$mine")
        [ -n "$PEER" ] || continue
        theirs=$(eval "$5" | field "$2")
        [ -n "$theirs" ] || { failed "$1" "$5"; return; }
        peers+=("$theirs")
        ratios+=("$(calc "$mine / $theirs")")
        say "$1, round $i of $rounds: $(calc "$mine") beside $(calc "$theirs"), ratio ${ratios[-1]}"
    done
    row "$1" images/s "$(median "${ours[@]}")" "${peers:+$(median "${peers[@]}")}" \
        "${ratios:+$(median "${ratios[@]}")}" '>=' "$3" "$rounds"
}

# reach_of ROW: the ratio to reach beside Debian's PyTorch 1.13, channels_last; none for most
reach_of() {
    case $1 in
    train-mobilenet_v2) echo 3.5 ;;
    train-resnet18) echo 1.8 ;;
    train-resnet50 | train-googlenet) echo 2.3 ;;
    train-squeezenet1_1 | infer-mobilenet_v2-*) echo 2 ;;
    train-alexnet) echo 2.5 ;;
    esac
}

# throughput MODE NET BATCH REACH
throughput() {
    in_turns "$1 $2 batch $3" images_per_second "$4" \
        "\"$OCELLUS\" bench --json --mode $1 --arch $2 --batch $3 --reps $reps --seconds $seconds" \
        "\"$PYTHON\" bench/peers/$1_throughput.py $2 $3 $reps $seconds"
}

loader() {
    have_shared || { skip loader "$SHARED is absent"; return; }
    in_turns "photos varied, a core" varied_per_second_and_core '' \
        "\"$OCELLUS\" bench --json --image \"$FLOWERS\" --reps 2 --seconds $seconds" \
        "\"$PYTHON\" bench/peers/loader.py \"$FLOWERS\" $seconds"
}

# One photo named by a whole mobilenet_v2 model, from the start of the process to its end.
startup() {
    local times=() start photo
    if ! "$OCELLUS" synth "$work/synth" --classes 2 --per-class 8 --size 500 --seed 1 >"$work/log" 2>&1 ||
        ! "$OCELLUS" train "$work/synth" -o "$work/model" --arch mobilenet_v2 --epochs 1 --batch 4 \
            --seed 1 >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        failed "predict one photo" "making a model"
        return
    fi
    photo=$(find "$work/synth" -name '*.jpg' | sort | head -n 1)
    for ((i = 0; i <= starts; i++)); do
        start=$(now)
        "$OCELLUS" predict "$work/model" "$photo" >"$work/log" 2>&1 || { failed "predict one photo" predict; return; }
        [ "$i" -eq 0 ] || times+=("$(calc "$(now) - $start")") # the first one warms the page cache
    done
    row "predict one photo" s "$(median "${times[@]}")" '' '' '<' 0.15 "$starts"
}

# A table of photos that both sides read: every fifth of a class is held out.
split_flowers() {
    echo path,label,split
    for folder in "$FLOWERS"/*/; do
        label=$(basename "$folder")
        find "$(realpath "$folder")" -type f | sort |
            awk -v label="$label" -v share="$share" 'NR % share == 0 {
                print $0 "," label "," (++kept % 5 == 0 ? "val" : "train") }'
    done
}

# tree NAME COMMAND...: its JSON of seconds and peak_bytes; the command's words go to a log
tree() {
    local log=$work/$1.log
    shift
    "$PYTHON" bench/tree.py "$@" 2>"$log" || { tail -n 5 "$log" >&2; return 1; }
}

# The whole command: photos on disk to a scored model. Wall clock and memory of the process tree.
finetune() {
    local ours=() peers=() ratios=() our_bytes=() peer_bytes=() shares=() mine theirs name
    have_shared || { skip finetune "$SHARED is absent"; return; }
    "$PYTHON" -c '' 2>/dev/null || { skip finetune "no $PYTHON to measure memory with"; return; }
    split_flowers >"$work/flowers.csv"
    name="fine-tune flowers17, $epochs epochs of $(grep -c train$ "$work/flowers.csv") photos"
    for ((i = 1; i <= finetune_rounds; i++)); do
        rm -rf "$work/tuned"
        mine=$(tree ours "$OCELLUS" train "$work/flowers.csv" -o "$work/tuned" --from "$WEIGHTS" \
            --epochs "$epochs" --batch 32 --seed 1 --json) || { failed "$name" train; return; }
        ours+=("$(field seconds <<<"$mine")")
        our_bytes+=("$(field peak_bytes <<<"$mine")")
        say "$name, round $i of $finetune_rounds: ${ours[-1]} s, accuracy $(field best_accuracy <"$work/ours.log")"
        [ -n "$PEER" ] || continue
        theirs=$(tree peer "$PYTHON" bench/peers/finetune.py "$work/flowers.csv" "$WEIGHTS" \
            --epochs "$epochs" --batch 32) || { failed "$name" finetune.py; return; }
        peers+=("$(field seconds <<<"$theirs")")
        peer_bytes+=("$(field peak_bytes <<<"$theirs")")
        ratios+=("$(calc "${peers[-1]} / ${ours[-1]}")")
        shares+=("$(calc "${our_bytes[-1]} / ${peer_bytes[-1]}")")
        say "  peer: ${peers[-1]} s, accuracy $(field best_accuracy <"$work/peer.log")"
    done
    row "$name" s "$(median "${ours[@]}")" "${peers:+$(median "${peers[@]}")}" \
        "${ratios:+$(median "${ratios[@]}")}" '>=' 2.5 "$finetune_rounds"
    row "its peak memory" MB "$(calc "$(median "${our_bytes[@]}") / 1e6")" \
        "${peer_bytes:+$(calc "$(median "${peer_bytes[@]}") / 1e6")}" \
        "${shares:+$(median "${shares[@]}")}" '<=' 0.5 "$finetune_rounds"
}

for name in "${rows[@]}"; do
    case $name in
    train-*) throughput train "${name#train-}" 32 "$(reach_of "$name")" ;;
    infer-*-b*)
        net=${name#infer-}
        throughput infer "${net%-b*}" "${net##*-b}" "$(reach_of "$name")"
        ;;
    loader | startup | finetune) "$name" ;;
    *)
        say "run.sh: there is no row $name; the rows are listed at the top of bench/run.sh"
        exit 1
        ;;
    esac
done

echo "$(machine), $(nproc) cores, $(commit), $("$OCELLUS" --version | head -n 1)${PEER:+, beside $PEER}"
{ printf 'what\tunit\tours\tpeer\tratio\treach\tverdict\n' && cat "$table"; } |
    awk -F '\t' '{ printf "%-50s %-9s %9s %9s %8s  %-8s %s\n", $1, $2, $3, $4, $5, $6, $7 }'
exit $status
