#!/bin/sh
# `ocellus import caffe`: what is wrong is told; nets of every kind of layer give what OpenCV's
# reader of Caffe models gives, where the peers (scripts/peers.sh) are.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
peers=${OC_PEERS-$3/build/peers}

cat >net.prototxt <<'NET'
input: "data"
input_dim: [1, 3, 8, 8]
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param { pool: AVE global_pooling: true } }
NET
printf 'no weights' >net.caffemodel

claim "it asks for both files"
run 1 import caffe --net net.prototxt -o model
says "--weights"
run 1 import caffe net.prototxt -o model
says "--net"

claim "a mean that is neither a file nor numbers is told"
run 1 import caffe --net net.prototxt --weights net.caffemodel --mean mean.binaryproto -o model
says "no such file"

claim "what is no caffemodel is told, and nothing is written"
run 2 import caffe --net net.prototxt --weights net.caffemodel -o model
says "net.caffemodel"
[ ! -e model ] || fail "a model was written"

claim "a slip in the net is told with its place"
sed 's/global_pooling/global_poolin/' net.prototxt >slip.prototxt
run 2 import caffe --net slip.prototxt --weights net.caffemodel -o model
says "slip.prototxt: unknown fields, at 4:29: global_poolin in PoolingParameter (did you mean global_pooling?)"

claim "layers that have no counterpart are listed together"
cat >odd.prototxt <<'NET'
input: "data" input_dim: [1, 3, 8, 8]
layer { name: "up" type: "Deconvolution" bottom: "data" top: "up" }
layer { name: "mvn" type: "MVN" bottom: "up" top: "mvn" }
NET
run 2 import caffe --net odd.prototxt --weights net.caffemodel -o model
says "up (Deconvolution) in line 2, mvn (MVN) in line 3"

claim "probabilities are OpenCV's"
if [ -x "$peers/bin/python" ]; then
    mkdir nets
    "$peers/bin/python" "$3/tests/cli/caffe_peer.py" "$binary" nets >peer.txt 2>&1
    code=$?
    if [ $code = 77 ]; then
        echo "skipped in part: $(cat peer.txt)"
    elif [ $code != 0 ]; then
        grep -v '^ok' peer.txt
        fail "they differ"
    fi
else
    echo "skipped in part: no peers in OC_PEERS or build/peers (scripts/peers.sh)"
fi
finish
