# The rows of the benchmark table: how each is measured, judged, printed and recorded. To be sourced
# by run.sh, which sets rounds, reps, seconds, work and the like.
# SPDX-License-Identifier: BSD-2-Clause

columns=metric,who,unit,median,least,most,peak_mb,ratio,reach,verdict,rounds

# ---- the table and the results --------------------------------------------------------------------

heading() {
    echo "$(machine), $(nproc) cores, $(commit), $("$OCELLUS" --version | head -n 1)"
    [ -n "$OLD" ] || echo "  absent: PyTorch of the system (python3-torch python3-torchvision python3-pil)"
    [ -n "$NEW" ] || echo "  absent: the newest PyTorch (bench/peers/install.sh, or PEERS=FOLDER)"
    [ -n "$ORT" ] || echo "  absent: ONNX Runtime (bench/peers/install.sh, or PEERS=FOLDER)"
    [ -n "$OPENVINO" ] || echo "  absent: OpenVINO (bench/peers/install.sh, or PEERS=FOLDER)"
    line '' '' median least most 'peak MB' 'ratio' reach ''
}

# line WHAT UNIT MEDIAN LEAST MOST MB RATIO REACH VERDICT
line() {
    printf '%-36s %-8s %8s %8s %8s %8s %7s  %-9s%s\n' "$1" "$2" "$(short "$3")" "$(short "$4")" \
        "$(short "$5")" "$(short "$6")" "$(short "$7")" "$8" "$9"
}
# short NUMBER: three or four digits of it
short() {
    case $1 in
    [0-9]*) awk "BEGIN { printf($1 >= 1000 ? \"%.0f\" : \"%.3g\", $1) }" ;;
    *) printf '%s' "$1" ;;
    esac
}

# record METRIC WHO UNIT MEDIAN LEAST MOST MB RATIO REACH: printed as one line, and into the results.
# REACH is an operator and a number, such as ">= 2"; it judges the ratio, without one the median.
record() {
    local word
    # shellcheck disable=SC2086 # operator and number
    word=$(verdict "${8:-$4}" ${9:-'' ''})
    line "$([ "$2" = ocellus ] && printf '%s' "$1" || printf '  %s' "$2")" "$3" "$4" "$5" "$6" "$7" \
        "$8" "$9" "$word"
    append "$file" "$columns" "${1//,/},$2,$3,$4,$5,$6,$7,$8,$9,$word,$rounds"
}
skip() {
    line "$1" '' '' '' '' '' '' '' "$2"
    say "$1: $2"
}
failed() {
    status=3
    skip "$1" "failed: $2"
}

# ---- in turns -------------------------------------------------------------------------------------

# run_one WHO FIELD: the command of `command`; "VALUE MB LEAST MOST" onto the list of WHO
run_one() {
    local json value rss
    json=$("${command[@]}" 2>"$work/log")
    value=$(field "$2" <<<"$json")
    [ -n "$value" ] || { tail -n 5 "$work/log" >&2; return 1; }
    rss=$(field peak_rss <<<"$json")
    printf '%s %s %s %s\n' "$value" "$([ -z "$rss" ] || calc "$rss / 1e6")" "$(field "$2_min" <<<"$json")" \
        "$(field "$2_max" <<<"$json")" >>"$work/turns/$1"
}

# wanted MODE: those of its peers that are here and that --beside names
wanted() {
    local who
    for who in $(peers_of "$1"); do
        case ,$beside, in ,, | *,"$who",*) here "$who" && printf '%s ' "$who" ;; esac
    done
}

# take_turns METRIC FIELD MODE NET BATCH: a peer that fails is told and left out
take_turns() {
    local who round
    rm -rf "$work/turns" && mkdir "$work/turns"
    for ((round = 1; round <= rounds; round++)); do
        for who in ocellus $(wanted "$3"); do
            [ ! -e "$work/turns/$who.failed" ] || continue
            command_of "$who" "$3" "$4" "$5"
            run_one "$who" "$2" && say "$1, round $round of $rounds: $(name_of "$who")" \
                "$(short "$(tail -n 1 "$work/turns/$who" | cut -d ' ' -f 1)")" && continue
            mv "$work/turns/$who" "$work/turns/$who.failed" 2>/dev/null || : >"$work/turns/$who.failed"
            failed "$1" "${command[*]}"
            [ "$who" != ocellus ] || return 1
        done
    done
}

