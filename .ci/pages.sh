# Gets a real browser and the e-mail lint for tests/test_pages.py, which skips without them; sourced by .ci/run.

get_browser() {
    if ! command -v chromium >/dev/null; then
        if [ "$(id -u)" != 0 ]; then
            echo "Chromium: skipped (installing it needs root)"
            return
        fi
        if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qqy chromium; } \
            >/dev/null 2>&1; then
            echo "Chromium: skipped (the package could not be installed)"
            return
        fi
    fi
    export MONITOR_TEST_CHROMIUM
    MONITOR_TEST_CHROMIUM=$(command -v chromium)
    echo "Chromium: the reports are checked with axe-core"
}

get_email_lint() {
    if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qqy nodejs npm >/dev/null 2>&1 || true
    fi
    if ! command -v npm >/dev/null; then
        echo "E-mail lint: skipped (Node could not be installed)"
        return
    fi
    if ! timeout 120 npm ci --silent --prefix .ci/email >/dev/null 2>&1; then
        echo "E-mail lint: skipped (its packages could not be installed)"
        return
    fi
    export MONITOR_TEST_EMAIL_LINT=.ci/email/lint.mjs
    echo "E-mail lint: the e-mails are checked against caniemail"
}

get_browser
get_email_lint
