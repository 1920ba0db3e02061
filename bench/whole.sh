# Rows of the benchmark table that run whole commands: one photo, a plan's share, fine-tuning. To be
# sourced by run.sh after rows.sh.
# SPDX-License-Identifier: BSD-2-Clause

# made MODEL ARCH: a model folder of made-up photos in $work/synth, hardly trained
made() {
    [ -d "$work/synth" ] || "$OCELLUS" synth "$work/synth" --classes 2 --per-class 8 --size 500 \
        --seed 1 >"$work/log" 2>&1 || return
    "$OCELLUS" train "$work/synth" -o "$1" --arch "$2" --epochs 1 --batch 4 --seed 1 >"$work/log" 2>&1
}

# int8 beside fp32, the same network; its accuracy is the tests' matter
int8() {
    local metric='infer resnet50 int8, batch 32'
    if ! made "$work/float" resnet50 || ! "$OCELLUS" quantize "$work/float" "$work/synth" \
        -o "$work/ocellus" --max-drop 100 >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        failed "$metric" "making a model"
        return
    fi
    take_turns "$metric" images_per_second int8 '' 32 || return
    record_turns "$metric" images/s int8 int8
}

# One photo named by a whole mobilenet_v2 model, from the start of the process to its end.
startup() {
    local times=() start photo rounds=$starts
    made "$work/model" mobilenet_v2 ||
        { tail -n 5 "$work/log" >&2; failed "predict one photo" "making a model"; return; }
    photo=$(find "$work/synth" -name '*.jpg' | sort | head -n 1)
    for ((i = 0; i <= starts; i++)); do
        start=$(now)
        "$OCELLUS" predict "$work/model" "$photo" >"$work/log" 2>&1 || { failed "predict one photo" predict; return; }
        [ "$i" -eq 0 ] || times+=("$(calc "$(now) - $start")") # the first one warms the page cache
    done
    record "predict one photo" ocellus s "$(median "${times[@]}")" "$(least "${times[@]}")" \
        "$(most "${times[@]}")" '' '' '< 0.15'
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

# ready_to_tune ROW: photos, weights and the table of them are there
ready_to_tune() {
    have_shared || { skip "$1" "skipped: $SHARED is absent"; return 1; }
    split_flowers >"$work/flowers.csv"
}
tune() {
    rm -rf "$work/tuned"
    printf '%s\n' "$OCELLUS" train "$work/flowers.csv" -o "$work/tuned" --from "$WEIGHTS" \
        --epochs "$epochs" --batch 32 --seed 1 --json
}

# plan: forward, backward and update, of a fine-tuning run's wall clock. Validation, which is not
# split into waiting and computing, is left out of both.
plan_share() {
    local command json passes=0 pass rounds=1
    ready_to_tune plan || return
    mapfile -t command < <(tune)
    json=$("${command[@]}" 2>"$work/log") || { tail -n 5 "$work/log" >&2; failed plan train; return; }
    for pass in forward backward update; do
        passes=$(calc "$passes + $(field "$pass" <<<"$json")")
    done
    record "fine-tuning, share in the plan" ocellus share \
        "$(calc "$passes / ($(field seconds <<<"$json") - $(field validation <<<"$json"))")" \
        '' '' "$(calc "$(field peak_rss <<<"$json") / 1e6")" '' '>= 0.93'
}

# tree NAME COMMAND...: its JSON of seconds and peak_bytes; the command's words go to a log
tree() {
    local log=$work/$1.log
    shift
    "$PYTHON" bench/tree.py "$@" 2>"$log" || { tail -n 5 "$log" >&2; return 1; }
}

# The whole command: photos on disk to a scored model. Wall clock and memory of the process tree.
finetune() {
    local ours=() peers=() ratios=() our_mb=() peer_mb=() shares=() command mine theirs name rounds=$finetune_rounds
    ready_to_tune finetune || return
    "$PYTHON" -c '' 2>/dev/null || { skip finetune "skipped: no $PYTHON to measure memory with"; return; }
    name="fine-tune, $epochs epochs of $(grep -c train$ "$work/flowers.csv") photos"
    for ((i = 1; i <= rounds; i++)); do
        mapfile -t command < <(tune)
        mine=$(tree ours "${command[@]}") || { failed "$name" train; return; }
        ours+=("$(field seconds <<<"$mine")")
        our_mb+=("$(calc "$(field peak_bytes <<<"$mine") / 1e6")")
        say "$name, round $i of $rounds: ${ours[-1]} s, accuracy $(field best_accuracy <"$work/ours.log")"
        [ -n "$OLD" ] || continue
        theirs=$(tree peer "$PYTHON" bench/peers/finetune.py "$work/flowers.csv" "$WEIGHTS" \
            --epochs "$epochs" --batch 32) || { failed "$name" finetune.py; return; }
        peers+=("$(field seconds <<<"$theirs")")
        peer_mb+=("$(calc "$(field peak_bytes <<<"$theirs") / 1e6")")
        ratios+=("$(calc "${peers[-1]} / ${ours[-1]}")")
        shares+=("$(calc "${our_mb[-1]} / ${peer_mb[-1]}")")
        say "  peer: ${peers[-1]} s, accuracy $(field best_accuracy <"$work/peer.log")"
    done
    record "$name" ocellus s "$(median "${ours[@]}")" "$(least "${ours[@]}")" "$(most "${ours[@]}")" \
        "$(median "${our_mb[@]}")" '' ''
    [ -n "$OLD" ] || return 0
    record "$name" "$(name_of old)" s "$(median "${peers[@]}")" "$(least "${peers[@]}")" \
        "$(most "${peers[@]}")" "$(median "${peer_mb[@]}")" "$(median "${ratios[@]}")" '>= 2.5'
    record "its peak memory" ocellus MB '' '' '' '' "$(median "${shares[@]}")" '<= 0.5'
}

# ---- by name --------------------------------------------------------------------------------------

known_row() {
    case $1 in
    limits | classes | int8 | loader | startup | plan | finetune | train-?* | infer-?*-b[1-9]* | share-?*) true ;;
    *) false ;;
    esac
}

measure() { # ROW
    local net=${1#*-}
    case $1 in
    train-*-b[1-9]*) contest "$1" train "${net%-b*}" "${net##*-b}" ;;
    train-*) contest "$1" train "$net" 32 ;;
    infer-*) contest "$1" infer "${net%-b*}" "${net##*-b}" ;;
    share-*) share_of_peak "$net" ;;
    plan) plan_share ;;
    *) "$1" ;;
    esac
}
