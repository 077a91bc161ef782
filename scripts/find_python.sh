#!/usr/bin/env bash
# Print the Python to make the virtual environment with: O2O_PYTHON, or the best one found here.
#
# Best is the first that is new enough and an interpreter in one piece, as Debian builds it. One
# that loads itself from a library, as pyenv builds it by default, and without the compiler's best
# efforts, took 15 to 20 % more time for the same work, so it is taken only where there is no other.
set -euo pipefail

# Fails for a Python that is too old or cannot make environments; says how it was built, and where.
probe='
import sys, venv, ensurepip
if sys.version_info < (3, 11):
    sys.exit(1)
try:
    with open("/proc/self/maps", "rb") as maps:
        is_apart = b"libpython" in maps.read()
except OSError:
    is_apart = False
print("apart" if is_apart else "whole", sys.executable)
'

# A version manager's shim may exist for a version that is not installed: ask it, do not trust it.
ask() {
  "$1" -c "$probe" </dev/null 2>/dev/null
}

if [ -n "${O2O_PYTHON:-}" ]; then
  if ! told=$(ask "$O2O_PYTHON"); then
    echo "O2O_PYTHON is ${O2O_PYTHON}, which is not Python 3.11 or newer with the venv module." >&2
    exit 1
  fi
  echo "${told#* }"
  exit 0
fi

old=""
apart=""
for name in python3 python3.14 python3.13 python3.12 python3.11; do
  is_usable=""
  while read -r path; do
    told=$(ask "$path") || continue
    is_usable=1
    if [ "${told%% *}" = whole ]; then
      echo "${told#* }"
      exit 0
    fi
    apart=${apart:-${told#* }}
  done < <(type -aP "$name")
  if [ -z "$is_usable" ] && type -P "$name" >/dev/null; then
    old="$old $name"
  fi
done

if [ -n "$apart" ]; then
  echo "$apart"
  exit 0
fi
if [ -n "$old" ]; then
  echo "None of${old} is Python 3.11 or newer with the venv module; install one (on Debian: python3 and python3-venv)." >&2
else
  echo "No Python found; install Python 3.11 or newer (on Debian: python3 and python3-venv)." >&2
fi
exit 1
