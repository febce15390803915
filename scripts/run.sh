#!/bin/bash
# run.sh builds the program and runs the demo city. The program takes this process' place, so that
# Ctrl-C and the exit code are its own. Arguments go to `loginunico demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need.sh postgresql
mkdir -p .data/bin
go build -o .data/bin/loginunico ./cmd/loginunico
exec .data/bin/loginunico demo "$@"
