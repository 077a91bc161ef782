#!/usr/bin/env bash
# Print the first Python here that is new enough and can make virtual environments.
set -euo pipefail

old=""
for name in python3 python3.14 python3.13 python3.12 python3.11; do
  path=$(command -v "$name" 2>/dev/null) || continue
  # A version manager's shim may exist for a version that is not installed: ask it, do not trust it.
  if "$path" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    "$path" -c 'import sys; print(sys.executable)'
    exit 0
  fi
  old="$old $name"
done

if [ -n "$old" ]; then
  echo "None of${old} is Python 3.11 or newer with the venv module; install one (on Debian: python3 and python3-venv)." >&2
else
  echo "No Python found; install Python 3.11 or newer (on Debian: python3 and python3-venv)." >&2
fi
exit 1
