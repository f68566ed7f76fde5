# Starts a Bluesky of our own (npm's @atproto/dev-env: PLC directory, PDS, AppView) for the tests and exports
# MONITOR_TEST_BLUESKY, its PDS's address; sourced by .ci/run after .ci/postgres.sh, whose server it uses. What is
# missing is installed if that takes less than five minutes in all; else the tests of it are skipped and say so.

start_bluesky() {
    local version=0.3.215 began=$SECONDS folder port out redis network before
    folder=${XDG_CACHE_HOME:-$HOME/.cache}/federation-monitor/dev-env-$version
    if [ -z "${MONITOR_TEST_POSTGRES:-}" ]; then
        echo "Bluesky: skipped (it needs PostgreSQL)"
        return
    fi
    if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'; then
        echo "Bluesky: skipped (it needs npm and Node 18 or newer)"
        return
    fi
    if ! command -v redis-server >/dev/null &&
        ! DEBIAN_FRONTEND=noninteractive timeout 60 apt-get install -qqy --no-install-recommends redis-server \
            >/dev/null 2>&1; then
        echo "Bluesky: skipped (the package redis-server could not be installed)"
        return
    fi
    if [ ! -e "$folder/complete" ]; then
        mkdir -p "$folder"
        # only better-sqlite3's own script may run: it fetches or builds what the PDS keeps its posts in, and builds
        # it to be there soon (-O0) rather than to be fast
        if ! (
            cd "$folder"
            [ ! -e /usr/include/node/node.h ] || export npm_config_nodedir=/usr
            timeout 120 npm install --no-audit --no-fund --no-save --ignore-scripts --prefix . "@atproto/dev-env@$version" &&
                CFLAGS=-O0 CXXFLAGS=-O0 timeout $((290 - (SECONDS - began))) npm rebuild --prefix . better-sqlite3
        ) >"$folder/log" 2>&1; then
            echo "Bluesky: skipped (npm could not install @atproto/dev-env $version in five minutes: see $folder/log)"
            return
        fi
        touch "$folder/complete"
    fi
    out=$(mktemp -d)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    redis-server --bind 127.0.0.1 --port "$port" --save '' --dir "$out" >/dev/null 2>&1 &
    redis=$!
    DB_POSTGRES_URL=${MONITOR_TEST_POSTGRES/+psycopg/} DB_POSTGRES_SCHEMA=rehearsal REDIS_HOST=127.0.0.1:$port \
        NODE_PATH=$folder/node_modules node tests/dev_env/network.cjs >"$out/address" 2>"$out/log" &
    network=$!
    eval "set -- $(trap -p EXIT)" # what PostgreSQL left to be done at the end stays to be done
    before=${3:-:}
    trap "kill $network $redis >/dev/null 2>&1; $before" EXIT
    until [ -s "$out/address" ] || ! kill -0 "$network" 2>/dev/null || [ $((SECONDS - began)) -gt 300 ]; do
        sleep 0.2
    done
    if [ ! -s "$out/address" ]; then
        echo "Bluesky: skipped (it did not start: see $out/log)"
        return
    fi
    MONITOR_TEST_BLUESKY=$(cat "$out/address")
    export MONITOR_TEST_BLUESKY
    echo "Bluesky: a PDS and an AppView are running for the tests"
}

start_bluesky
