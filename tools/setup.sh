#!/bin/sh
# Prepare this machine for the project: virtual environment, pinned and hashed packages, native libraries.
#   tools/setup.sh run    what the hospital needs
#   tools/setup.sh check  and what the static checks need
#   tools/setup.sh test   and what all tests need: browser, PostgreSQL, Redis, RabbitMQ
# Says what is missing in one sentence and stops. As root on Debian and Ubuntu it installs it by apt.
set -eu

what=${1:-run}
cd "$(dirname "$0")/.."
venv=.venv

stop() {
    printf 'Dừng: %s\n' "$*" >&2
    exit 1
}

say() { printf '%s\n' "$*"; }

# Package lists are fetched at most once.
apt_ready=
install() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        stop "máy thiếu gói hệ thống. Chạy lệnh sau rồi thử lại:  sudo apt-get install -y --no-install-recommends $*"
    fi
    say "Cài gói hệ thống: $*"
    if [ -z "$apt_ready" ]; then
        apt-get update -qq || stop "không tải được danh sách gói của apt. Kiểm tra mạng rồi thử lại."
        apt_ready=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        stop "apt không cài được: $*. Cài bằng tay rồi thử lại."
}

find_python() {
    for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

python=$(find_python)
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "không có")
    stop "cần Python 3.11 trở lên (máy này: $found). Cài python3 mới hơn, hoặc chỉ đường dẫn bằng PYTHON=/đường/dẫn/python3."
fi

if [ ! -x $venv/bin/python ] || ! $venv/bin/python -c 'import pip' 2>/dev/null; then
    say "Tạo môi trường Python trong $venv."
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
    rm -rf $venv
    "$python" -m venv $venv || stop "không tạo được $venv. Kiểm tra quyền ghi thư mục này."
fi

# Packages are installed again only when their list changed; the mark is written last.
packages() {
    list=requirements/$1.txt
    mark=$venv/.installed-$1
    sum=$(cat requirements/base.txt "$list" | sha256sum | cut -d' ' -f1)
    if [ "$(cat $mark 2>/dev/null)" = "$sum" ]; then
        return 0
    fi
    say "Cài thư viện Python ($list)."
    $venv/bin/python -m pip install -q --disable-pip-version-check --no-input --require-hashes -r "$list" ||
        stop "pip không cài được $list. Kiểm tra mạng hoặc kho gói rồi thử lại."
    printf '%s' "$sum" >$mark
}

packages base
if [ "$what" != run ]; then
    packages dev
fi

# Paper needs these; WeasyPrint without the subsetting library is four times slower.
missing=$($venv/bin/python tools/native.py) || true
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # a list of packages
    install $missing
    missing=$($venv/bin/python tools/native.py) || true
    [ -z "$missing" ] || stop "vẫn thiếu thư viện sau khi cài: $missing. Cài bằng tay rồi thử lại."
fi

if [ "$what" = test ]; then
    command -v chromium >/dev/null 2>&1 || [ -n "${HIS_TEST_CHROMIUM:-}" ] || install chromium
    if [ -z "${HIS_TEST_POSTGRES_URL:-}" ]; then
        command -v pg_ctlcluster >/dev/null 2>&1 || install postgresql
    fi
    if [ -z "${HIS_TEST_REDIS_URL:-}" ]; then
        command -v redis-server >/dev/null 2>&1 || install redis-server
    fi
    if [ -z "${HIS_TEST_AMQP_URL:-}" ]; then
        [ -x /usr/sbin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null 2>&1 || install rabbitmq-server
    fi
fi

$venv/bin/python tools/link.py
