"""Run a command; tell how long it took and how much memory it and its children held at most.

usage: tree.py COMMAND ...        (the command's standard output goes to standard error)

Memory is the sum of the proportional set sizes (PSS) of all processes of the tree, sampled: pages
that forked workers share count once, unlike in a sum of resident sizes. Only Linux's /proc and
Python's own library are used.

SPDX-License-Identifier: BSD-2-Clause
"""
import json
import os
import subprocess
import sys
import threading
import time

INTERVAL = 0.2  # seconds; a plateau, such as a step of training, is longer


def parents():
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stream:
                    # the name, in parentheses, may hold anything; behind it: state, parent
                    found[int(entry)] = int(stream.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
    return found


def tree_of(root):
    parent_of = parents()
    found = [root]
    for pid in found:
        found += [child for child, parent in parent_of.items() if parent == pid]
    return found


def pss_of(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as stream:
            for line in stream:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def watch(pid, done, peak):
    while not done.wait(INTERVAL):
        peak[0] = max(peak[0], sum(map(pss_of, tree_of(pid))))


def main(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    done, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch, args=(process.pid, done, peak))
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "peak_bytes": peak[0], "exit_code": code}))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
