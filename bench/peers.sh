# Who else is here: PyTorch as the system has it ($PYTHON), and in the folder $PEERS (install.sh
# makes it) the newest one, ONNX Runtime and OpenVINO. To be sourced after lib.sh.
# SPDX-License-Identifier: BSD-2-Clause

# version_in PYTHON MODULE...: of the first module, if all can be imported; without its build's tag
version_in() {
    local python=$1
    shift
    "$python" -c "import $(IFS=, && printf '%s' "$*"); print($1.__version__.split('-')[0].split('+')[0])" \
        2>/dev/null
}

# Sets OLD, NEW, ORT and OPENVINO to versions, empty where absent.
find_peers() {
    local new=$PEERS/bin/python
    OLD=$(version_in "$PYTHON" torch torchvision PIL)
    NEW=$(version_in "$new" torch torchvision PIL)
    ORT=$(version_in "$new" onnxruntime numpy)
    OPENVINO=$(version_in "$new" openvino numpy)
    [ -n "$OLD$NEW" ] || ORT='' OPENVINO='' # nothing to export a network with
}

# name_of WHO: for tables and results
name_of() {
    case $1 in
    ocellus) printf ocellus ;;
    float) printf 'ocellus fp32' ;;
    old*) printf 'PyTorch %s' "${OLD:-of the system}" ;;
    new*) printf 'PyTorch %s' "${NEW:-the newest}" ;;
    onnxruntime) printf 'ONNX Runtime %s' "$ORT" ;;
    openvino*) printf 'OpenVINO %s' "$OPENVINO" ;;
    esac
    case $1 in *-*) printf ' %s' "${1#*-}" ;; esac
}

# here WHO
here() {
    case $1 in
    ocellus | float) true ;;
    old*) [ -n "$OLD" ] ;;
    new*) [ -n "$NEW" ] ;;
    onnxruntime) [ -n "$ORT" ] ;;
    openvino*) [ -n "$OPENVINO" ] ;;
    *) false ;;
    esac
}

# peers_of MODE: one word each
peers_of() {
    local torch='old-eager old-channels_last new-eager new-channels_last new-compiled'
    case $1 in
    train) printf '%s' "$torch" ;;
    infer) printf '%s' "$torch onnxruntime openvino-latency openvino-throughput" ;;
    loader) printf 'old new' ;;
    int8) printf float ;;
    esac
}

# exported NET BATCH: the path of an ONNX file, made on first use in $work
exported() {
    local file=$work/$1-b$2.onnx python=$PYTHON
    [ -z "$NEW" ] || python=$PEERS/bin/python
    [ -s "$file" ] || "$python" bench/peers/export_onnx.py "$1" "$2" "$file" >/dev/null 2>&1 ||
        rm -f "$file"
    printf '%s' "$file"
}

# command_of WHO MODE NET BATCH: into the array `command`; it prints one line of JSON
command_of() {
    local new=$PEERS/bin/python pace=("$reps" "$seconds")
    case $2-$1 in
    loader-ocellus)
        command=("$OCELLUS" bench --json --image "$FLOWERS" --reps 2 --seconds "$seconds")
        ;;
    loader-old) command=("$PYTHON" bench/peers/loader.py "$FLOWERS" "$seconds") ;;
    loader-new) command=("$new" bench/peers/loader.py "$FLOWERS" "$seconds") ;;
    int8-*)
        command=("$OCELLUS" bench "$work/$1" --json --mode infer --batch "$4" --reps "$reps"
            --seconds "$seconds")
        ;;
    *-ocellus)
        command=("$OCELLUS" bench --json --mode "$2" --arch "$3" --batch "$4" --reps "$reps"
            --seconds "$seconds")
        ;;
    *-old-*) command=("$PYTHON" "bench/peers/pytorch_$2.py" "$3" "$4" "${1#*-}" "${pace[@]}") ;;
    *-new-*) command=("$new" "bench/peers/pytorch_$2.py" "$3" "$4" "${1#*-}" "${pace[@]}") ;;
    *-onnxruntime)
        command=("$new" bench/peers/onnxruntime_infer.py "$(exported "$3" "$4")" "${pace[@]}")
        ;;
    *-openvino-*)
        command=("$new" bench/peers/openvino_infer.py "$(exported "$3" "$4")" "${1#*-}" "${pace[@]}")
        ;;
    esac
}
