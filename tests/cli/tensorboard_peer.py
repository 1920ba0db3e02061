"""What TensorBoard's own reader finds in a folder of event files. usage: tensorboard_peer.py FOLDER

A line for each tag, "kind tag step step ..."; then the settings of the HPARAMS page.
SPDX-License-Identifier: BSD-2-Clause
"""
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
        print(kind, tag, " ".join(map(str, steps)))
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