# column WHO NUMBER: of its turns
column() { awk -v n="$2" 'NF >= n { print $n }' "$work/turns/$1"; }
# ratio_to WHO COLUMN: the median of the rounds' ratios, ours / theirs
ratio_to() {
    # shellcheck disable=SC2046 # numbers
    median $(paste -d ' ' <(column ocellus "$2") <(column "$1" "$2") | awk '{ print $1 / $2 }')
}
# fastest PREFIX: which of those that took turns and begin so has the best median
fastest() {
    local path
    for path in "$work/turns/$1"*; do
        case ${path##*/} in ocellus | *.failed | *\*) continue ;; esac
        # shellcheck disable=SC2046
        printf '%s %s\n' "$(median $(column "${path##*/}" 1))" "${path##*/}"
    done | sort -g | tail -n 1 | cut -d ' ' -f 2
}

# shellcheck disable=SC2046 # lists of numbers
record_turns() { # METRIC UNIT MODE ROW
    local who reach ratio
    for who in ocellus $(wanted "$3"); do
        [ -s "$work/turns/$who" ] || continue
        ratio='' reach=''
        [ "$who" = ocellus ] || { ratio=$(ratio_to "$who" 1) && reach=$(reach_beside "$4" "$who"); }
        record "$1" "$(name_of "$who")" "$2" "$(median $(column "$who" 1))" \
            "$(least $(column "$who" 1) $(column "$who" 3))" \
            "$(most $(column "$who" 1) $(column "$who" 4))" "$(most $(column "$who" 2))" \
            "$ratio" "$reach"
    done
}

# ---- aims -----------------------------------------------------------------------------------------

# reach_beside ROW WHO: the ratio to reach, or nothing. Beside several forms of one peer, the fastest
# counts; beside the system's PyTorch, channels_last.
reach_beside() {
    case $1-$2 in
    train-mobilenet_v2-old-channels_last) printf '>= 3.5' ;;
    train-resnet18-old-channels_last) printf '>= 1.8' ;;
    train-resnet50-old-channels_last | train-googlenet-old-channels_last) printf '>= 2.3' ;;
    train-squeezenet1_1-old-channels_last) printf '>= 2' ;;
    train-alexnet-old-channels_last) printf '>= 2.5' ;;
    train-*-new-*) [ "$2" != "$(fastest new-)" ] || printf '>= 1.25' ;;
    infer-*-onnxruntime) printf '>= 1.1' ;;
    int8-float) printf '>= 2.2' ;;
    loader-*) [ "$2" != "$(fastest '')" ] || printf '>= 4' ;;
    esac
}
share_to_reach() {
    case $1 in
    resnet50) printf '>= 0.6' ;;
    googlenet) printf '>= 0.5' ;;
    vgg16) printf '>= 0.65' ;;
    esac
}

# ---- rows -----------------------------------------------------------------------------------------

limits() {
    local json rounds=1
    json=$("$OCELLUS" bench --json --arch thesis --batch 1 --reps 1 --seconds 0) ||
        { failed limits bench; return; }
    record 'multiply-adds in registers' ocellus GFLOP/s "$(field peak_gflops <<<"$json")" '' '' '' '' ''
    record 'memory, copying' ocellus GB/s "$(field memory_gb_per_second <<<"$json")" '' '' '' '' ''
}

# contest ROW MODE NET BATCH: images a second beside all others; where the time goes
contest() {
    local metric="$2 $3, batch $4"
    take_turns "$metric" images_per_second "$2" "$3" "$4" || return
    record_turns "$metric" images/s "$2" "$1"
    [ "$1" != train-resnet50 ] || memory_ratios
    split_time "$metric" "$2" "$3" "$4"
}
memory_ratios() {
    local who
    for who in old-channels_last new-channels_last; do
        [ ! -s "$work/turns/$who" ] ||
            record "memory beside $(name_of "${who%%-*}")" ocellus MB "" '' '' '' "$(ratio_to $who 2)" '<= 0.6'
    done
}
# split_time METRIC MODE NET BATCH: the shares of a step by kind of operation, largest first
split_time() {
    local kinds
    kinds=$("$OCELLUS" bench --json --layers --mode "$2" --arch "$3" --batch "$4" --reps 1 \
        --seconds "$seconds" 2>"$work/log" |
        sed 's/{"kind"/\n&/g' | sed -n 's/^{"kind": *"\([^"]*\)".*"share": *\([0-9.e-]*\).*/\1 \2/p' |
        awk '{ printf("%s %.4f\n", $1, $2) }')
    [ -n "$kinds" ] || { failed "$1, by kind" 'bench --layers'; return; }
    printf '  time: %s\n' "$(awk '{ printf("%s%s %.1f %%", (NR > 1 ? ", " : ""), $1, 100 * $2) }' <<<"$kinds")"
    while read -r kind part; do
        append "$file" "$columns" "${1//,/}: $kind,ocellus,share,$part,,,,,,,1"
    done <<<"$kinds"
}

# share NET: of the peak in training, with the batch that serves best
share_of_peak() {
    local json value best='' at='' batch rounds=1
    for batch in 16 32 64; do
        json=$("$OCELLUS" bench --json --arch "$1" --batch "$batch" --reps "$reps" \
            --seconds "$seconds" 2>"$work/log")
        value=$(field share_of_peak <<<"$json")
        say "share $1, batch $batch: ${value:-failed}"
        [ -n "$value" ] || continue
        [ -n "$best" ] && [ "$(calc "($value <= $best)")" = 1 ] || best=$value at=$batch
    done
    [ -n "$best" ] || { failed "share $1" bench; return; }
    record "train $1, share of peak, batch $at" ocellus share "$best" '' '' '' '' "$(share_to_reach "$1")"
}

# classes: one step of ResNet-50 with 294,000 of them, exact, then with a tenth of them sampled
classes() {
    local json way name rounds=1
    for way in '' '--sample-classes 0.1'; do
        name="294000 classes, batch 32${way:+, a tenth}"
        # shellcheck disable=SC2086 # an option and its value, or nothing
        json=$("$OCELLUS" bench --json --arch resnet50 --classes 294000 --batch 32 $way --reps 1 \
            --seconds 0 2>"$work/log") || { tail -n 5 "$work/log" >&2; failed "$name" bench; return; }
        record "$name" ocellus s/step "$(calc "32 / $(field images_per_second <<<"$json")")" '' '' '' '' ''
        record "its peak memory" ocellus MB "$(calc "$(field peak_rss <<<"$json") / 1e6")" \
            '' '' '' '' "$([ -n "$way" ] || printf '<= 16000')"
    done
}

loader() {
    have_shared || { skip loader "skipped: $SHARED is absent"; return; }
    take_turns "photos varied, a core" varied_per_second_and_core loader '' '' || return
    record_turns "photos varied, a core" photos/s loader loader
}
