#!/bin/sh
# A run as TensorBoard itself reads it: curves, histograms, pictures, settings; stopped and resumed.
# SPDX-License-Identifier: BSD-2-Clause
peers=${OC_PEERS-$3/build/peers}
"$peers/bin/python" -c "import tensorboard" 2>/dev/null || {
    echo "skipped: no tensorboard in $peers (scripts/peers.sh makes it)"
    exit 77
}
. "$(dirname "$0")/lib.sh"

# read_back FOLDER: "kind tag count last-step" a line, and which settings the HPARAMS page has
read_back() {
    "$peers/bin/python" - "$1" >"$work/.stdout" 2>"$work/.stderr" <<'PYTHON'
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
folder = sys.argv[1]
kinds = ("scalars", "images", "histograms", "tensors")
run = EventAccumulator(folder, size_guidance={kind: 0 for kind in kinds})
run.Reload()
read = {"scalars": run.Scalars, "images": run.Images, "histograms": run.Histograms}
for kind, values in read.items():
    for tag in run.Tags()[kind]:
        steps = [value.step for value in values(tag)]
        assert steps == sorted(set(steps)), (tag, steps)
        print(kind, tag, len(steps), steps[-1])
for tag in run.Tags()["histograms"]:
    for event in run.Histograms(tag):
        h = event.histogram_value
        assert sum(h.bucket) == h.num > 0 and h.min <= h.max, tag
for tag in run.Tags()["images"]:
    assert run.Images(tag)[-1].encoded_image_string[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0"), tag
for tag in run.Tags()["tensors"]:
    content = run.SummaryMetadata(tag).plugin_data.content
    if tag == metadata.SESSION_START_INFO_TAG:
        for name, value in metadata.parse_session_start_info_plugin_data(content).hparams.items():
            print("hparam", name, getattr(value, value.WhichOneof("kind")))
    if tag == metadata.SESSION_END_INFO_TAG:
        print("status", metadata.parse_session_end_info_plugin_data(content).status)
    if tag == metadata.EXPERIMENT_TAG:
        for metric in metadata.parse_experiment_plugin_data(content).metric_infos:
            print("metric", metric.name.tag)
PYTHON
    [ $? = 0 ] || fail "TensorBoard's reader fails"
}

tiny photos # 24 to train on: three steps of eight an epoch

claim "TensorBoard reads all that a run writes"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options --histograms 2
read_back model
prints "scalars loss/train 6 6"
prints "scalars accuracy/train 6 6"
prints "scalars learning_rate 6 6"
prints "scalars speed/images_per_second 6 6"
prints "scalars speed/share_waiting_for_data 6 6"
prints "scalars loss/validation 2 6"
prints "scalars accuracy/validation 2 6"
prints "images confusion_matrix"
prints "images mistakes/1"
prints "histograms weights/"
prints "histograms gradients/"
prints "hparam arch thesis"
prints "hparam batch 8.0"
prints "metric accuracy/validation_best"
prints "status 1"

claim "a run that is stopped and resumed is one run"
# shellcheck disable=SC2086
for _ in 1 2 3; do
    # shellcheck disable=SC2086
    run 0 train photos -o other $train_options --stop-after 0.001 --resume
done
# shellcheck disable=SC2086
run 0 train photos -o other $train_options --resume
read_back other
prints "scalars loss/train 6 6"
prints "scalars loss/validation 2 6"
prints "status 1"

claim "without a record there is none"
# shellcheck disable=SC2086
run 0 train photos -o model $train_options --tensorboard off
[ -z "$(find model -name '*tfevents*')" ] || fail "there are event files"
# shellcheck disable=SC2086
run 1 train photos -o model $train_options --tensorboard off --histograms 3
says "--histograms"

finish
