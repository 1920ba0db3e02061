# C source with its comments, strings and character constants blanked; lines keep their numbers.
# SPDX-License-Identifier: BSD-2-Clause
FNR == 1 { in_comment = 0 }
{
    kept = ""
    line = $0
    while (line != "") {
        if (in_comment) {
            end = index(line, "*/")
            if (end == 0) break
            line = substr(line, end + 2)
            in_comment = 0
        } else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/)) {
            token = substr(line, RSTART, 2)
            kept = kept substr(line, 1, RSTART - 1)
            line = substr(line, RSTART + RLENGTH)
            if (token == "//") line = ""
            else if (token == "/*") in_comment = 1
            else kept = kept "\"\""
        } else {
            kept = kept line
            line = ""
        }
    }
    print FILENAME ":" FNR ":" kept
}
