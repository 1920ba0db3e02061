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

claim "photos can be squashed to a size and the centre of that cropped"
cat >dense.prototxt <<'NET'
input: "data" input_dim: [1, 3, 8, 8]
layer { name: "all" type: "Pooling" bottom: "data" top: "all" pooling_param { pool: AVE global_pooling: true } }
layer { name: "fc" type: "InnerProduct" bottom: "all" top: "fc" inner_product_param { num_output: 2 } }
NET
{ # layer fc: a blob of 2 x 3 zeros, and one of 2
    printf '\242\006\067\012\002fc\072\040\072\004\012\002\002\003\052\030'
    head -c 24 /dev/zero
    printf '\072\017\072\003\012\001\002\052\010'
    head -c 8 /dev/zero
} >dense.caffemodel
dense="import caffe --net dense.prototxt --weights dense.caffemodel --mean 1,2,3 -o dense"
# shellcheck disable=SC2086 # a list of words
run 0 $dense --fit squash --resize 11
run 0 info dense
prints "squashed to 11 x 11 and centre crop"
# shellcheck disable=SC2086
run 0 $dense --fit crop --resize 9
# shellcheck disable=SC2086
run 1 $dense --fit squash --resize 7
says "--resize 7: less than the network's input, 8 x 8"

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
