# Starts a throw-away PostgreSQL for the store's tests and exports MONITOR_TEST_POSTGRES; sourced by .ci/run.
# Without root or the package, the tests of PostgreSQL are skipped and say so.

start_postgres() {
    local binaries data port
    if [ "$(id -u)" != 0 ]; then
        echo "PostgreSQL: skipped (installing it needs root)"
        return
    fi
    if ! ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1; then
        if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qqy postgresql; } \
            >/dev/null 2>&1; then
            echo "PostgreSQL: skipped (the package could not be installed)"
            return
        fi
    fi
    binaries=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    data=$(mktemp -d)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    chown postgres "$data"
    if ! su postgres -c "$binaries/initdb -D $data/cluster -A trust" >/dev/null ||
        ! su postgres -c "$binaries/pg_ctl -D $data/cluster -w -o '-p $port -k $data -h 127.0.0.1' -l $data/log start" \
            >/dev/null; then
        echo "PostgreSQL: skipped (it did not start)"
        return
    fi
    trap "su postgres -c '$binaries/pg_ctl -D $data/cluster -m immediate stop' >/dev/null 2>&1" EXIT
    export MONITOR_TEST_POSTGRES="postgresql+psycopg://postgres@127.0.0.1:$port/postgres"
    echo "PostgreSQL: running for the store's tests"
}

start_postgres
