#!/bin/sh
# Bad data: each case is an error or a warning that says what to do, never a crash.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
tiny photos
one=photos/lemon-daisy/001.jpg
# train_on CODE DATA [OPTIONS...]
train_on() {
    wanted_code=$1
    data=$2
    shift 2
    rm -rf model
    # shellcheck disable=SC2086 # a list of options
    run "$wanted_code" train "$data" -o model $train_options "$@"
}

claim "an empty folder is an error that says what to put there"
mkdir empty
train_on 2 empty
says "empty"
run 2 data empty

claim "one class is an error"
mkdir -p single/rose
cp photos/lemon-daisy/*.jpg single/rose
train_on 2 single
says "class"

claim "a class with one image is a warning, and training goes on"
cp -r photos lonely
mkdir lonely/rare
cp $one lonely/rare
train_on 0 lonely
says "rare"

claim "damaged files are rejected by name and reason, and training goes on"
cp -r photos dirty
: >dirty/lemon-daisy/empty.jpg
head -c 700 $one >dirty/lemon-daisy/cut.jpg
echo '<!DOCTYPE html><html></html>' >dirty/lemon-daisy/page.jpg
mkfifo dirty/lemon-daisy/pipe.jpg
cp $one dirty/lemon-daisy/wrong-name.png
train_on 0 dirty --json
at_least "$(field rejected)" 3
says "rejected"
run 0 data dirty --json
i=0
: >found
while "$json_get" "rejected.$i.image" <.stdout >>found; do
    "$json_get" "rejected.$i.reason" <.stdout >/dev/null || fail "a reject without a reason"
    i=$((i + 1))
done
for name in empty cut page pipe; do
    grep -q "$name.jpg" found || fail "$name.jpg is not among the rejected"
done

claim "an unreadable file is rejected"
if [ "$(id -u)" != 0 ]; then
    cp -r photos locked
    chmod 000 locked/lemon-daisy/001.jpg
    train_on 0 locked
    says "1 rejected"
fi

claim "a header that promises 60,000 x 60,000 pixels is rejected without decoding it"
cp -r photos huge
# a JPEG whose frame header is overwritten: height and width stand 5 bytes behind the marker FF C0
offset=$(LC_ALL=C grep -obUaP '\xff[\xc0\xc2]' $one | head -n 1 | cut -d: -f1)
cp $one huge/lemon-daisy/huge.jpg
printf '\352\140\352\140' |
    dd of=huge/lemon-daisy/huge.jpg bs=1 seek=$((offset + 5)) conv=notrunc 2>/dev/null
run 0 data huge --json
field rejected.0.image | grep -q huge.jpg || fail "huge.jpg is not rejected"

claim "more than 20 % rejected stops before training, unless allowed"
cp -r photos rotten
for i in 1 2 3 4 5 6 7 8 9; do echo junk >"rotten/lemon-daisy/junk$i.jpg"; done
train_on 2 rotten
says "--allow-rejects"
[ ! -e model/model.safetensors ] || fail "a model was written"
train_on 0 rotten --allow-rejects

claim "lists work with CRLF, a BOM, comments by comma, a missing path"
{
    printf '\357\273\277'
    for i in 1 2 3 4 5 6 7 8 9; do
        printf 'photos/lemon-daisy/00%s.jpg, 0\r\n' $i
        printf 'photos/lemon-aster/00%s.jpg, 1\r\n' $i
    done
    printf 'photos/nowhere.jpg, 1\r\n'
} >list.txt
train_on 0 list.txt --json
equal "$(field classes)" 2
equal "$(field rejected)" 1

claim "a CSV brings labels, parts and groups"
{
    echo 'path,label,split'
    for i in 1 2 3 4 5 6; do
        echo "photos/lemon-daisy/00$i.jpg,\"daisy, common\",train"
        echo "photos/lemon-aster/00$i.jpg,aster,train"
    done
    for i in 7 8; do
        echo "photos/lemon-daisy/00$i.jpg,\"daisy, common\",val"
        echo "photos/lemon-aster/00$i.jpg,aster,val"
    done
} >set.csv
train_on 0 set.csv --json
equal "$(field train_images)" 12
equal "$(field val_images)" 4
run 0 predict model photos/lemon-daisy/001.jpg --json
grep -q 'daisy, common' .stdout || fail "a name with a comma is lost"

claim "a malformed line is an error with file and line"
{
    echo 'path,label'
    echo 'photos/lemon-daisy/001.jpg,a'
    echo 'photos/lemon-daisy/002.jpg,"a'
} >broken.csv
train_on 2 broken.csv
says "broken.csv"

claim "an unknown column is an error that names those there are"
train_on 1 set.csv --label-column species
says "path, label, split"

claim "photos of classes that the model does not know are an error that names one"
train_on 0 list.txt
run 2 eval model photos
says "crimson-poppy"

claim "sizes that the network cannot take name the smallest possible"
rm -rf model
run 2 train photos -o model --arch thesis --size 20
says "66"

claim "an architecture, engine or weights file that is not there is told"
run 2 train photos -o m2 --arch mobilenet
says "mobilenet_v2"
run 3 train photos -o m2 --arch thesis --size 66 --engine cuda
says "cuda"
run 2 train photos -o m2 --from none.safetensors
says "none.safetensors"

claim "a folder with foreign files is not made a model"
mkdir mine
echo precious >mine/thesis.txt
run 1 train photos -o mine --arch thesis --size 66
says "mine"
equal "$(cat mine/thesis.txt)" precious
finish
