#!/bin/sh
# Help, versions, mistyped commands and options, completions, the man page.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
source_dir=$3

claim "help lists every command on standard output"
run 0 help
for command in train eval predict data info synth doctor completion; do prints "  $command"; done
run 0 --help
prints "usage: ocellus COMMAND"

claim "no command is a usage error that shows the commands"
run 1
says "usage: ocellus COMMAND"
silent

claim "the version is told"
run 0 --version
prints "ocellus 0."

claim "help of a command, asked for in either way, is the same"
for command in train eval predict data info synth doctor completion help; do
    run 0 help "$command"
    prints "usage: ocellus $command"
    cp .stdout first
    run 0 "$command" --help
    cmp -s first .stdout || fail "help $command and $command --help differ"
done

claim "help lists the options of training"
run 0 help train
for option in arch from tune epochs batch size lr optimizer momentum nesterov l1 l2 weight-decay \
    schedule step-epochs step-factor warmup clip-norm patience augment mean std fit filter val \
    split label-column group-column names seed threads workers engine resume stop-after \
    checkpoint-every allow-rejects json; do
    prints "--$option"
done
prints "cosine, step, constant"

claim "a mistyped command or option is an error with a suggestion"
run 1 trian photos
says "did you mean train"
run 1 train photos -o m --epoch 3
says "did you mean --epochs"
run 1 train photos -o m --optimizer sgdd
says "did you mean sgd"
run 1 predict m p.jpg --frobnicate
says "unknown option --frobnicate"

claim "a value that is missing or out of range names option, value and range"
run 1 train photos -o m --epochs 0
says "--epochs 0: expected a whole number from 1 to"
run 1 train photos -o m --epochs three
says "--epochs three"
run 1 train photos -o m --lr
says "--lr needs a value"
run 1 train photos -o m --from --epochs 3
says "--from needs a value"
run 1 train photos -o m --split 1.5
says "--split 1.5"
run 1 train photos -o m --mean 1,2 --std 1,1,1
says "--mean 1,2: expected three numbers"
run 1 train photos -o m --json=yes
says "--json takes no value"

claim "options that contradict each other are an error"
run 1 train photos -o m --tune head
says "--from"
run 1 train photos -o m --std 1,1,1
says "go together"
run 1 train photos -o m --step-epochs 3
says "--schedule step"

claim "too much or too little is an error that shows the usage"
run 1 train
says "usage: ocellus train DATA"
run 1 train photos
says "-o MODEL"
run 1 eval model
says "usage: ocellus eval MODEL DATA"
run 1 eval model data more
says "one argument too many"

claim "what does not exist is bad input, told by name"
run 2 train no-such-folder -o m
says "no-such-folder"
run 2 predict no-such-model p.jpg
says "no-such-model"
run 2 info --arch resnet
says "resnet18"

claim "completions are written, and bash accepts its own"
for shell in bash zsh fish; do
    run 0 completion "$shell"
    prints "weight-decay"
    prints "ocellus"
done
run 1 completion tcsh
run 0 completion bash
cp .stdout completion.bash
if command -v bash >/dev/null; then
    bash -n completion.bash || fail "bash does not accept the completion"
    offered=$(bash -c '. ./completion.bash; COMP_WORDS=(ocellus train --op); COMP_CWORD=2
        _ocellus; echo "${COMPREPLY[*]}"')
    equal "$offered" "--optimizer"
fi

claim "the man page in the tree is the one that the tables make"
run 0 completion man
cmp -s .stdout "$source_dir/docs/man/ocellus.1" ||
    fail "write it again: build/ocellus completion man > docs/man/ocellus.1"

claim "a full disk under standard output is told"
if [ -w /dev/full ]; then
    "$binary" help >/dev/full 2>.stderr
    equal "$?" 3
fi
finish
