#!/bin/sh
# The tests of the page that are named, under Node. Exits 77 (skipped) where Node, its packages or,
# for page.test.mjs, chromium, for engines.test.mjs, every driver is absent. Pictures of the page are kept in $SHOTS.
# usage: OCELLUS=BINARY tests/web/run.sh FILE...
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")"
../../web/tools/packages.sh
case " $* " in
*' page.test.mjs '*)
    [ -x "${CHROMIUM-/usr/bin/chromium}" ] || {
        echo 'skipped: chromium is not installed'
        exit 77
    }
    ;;
*' engines.test.mjs '*)
    command -v geckodriver >/dev/null || command -v WebKitWebDriver >/dev/null || {
        echo 'skipped: neither geckodriver nor WebKitWebDriver is installed'
        exit 77
    }
    ;;
esac
exec node --test "$@"
