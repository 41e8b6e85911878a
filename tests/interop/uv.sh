#!/bin/sh
# Stands in for `uv` on the machine of a Python data owner, so that a job's run.sh downloads nothing: the environment it
# makes runs the Python of the peer itself, which has the packages that run.sh asks for.
set -eu
[ "${1:-}" = venv ] || exit 0
mkdir -p .venv/bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$PEER_PYTHON" >.venv/bin/python
printf 'PATH="%s:$PATH"\n' "$PWD/.venv/bin" >.venv/bin/activate
chmod +x .venv/bin/python
